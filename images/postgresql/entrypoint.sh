#!/bin/bash
# Starts PostgreSQL; makes its cluster first where there is none. Configuration lives outside the data and is written at each start.
set -euo pipefail
# shellcheck source=settings.sh
. /opt/ai-platform/settings.sh
# shellcheck source=initialize.sh
. /opt/ai-platform/initialize.sh

# The user's scripts and psql ask the environment for these names; the server does not need them any more.
for name in PASSWORD POSTGRES_PASSWORD INITSCRIPTS_PASSWORD REPLICATION_PASSWORD; do
    unset "POSTGRES_$name" "POSTGRESQL_$name"
done

[[ -w "$volume" ]] || fail "$volume cannot be written by uid $(id -u): give the pod fsGroup 1001"
if [[ -s "$data/PG_VERSION" ]]; then
    found=$(< "$data/PG_VERSION")
    [[ "$found" == 15 ]] || fail "$data was made by PostgreSQL $found, this is 15: dump it there and restore it here"
    # Left by a kill; the pod's volume is never used by two servers at once.
    rm -f "$data/postmaster.pid"
else
    initialize
fi
chmod 0700 "$data"

cat > "$conf/pg_hba.conf" <<'HBA'
local all all scram-sha-256
host  all all 127.0.0.1/32 scram-sha-256
host  all all ::1/128 scram-sha-256
host  all all all scram-sha-256
HBA
cat > "$conf/postgresql.conf" <<CONF
listen_addresses = '*'
port = $port
unix_socket_directories = '$tmp'
hba_file = '$conf/pg_hba.conf'
ident_file = '/dev/null'
password_encryption = scram-sha-256
shared_preload_libraries = '$preload'
pgaudit.log = '$(setting PGAUDIT_LOG none)'
log_timezone = 'UTC'
timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_connections = $(setting LOG_CONNECTIONS off)
log_disconnections = $(setting LOG_DISCONNECTIONS off)
include_dir_placeholder
CONF
# Settings of the operator come last and win.
if [[ -d /bitnami/postgresql/conf/conf.d ]]; then
    sed -i "s#^include_dir_placeholder#include_dir = '/bitnami/postgresql/conf/conf.d'#" "$conf/postgresql.conf"
else
    sed -i '/^include_dir_placeholder/d' "$conf/postgresql.conf"
fi
[[ -n "$preload" ]] || sed -i '/^pgaudit\./d' "$conf/postgresql.conf"

exec postgres -D "$data" -c config_file="$conf/postgresql.conf"
