# shellcheck shell=bash
# The first start: a cluster, its roles and database, and the user's scripts. All of it happens in a folder beside the data and takes
# its final name when it is complete, so a start that was killed half-way begins anew.

initialize() {
    local work="$data.incomplete" server
    # As PID 1 this shell would not hear a signal without a trap.
    trap 'exit 130' INT
    trap 'exit 143' TERM
    echo "First start: making the database cluster."
    rm -rf "$work"
    mkdir -p -m 0700 "$work"
    # shellcheck disable=SC2086 # several options in one variable is what Bitnami's POSTGRES_INITDB_ARGS means
    initdb --pgdata="$work" --encoding=UTF8 --username=postgres --auth-local=trust --auth-host=reject $initdb_args > /dev/null
    rm -f "$work"/{postgresql.conf,pg_hba.conf,pg_ident.conf}
    echo 'local all all trust' > "$tmp/first_start_hba.conf"
    # By its socket only, so nobody takes the half-made server for a ready one; and no statement in the log, for some hold passwords.
    postgres -D "$work" -c config_file="$conf/postgresql.conf" -c hba_file="$tmp/first_start_hba.conf" -c listen_addresses= \
        -c unix_socket_directories="$tmp" -c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic \
        -c pgaudit.log=none &
    server=$!
    export PGHOST=$tmp PGPORT=$port PGUSER=postgres PGDATABASE=postgres
    until pg_isready --quiet; do
        kill -0 "$server" 2> /dev/null || fail "the server of the first start did not come up: its own message is above"
        sleep 0.1
    done
    make_roles
    run_scripts
    kill -INT "$server"
    wait "$server" || fail "the server of the first start did not end well: its own message is above"
    unset PGHOST PGPORT PGUSER PGDATABASE
    # Bitnami's image would run the scripts again on a volume without it.
    touch "$volume/.user_scripts_initialized"
    # initdb and the server have written their files to the disk; what is missing is the name.
    mv -T "$work" "$data"
    sync "${data%/*}"
    echo "First start: done."
    trap - INT TERM
}

sql() {
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1
}

# Passwords reach psql by its environment, never by an argument that ps would show, and the server as a quoted literal.
make_roles() {
    if [[ -n "$admin_password" ]]; then
        SECRET=$admin_password sql <<'SQL'
\getenv secret SECRET
ALTER ROLE postgres PASSWORD :'secret';
SQL
    fi
    if [[ "$user" != postgres ]]; then
        SECRET=$password NAME=$user sql <<'SQL'
\getenv secret SECRET
\getenv name NAME
CREATE ROLE :"name" LOGIN CREATEDB PASSWORD :'secret';
SQL
    fi
    if [[ -n "$database" && "$database" != postgres ]]; then
        NAME=$user DATABASE=$database sql <<'SQL'
\getenv name NAME
\getenv database DATABASE
CREATE DATABASE :"database" OWNER :"name";
SQL
        PGDATABASE=$database NAME=$user sql <<'SQL'
\getenv name NAME
ALTER SCHEMA public OWNER TO :"name";
SQL
    fi
}

# As the custom user, in its database, as Bitnami has it: what the scripts make belongs to who works with it.
run_scripts() {
    local script
    export PGUSER=$init_user PGDATABASE=${database:-postgres}
    for script in /docker-entrypoint-initdb.d/* /docker-entrypoint-initdb.d/secret/*; do
        [[ -f "$script" ]] || continue
        echo "First start: running ${script#/docker-entrypoint-initdb.d/} as $init_user."
        case $script in
            *.sh) bash "$script" ;;
            *.sql) sql < "$script" ;;
            *.sql.gz) gunzip --stdout "$script" | sql ;;
            *) echo "First start: it is neither .sh, .sql nor .sql.gz, so it is left out." ;;
        esac || fail "the script ${script##*/} of the first start failed: correct it and start again, nothing was kept"
    done
}
