#!/bin/bash
# Starts Redis. The password goes into a file that only this user reads: a command line is open to everybody on the node.
set -euo pipefail

fail() {
    echo "error: $*" >&2
    exit 1
}

for name in REDIS_TLS_ENABLED REDIS_REPLICATION_MODE; do
    [[ "${!name:-}" =~ ^(|no|false|master)$ ]] || fail "$name is ${!name}, but this image runs one server alone, without TLS"
done

password=${REDIS_PASSWORD:-}
if [[ -n "${REDIS_PASSWORD_FILE:-}" ]]; then
    [[ -r "$REDIS_PASSWORD_FILE" ]] || fail "REDIS_PASSWORD_FILE names $REDIS_PASSWORD_FILE, which cannot be read: mount the Secret there"
    password=$(< "$REDIS_PASSWORD_FILE")
fi
[[ -n "$password" || "${ALLOW_EMPTY_PASSWORD:-no}" == yes ]] ||
    fail "no password: set REDIS_PASSWORD or REDIS_PASSWORD_FILE, or ALLOW_EMPTY_PASSWORD=yes"
[[ -w /data ]] || fail "/data cannot be written by uid $(id -u): give the pod fsGroup 1001"

etc=/opt/bitnami/redis/etc
umask 077
{
    echo "port ${REDIS_PORT:-6379}"
    echo "bind * -::*"
    echo "dir /data"
    echo "protected-mode no"
    # The chart's settings, and last the operator's, win over these.
    echo "appendonly yes"
    echo 'save ""'
    for file in /opt/bitnami/redis/mounted-etc/*.conf; do
        [[ ! -e "$file" ]] || echo "include $file"
    done
} > "$etc/redis.conf"
if [[ -n "$password" ]]; then
    escaped=${password//\\/\\\\}
    printf 'requirepass "%s"\n' "${escaped//\"/\\\"}" >> "$etc/redis.conf"
fi
unset REDIS_PASSWORD password escaped
exec redis-server "$etc/redis.conf"
