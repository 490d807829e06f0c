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
conf=/opt/bitnami/postgresql/conf
tmp=/opt/bitnami/postgresql/tmp

# One password means the superuser's, as Bitnami has it.
if [[ "$user" == postgres ]]; then
    admin_password=${password:-$admin_password}
    password=
fi

elsewhere="use Bitnami's image and chart, or an external database"
[[ -z "$(setting REPLICATION_MODE)$(setting MASTER_HOST)" ]] ||
    fail "POSTGRES_REPLICATION_MODE or POSTGRES_MASTER_HOST is set, but this image runs one server alone: $elsewhere"
is_off "$(setting ENABLE_TLS)" || fail "POSTGRESQL_ENABLE_TLS is set, but this image serves without TLS: $elsewhere"
is_off "$(setting ENABLE_LDAP)" || fail "POSTGRESQL_ENABLE_LDAP is set, but this image knows passwords only: $elsewhere"
[[ -z "$(setting INITDB_WALDIR)" ]] || fail "POSTGRES_INITDB_WALDIR is set, but this image keeps the log of writes beside the data: $elsewhere"
id -un > /dev/null 2>&1 || fail "uid $(id -u) has no name in this image: run it as uid 1001"
if [[ "$user" == postgres ]]; then
    [[ -n "$admin_password" ]] || fail "there is no password for postgres: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
else
    [[ -n "$password" ]] || fail "there is no password for $user: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
    [[ -n "$database" ]] || fail "the user $user has no database: set POSTGRES_DATABASE"
fi
[[ "$port" =~ ^[0-9]{1,5}$ ]] || fail "POSTGRESQL_PORT_NUMBER is $port: it must be a number from 1 to 65535"
[[ "$preload" =~ ^[A-Za-z0-9_$,\ -]*$ ]] || fail "POSTGRESQL_SHARED_PRELOAD_LIBRARIES is $preload: it must be names with commas between them"
for library in ${preload//,/ }; do
    [[ -e "/usr/lib/postgresql/15/lib/$library.so" ]] ||
        fail "this image has no library $library: leave it out of POSTGRESQL_SHARED_PRELOAD_LIBRARIES"
done
