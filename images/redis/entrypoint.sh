#!/bin/bash
# Starts Redis. The password goes into a file that only this user reads: a command line is open to everybody on the node.
set -euo pipefail

fail() {
    echo "error: $*." >&2
    exit 1
}

# secret NAME: the variable's value, or the content of the file that NAME_FILE names.
secret() {
    local file="${1}_FILE"
    if [[ -n "${!file:-}" ]]; then
        [[ -f "${!file}" && -r "${!file}" ]] || fail "$file names ${!file}, which cannot be read: mount the Secret there"
        cat "${!file}"
    else
        printf '%s' "${!1:-}"
    fi
}

# Every byte by its number, so no quote, backslash or line break means anything in redis.conf.
quoted() {
    printf '"%s"' "$(printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /\\x/g')"
}

# What Redis stores of a password of a user.
hash_of() {
    printf '%s' "$1" | sha256sum | cut -d ' ' -f 1
}

# slave is what older charts of Bitnami's say.
mode=${REDIS_REPLICATION_MODE:-master}
master_host=${REDIS_MASTER_HOST:-}
master_port=${REDIS_MASTER_PORT_NUMBER:-6379}
case $mode in
    master) [[ -z "$master_host" ]] || fail "REDIS_MASTER_HOST is set, but this is no replica: set REDIS_REPLICATION_MODE to replica" ;;
    replica | slave)
        [[ -n "$master_host" ]] || fail "REDIS_REPLICATION_MODE is $mode, but REDIS_MASTER_HOST is empty: name the master"
        [[ "$master_host" =~ ^[A-Za-z0-9._:-]+$ ]] || fail "REDIS_MASTER_HOST is $master_host: it must be a host name or an address"
        [[ "$master_port" =~ ^[0-9]{1,5}$ ]] || fail "REDIS_MASTER_PORT_NUMBER is $master_port: it must be a number from 1 to 65535"
        ;;
    *) fail "REDIS_REPLICATION_MODE is $mode: it must be master or replica" ;;
esac
[[ "${REDIS_TLS_ENABLED:-no}" =~ ^(no|false)$ ]] ||
    fail "REDIS_TLS_ENABLED is set, but this image serves without TLS: use Bitnami's image and chart"

# While a rotation is under way, there is another password beside it that is taken as well. Both files change at one moment, which may
# be between two reads.
second_file=${REDIS_PASSWORD_FILE:+$REDIS_PASSWORD_FILE-second}
while true; do
    password=$(secret REDIS_PASSWORD)
    second=
    [[ ! -r "$second_file" ]] || second=$(< "$second_file")
    [[ "$(secret REDIS_PASSWORD)" != "$password" ]] || break
done
master_password=$(secret REDIS_MASTER_PASSWORD)
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
    [[ -z "$password" ]] || echo "requirepass $(quoted "$password")"
    # A line for the user is read after all others, and wins over requirepass.
    [[ -z "$password" || -z "$second" ]] || echo "user default on ~* &* +@all #$(hash_of "$password") #$(hash_of "$second")"
    if [[ -n "$master_host" ]]; then
        echo "replicaof $master_host $master_port"
        [[ -z "$master_password" ]] || echo "masterauth $(quoted "$master_password")"
    fi
} > "$etc/redis.conf"
unset REDIS_PASSWORD REDIS_MASTER_PASSWORD password second master_password
exec redis-server "$etc/redis.conf"
