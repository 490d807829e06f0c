#!/bin/bash
# Starts Redis. The password goes into a file that only this user reads: a command line is open to everybody on the node.
set -euo pipefail

fail() {
    echo "error: $*." >&2
    exit 1
}

[[ "${REDIS_REPLICATION_MODE:-master}" == master && -z "${REDIS_MASTER_HOST:-}" ]] ||
    fail "REDIS_REPLICATION_MODE or REDIS_MASTER_HOST is set, but this image runs one server alone: use Bitnami's image and chart"
[[ "${REDIS_TLS_ENABLED:-no}" =~ ^(no|false)$ ]] ||
    fail "REDIS_TLS_ENABLED is set, but this image serves without TLS: use Bitnami's image and chart"

password=${REDIS_PASSWORD:-}
if [[ -n "${REDIS_PASSWORD_FILE:-}" ]]; then
    [[ -f "$REDIS_PASSWORD_FILE" && -r "$REDIS_PASSWORD_FILE" ]] ||
        fail "REDIS_PASSWORD_FILE names $REDIS_PASSWORD_FILE, which cannot be read: mount the Secret there"
    password=$(< "$REDIS_PASSWORD_FILE")
fi
[[ -n "$password" || "${ALLOW_EMPTY_PASSWORD:-no}" == yes ]] ||
    fail "there is no password: set REDIS_PASSWORD or REDIS_PASSWORD_FILE, or ALLOW_EMPTY_PASSWORD=yes"
port=${REDIS_PORT:-${REDIS_PORT_NUMBER:-6379}}
[[ "$port" =~ ^[0-9]{1,5}$ ]] || fail "REDIS_PORT is $port: it must be a number from 1 to 65535"

etc=/opt/bitnami/redis/etc
for folder in /data "$etc"; do
    [[ -w "$folder" ]] || fail "$folder cannot be written by uid $(id -u): mount a volume there and give the pod fsGroup 1001"
done

# Two servers on one volume (a pod deleted by force, a container started twice) would destroy the data. Held until the server ends;
# codes above 1 mean a file system without locks.
exec 9< /data
flock --nonblock 9 || [[ $? -gt 1 ]] || fail "another server is running on /data: stop it first"

umask 077
{
    # No snapshots: the append-only file holds every write. Files that the operator mounts come later and win.
    printf '%s\n' "bind * -::*" "protected-mode no" "appendonly yes" 'save ""'
    for file in /opt/bitnami/redis/mounted-etc/*.conf; do
        [[ ! -e "$file" ]] || echo "include $file"
    done
    printf '%s\n' "port $port" "dir /data"
    if [[ -n "$password" ]]; then
        # Every byte by its number, so no quote, backslash or line break means anything.
        printf 'requirepass "%s"\n' "$(printf '%s' "$password" | od -An -v -tx1 | tr -d '\n' | sed 's/ /\\x/g')"
    fi
} > "$etc/redis.conf"
unset REDIS_PASSWORD password
exec redis-server "$etc/redis.conf"
