# shellcheck shell=bash
# What the environment says, in Bitnami's names; POSTGRESQL_x stands for POSTGRES_x where only that is set.

fail() {
    echo "error: $*." >&2
    exit 1
}

# setting NAME [DEFAULT]: the value of POSTGRES_NAME, of the file that POSTGRES_NAME_FILE names, or of the POSTGRESQL_ forms.
setting() {
    local prefix variable file
    for prefix in POSTGRES POSTGRESQL; do
        variable="${prefix}_$1"
        file="${variable}_FILE"
        if [[ -n "${!file:-}" ]]; then
            [[ -f "${!file}" && -r "${!file}" ]] || fail "$file names ${!file}, which cannot be read: mount the Secret there"
            cat "${!file}"
            return
        fi
        if [[ -n "${!variable:-}" ]]; then
            printf '%s' "${!variable}"
            return
        fi
    done
    printf '%s' "${2:-}"
}

is_off() {
    [[ "${1,,}" =~ ^(no|false|off|0)?$ ]]
}

user=$(setting USER "$(setting USERNAME postgres)")
database=$(setting DATABASE "$(setting DB)")
password=$(setting PASSWORD)
admin_password=$(setting POSTGRES_PASSWORD)
port=$(setting PORT_NUMBER 5432)
volume=$(setting VOLUME_DIR /bitnami/postgresql)
data=${PGDATA:-$(setting DATA_DIR "$volume/data")}
preload=$(setting SHARED_PRELOAD_LIBRARIES)
initdb_args=$(setting INITDB_ARGS)
init_user=$(setting INITSCRIPTS_USERNAME "$user")
# Empty: one server alone. master and slave are Bitnami's words for the primary and a read replica.
replication_mode=$(setting REPLICATION_MODE)
replication_user=$(setting REPLICATION_USER repl_user)
replication_password=$(setting REPLICATION_PASSWORD)
primary_host=$(setting MASTER_HOST)
primary_port=$(setting MASTER_PORT_NUMBER 5432)
cluster_app_name=$(setting CLUSTER_APP_NAME walreceiver)
synchronous_commit=$(setting SYNCHRONOUS_COMMIT_MODE on)
synchronous_replicas=$(setting NUM_SYNCHRONOUS_REPLICAS 0)
conf=/opt/bitnami/postgresql/conf
tmp=/opt/bitnami/postgresql/tmp

# One password means the superuser's, as Bitnami has it.
if [[ "$user" == postgres ]]; then
    admin_password=${password:-$admin_password}
    password=
fi

elsewhere="use Bitnami's image and chart, or an external database"
case $replication_mode in
    '' | master)
        [[ -z "$primary_host" ]] || fail "POSTGRES_MASTER_HOST is set, but this is no replica: set POSTGRES_REPLICATION_MODE to slave"
        ;;
    slave)
        [[ -n "$primary_host" ]] || fail "POSTGRES_REPLICATION_MODE is slave, but POSTGRES_MASTER_HOST is empty: name the primary"
        [[ "$primary_host" =~ ^[A-Za-z0-9._:-]+$ ]] || fail "POSTGRES_MASTER_HOST is $primary_host: it must be a host name or an address"
        [[ "$primary_port" =~ ^[0-9]{1,5}$ ]] ||
            fail "POSTGRES_MASTER_PORT_NUMBER is $primary_port: it must be a number from 1 to 65535"
        ;;
    *) fail "POSTGRES_REPLICATION_MODE is $replication_mode: it must be master or slave" ;;
esac
if [[ -n "$replication_mode" ]]; then
    [[ -n "$replication_password" ]] ||
        fail "there is no password for $replication_user: set POSTGRES_REPLICATION_PASSWORD or POSTGRES_REPLICATION_PASSWORD_FILE"
    [[ "$replication_password" != *$'\n'* ]] || fail "the password for $replication_user has a line break, which no password file can hold"
    [[ "$replication_user" =~ ^[A-Za-z_][A-Za-z0-9_-]*$ ]] ||
        fail "POSTGRES_REPLICATION_USER is $replication_user: it must be letters, digits, _ and -"
    [[ "$replication_user" != "$user" && "$replication_user" != postgres ]] ||
        fail "POSTGRES_REPLICATION_USER is $replication_user, who has another password: choose a name of its own"
    [[ "$cluster_app_name" =~ ^[A-Za-z0-9_-]+$ ]] || fail "POSTGRES_CLUSTER_APP_NAME is $cluster_app_name: it must be letters, digits, _ and -"
    [[ "$synchronous_replicas" =~ ^[0-9]{1,2}$ ]] ||
        fail "POSTGRES_NUM_SYNCHRONOUS_REPLICAS is $synchronous_replicas: it must be a number from 0 to 99"
fi
is_off "$(setting ENABLE_TLS)" || fail "POSTGRESQL_ENABLE_TLS is set, but this image serves without TLS: $elsewhere"
is_off "$(setting ENABLE_LDAP)" || fail "POSTGRESQL_ENABLE_LDAP is set, but this image knows passwords only: $elsewhere"
[[ -z "$(setting INITDB_WALDIR)" ]] || fail "POSTGRES_INITDB_WALDIR is set, but this image keeps the log of writes beside the data: $elsewhere"
id -un > /dev/null 2>&1 || fail "uid $(id -u) has no name in this image: run it as uid 1001"
if [[ "$user" == postgres ]]; then
    [[ -n "$admin_password" ]] || fail "there is no password for postgres: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
else
    [[ -n "$password" ]] || fail "there is no password for $user: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
    # A replica gets its databases from the primary.
    [[ -n "$database" || "$replication_mode" == slave ]] || fail "the user $user has no database: set POSTGRES_DATABASE"
fi
[[ "$port" =~ ^[0-9]{1,5}$ ]] || fail "POSTGRESQL_PORT_NUMBER is $port: it must be a number from 1 to 65535"
[[ "$preload" =~ ^[A-Za-z0-9_$,\ -]*$ ]] || fail "POSTGRESQL_SHARED_PRELOAD_LIBRARIES is $preload: it must be names with commas between them"
for library in ${preload//,/ }; do
    [[ -e "/usr/lib/postgresql/15/lib/$library.so" ]] ||
        fail "this image has no library $library: leave it out of POSTGRESQL_SHARED_PRELOAD_LIBRARIES"
done
