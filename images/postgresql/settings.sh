# shellcheck shell=bash
# What the environment says, in Bitnami's names; POSTGRESQL_x stands for POSTGRES_x where only that is set.

fail() {
    echo "error: $*" >&2
    exit 1
}

# setting NAME [DEFAULT]: the value of POSTGRES_NAME, of the file that POSTGRES_NAME_FILE names, or of the POSTGRESQL_ forms.
setting() {
    local prefix variable file
    for prefix in POSTGRES POSTGRESQL; do
        variable="${prefix}_$1"
        file="${variable}_FILE"
        if [[ -n "${!file:-}" ]]; then
            [[ -r "${!file}" ]] || fail "$file names ${!file}, which cannot be read: mount the Secret there"
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

user=$(setting USER postgres)
database=$(setting DATABASE "$(setting DB)")
password=$(setting PASSWORD)
admin_password=$(setting POSTGRES_PASSWORD)
port=$(setting PORT_NUMBER 5432)
volume=$(setting VOLUME_DIR /bitnami/postgresql)
data=${PGDATA:-$volume/data}
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

[[ -z "$(setting REPLICATION_MODE)" ]] || fail "POSTGRES_REPLICATION_MODE is set, but this image runs one server alone"
[[ "$(setting ENABLE_TLS no)" =~ ^(no|false)$ ]] || fail "POSTGRESQL_ENABLE_TLS is set, but this image serves without TLS"
[[ "$(setting ENABLE_LDAP no)" =~ ^(no|false)$ ]] || fail "POSTGRESQL_ENABLE_LDAP is set, but this image knows passwords only"
if [[ "$user" == postgres ]]; then
    [[ -n "$admin_password" ]] || fail "no password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
else
    [[ -n "$password" ]] || fail "no password for $user: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
    [[ -n "$database" ]] || fail "the user $user has no database: set POSTGRES_DATABASE"
fi
for library in ${preload//,/ }; do
    [[ -e "/usr/lib/postgresql/15/lib/$library.so" ]] || fail "this image has no $library to preload: leave it out of POSTGRESQL_SHARED_PRELOAD_LIBRARIES"
done
