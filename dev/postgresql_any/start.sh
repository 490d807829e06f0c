# Makes an empty cluster and serves it; all of it is gone with the container.
set -eu
umask 077
data=/home/postgres/data
printf '%s' "$ADMINISTRATOR_PASSWORD" > /home/postgres/password
initdb --pgdata="$data" --username=postgres --pwfile=/home/postgres/password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync > /dev/null
rm /home/postgres/password
echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off
