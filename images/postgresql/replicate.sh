# shellcheck shell=bash
# A read replica: its first start copies the primary's data, every start follows the primary's log of writes.

# The password for the primary, in a file that only this user reads: an argument or a setting would be open to more.
write_replication_password() {
    local escaped=${replication_password//\\/\\\\}
    (
        umask 077
        printf '*:*:*:%s:%s\n' "$replication_user" "${escaped//:/\\:}" > "$conf/replication.pass"
    )
}

# How the replica reaches the primary, as libpq reads it. settings.sh lets no quote or blank into its parts.
primary_conninfo() {
    printf 'host=%s port=%s user=%s application_name=%s passfile=%s' \
        "$primary_host" "$primary_port" "$replication_user" "$cluster_app_name" "$conf/replication.pass"
}

copy_once() {
    PGPASSFILE="$conf/replication.pass" pg_basebackup --pgdata="$1" --host="$primary_host" --port="$primary_port" \
        --username="$replication_user" --no-password --wal-method=stream --checkpoint=fast &
    wait $!
}

# The first start. The copy takes its final name when it is complete, so a start that was killed half-way begins anew.
copy_primary() {
    local work="$data.incomplete" tries=0
    # As PID 1 this shell would not hear a signal without a trap, and it hears one only while it waits for a command in the background.
    trap 'kill $! 2> /dev/null; exit 130' INT
    trap 'kill $! 2> /dev/null; exit 143' TERM
    echo "First start: copying the data of $primary_host."
    until pg_isready --quiet --host="$primary_host" --port="$primary_port" && rm -rf "$work" && copy_once "$work"; do
        # Once in a while: a primary that comes up at the same time needs half a minute.
        ((tries++ % 15)) || echo "First start: $primary_host gives no copy yet, trying again."
        sleep 2 &
        wait $!
    done
    rm -f "$work"/{postgresql.conf,pg_hba.conf,pg_ident.conf,recovery.signal}
    touch "$work/standby.signal"
    chmod 0700 "$work"
    mv -T "$work" "$data"
    sync "${data%/*}"
    echo "First start: done."
    trap - INT TERM
}
