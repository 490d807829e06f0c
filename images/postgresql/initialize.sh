# shellcheck shell=bash
# The first start: a cluster, its roles and database, and the user's scripts. All of it happens in a folder beside the data and takes
# its final name when it is complete, so a start that was killed half-way begins anew.

initialize() {
    local work="$data.incomplete" server
    echo "First start: making the database cluster."
    rm -rf "$work"
    mkdir -p -m 0700 "$work"
    # shellcheck disable=SC2086 # several options in one variable is what Bitnami's POSTGRES_INITDB_ARGS means
    initdb --pgdata="$work" --encoding=UTF8 --username=postgres --auth-local=trust --auth-host=reject $initdb_args >/dev/null
    rm -f "$work"/{postgresql.conf,pg_hba.conf,pg_ident.conf}
    printf 'local all all trust\n' > "$tmp/init_hba.conf"
    # Reached by its socket only: nobody takes the half-made server for a ready one.
    postgres -D "$work" -p "$port" -c config_file=/dev/null -c hba_file="$tmp/init_hba.conf" -c ident_file=/dev/null \
        -c listen_addresses= -c unix_socket_directories="$tmp" -c log_min_messages=warning &
    server=$!
    until pg_isready --quiet --username=postgres --host="$tmp" --port="$port"; do
        kill -0 "$server" 2>/dev/null || fail "the server for the first start did not come up: its message is above"
        sleep 0.1
    done
    make_roles
    run_scripts
    kill -INT "$server"
    wait "$server" || fail "the server for the first start did not end well: its message is above"
    sync
    mv -T "$work" "$data"
    echo "First start: done."
}

superuser_sql() {
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host="$tmp" --port="$port" --username=postgres --dbname="${1:-postgres}"
}

# Passwords reach psql by its environment, never by an argument that ps would show, and the server as a quoted literal.
make_roles() {
    if [[ -n "$admin_password" ]]; then
        SECRET=$admin_password superuser_sql <<'SQL'
\getenv secret SECRET
ALTER ROLE postgres PASSWORD :'secret';
SQL
    fi
    if [[ "$user" != postgres ]]; then
        SECRET=$password NAME=$user superuser_sql <<'SQL'
\getenv secret SECRET
\getenv name NAME
CREATE ROLE :"name" LOGIN CREATEDB PASSWORD :'secret';
SQL
    fi
    if [[ -n "$database" && "$database" != postgres ]]; then
        NAME=$user DATABASE=$database superuser_sql <<'SQL'
\getenv name NAME
\getenv database DATABASE
CREATE DATABASE :"database" OWNER :"name";
\connect :"database"
ALTER SCHEMA public OWNER TO :"name";
SQL
    fi
}

run_scripts() {
    local script
    for script in /docker-entrypoint-initdb.d/*; do
        [[ -f "$script" ]] || continue
        echo "First start: running $(basename "$script") as $init_user."
        case $script in
            *.sh) PGHOST=$tmp PGPORT=$port PGUSER=$init_user PGDATABASE=${database:-postgres} bash -eu "$script" ;;
            *.sql) user_sql < "$script" ;;
            *.sql.gz) gunzip --stdout "$script" | user_sql ;;
            *) echo "First start: $(basename "$script") is neither .sh, .sql nor .sql.gz: left out." ;;
        esac
    done
}

user_sql() {
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host="$tmp" --port="$port" --username="$init_user" --dbname="${database:-postgres}"
}
