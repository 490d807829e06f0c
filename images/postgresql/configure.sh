# shellcheck shell=bash
# The configuration, written anew at each start and outside the data: what an image or a values file says holds for old data too.

# line NAME VALUE: one setting of postgresql.conf, quoted.
line() {
    printf "%s = '%s'\n" "$1" "${2//\'/\'\'}"
}

write_configuration() {
    local mounted=/bitnami/postgresql/conf hba="$conf/pg_hba.conf"
    # Local connections need the password as well: who gets into the container is not therefore the superuser.
    printf '%s\n' 'local all all scram-sha-256' 'host all all all scram-sha-256' > "$hba"
    # In pg_hba.conf, "all" does not match replication connections.
    [[ -z "$replication_mode" ]] || printf 'host replication "%s" all scram-sha-256\n' "$replication_user" >> "$hba"
    [[ ! -e "$mounted/pg_hba.conf" ]] || hba="$mounted/pg_hba.conf"
    {
        line listen_addresses '*'
        line port "$port"
        line unix_socket_directories "$tmp"
        line password_encryption scram-sha-256
        line shared_preload_libraries "$preload"
        if [[ ",${preload// /}," == *,pgaudit,* ]]; then
            line pgaudit.log "$(setting PGAUDIT_LOG none)"
            line pgaudit.log_catalog "$(setting PGAUDIT_LOG_CATALOG off)"
        fi
        line timezone UTC
        line log_timezone "$(setting LOG_TIMEZONE UTC)"
        line log_line_prefix "$(setting LOG_LINE_PREFIX '%m [%p] ')"
        line log_hostname "$(setting LOG_HOSTNAME off)"
        line log_connections "$(setting LOG_CONNECTIONS off)"
        line log_disconnections "$(setting LOG_DISCONNECTIONS off)"
        line client_min_messages "$(setting CLIENT_MIN_MESSAGES notice)"
        [[ -z "$replication_mode" ]] || write_replication
        # Mounted settings override all above. hba_file and ident_file come last, so that the server finds its rules.
        [[ ! -e "$mounted/postgresql.conf" ]] || printf "include '%s'\n" "$mounted/postgresql.conf"
        [[ ! -d "$mounted/conf.d" ]] || printf "include_dir '%s'\n" "$mounted/conf.d"
        line hba_file "$hba"
        line ident_file /dev/null
    } > "$conf/postgresql.conf"
}

# The same lines for both kinds of server where they may be: a replica refuses to start with less than its primary has.
write_replication() {
    line wal_level replica
    line max_wal_senders 16
    # A replica that was away for more than this must be made anew: there are no slots, which would fill the primary's disk instead.
    line wal_keep_size 128MB
    line hot_standby on
    if [[ "$replication_mode" == slave ]]; then
        line primary_conninfo "$(primary_conninfo)"
        return
    fi
    line synchronous_commit "$synchronous_commit"
    if ((synchronous_replicas > 0)); then
        line synchronous_standby_names "$synchronous_replicas (\"$cluster_app_name\")"
    fi
}
