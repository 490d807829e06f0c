#!/bin/bash
# Starts PostgreSQL; makes its cluster first where there is none.
set -euo pipefail
for part in settings configure initialize replicate; do
    # shellcheck source=/dev/null
    . "/opt/ai-platform/$part.sh"
done

# The server and the user's scripts do not need them; what stays in the environment can be read in /proc.
for name in PASSWORD POSTGRES_PASSWORD INITSCRIPTS_PASSWORD REPLICATION_PASSWORD; do
    unset "POSTGRES_$name" "POSTGRESQL_$name"
done

for folder in "$volume" "$conf" "$tmp"; do
    [[ -w "$folder" ]] || fail "$folder cannot be written by uid $(id -u): mount a volume there and give the pod fsGroup 1001"
done

# Held until the server ends: two servers on one volume (a pod deleted by force, a container started twice) would destroy the data.
# Codes above 1 mean a file system without locks.
exec 9< "$volume"
flock --nonblock 9 || [[ $? -gt 1 ]] || fail "another server is running on $volume: stop it first"

[[ "$replication_mode" != slave ]] || write_replication_password
write_configuration
if [[ -s "$data/PG_VERSION" ]]; then
    found=$(< "$data/PG_VERSION")
    [[ "$found" == 15 ]] || fail "$data was made by PostgreSQL $found, this is 15: dump it there and restore it here"
    rm -f "$data/postmaster.pid" "$data/recovery.signal"
    # A changed variable never turns a primary into a replica or back: either change loses writes.
    if [[ "$replication_mode" == slave ]]; then
        [[ -e "$data/standby.signal" ]] || fail "$data is no replica's: empty it, and the next start copies $primary_host"
    else
        [[ ! -e "$data/standby.signal" ]] || fail "$data is a replica's: remove $data/standby.signal to make it a server of its own"
    fi
elif [[ -d "$data" && -n "$(ls -A "$data")" ]]; then
    fail "$data holds files, but no database cluster: empty it, or set PGDATA to another folder"
elif mountpoint --quiet "$data"; then
    fail "$data is a volume of its own: mount it one folder higher, at ${data%/*}, for the first start makes $data by renaming"
elif [[ "$replication_mode" == slave ]]; then
    copy_primary
else
    initialize
fi
chmod 0700 "$data"

exec postgres -D "$data" -c config_file="$conf/postgresql.conf"
