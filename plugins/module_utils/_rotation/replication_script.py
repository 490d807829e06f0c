"""Asks and changes a PostgreSQL from within its own pod, for replication: a program for bash, started by exec.

It reads one line: an action, the SHA-256 of the Secret's password, and the bridge's password, `-` for one of them that
does not matter now.
Actions of a primary are `look`, `bridge`, `set` and `close`, of a replica `look`, `lend`, `return` and `close`. The
replication user's password does not travel: what is told to a server is what the pod has mounted, and only where that
is what the Secret has. psql hashes it before the server sees it (its \\password), so no log of statements has it.

What has to outlive a restart stands in ALTER SYSTEM's file, beside the data: the primary's rules of access with a line
for the bridge, and the replica's primary_conninfo. The image's own configuration is written anew at each start.

It answers with one line of JSON: `ready`, `mounted`, `bridged`, `current`, `via` and `left` as in
`replication_steps.Server`, and `unfit`, why a rotation could not work here, an id of UNFIT, else empty.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

_HAND: t.Final = "change the password by hand (docs/runbook.md#rotation-replication)"
# What stands in the way, and what to do, as the end of a sentence.
UNFIT: t.Final = {
    "image": f"runs another image than the embedded one: {_HAND}",
    "alone": "has no read replicas (postgresql.architecture), so nobody uses ai_agent_replication_password: put back"
    " the old one",
    "login": "does not let postgres in with a mounted password: set postgresql.auth.enablePostgresUser: true, or mend"
    " the password",
    "name": f"has a replication user whose name is longer than 54 bytes, so none can be made from it: {_HAND}",
    "taken": "has a role that no rotation made, whose name is the replication user's with _rotation: rename it",
    "hba": "has a pg_hba.conf of its own, without the replication user's name with _rotation for replication: add that",
    "conninfo": f"follows by a primary_conninfo of its own, which a rotation would undo: {_HAND}",
}

PROGRAM: t.Final = r"""
set -uf
umask 077
read -r action first bridge
place=/opt/ai-platform
say() {
    printf '{"ready": %s, "mounted": %s, "bridged": %s, ' "${ready:-false}" "${mounted:-false}" "${bridged:-false}"
    printf '"current": %s, "via": "%s", "left": %s, ' "${current:-false}" "${via:-}" "${left:-false}"
    printf '"unfit": "%s"}\n' "${1:-}"
    exit
}
[ -r "$place/replicate.sh" ] || say image
. "$place/settings.sh"
. "$place/replicate.sh"
[ -n "$replication_mode" ] || say alone
[ "${#replication_user}" -le 54 ] || say name
role=${replication_user}_rotation
comment="Replicas follow by it while the password of $replication_user is rotated (ai_platform.agent)"
auto=$data/postgresql.auto.conf
rules=$data/rotation_hba.conf
rule="host replication \"$role\" all scram-sha-256"
lent=$volume/.rotation.pass
quiet="-c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic -c pgaudit.log=none"
# A replica that does not follow would have each commit wait for it.
quiet="$quiet -c synchronous_commit=local -c statement_timeout=15s -c lock_timeout=5s"

alone=
said() {
    PGPASSWORD=$admin_password PGCONNECT_TIMEOUT=10 PGOPTIONS=$quiet timeout 30 $alone \
        psql --host=127.0.0.1 --port="$port" --username=postgres --dbname=postgres \
        --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"
}
sql() { said "$@" 2> /dev/null; }
hash_of() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
# enters USER PASSWORD: whether the server lets it in, as a replica comes.
enters() {
    PGPASSWORD=$2 PGCONNECT_TIMEOUT=10 timeout 30 psql --no-psqlrc --quiet --command=IDENTIFY_SYSTEM \
        "host=127.0.0.1 port=$port user=$1 replication=true" > /dev/null 2>&1 < /dev/null
}
# Without a terminal, psql reads what it would ask a person from its stdin.
give_password() { printf '%s\n%s\n' "$2" "$2" | alone="setsid --wait" sql --command="\\password \"$1\"" > /dev/null; }
reload() { sql --command='SELECT pg_reload_conf()' > /dev/null; }
pass_line() {
    local escaped=${2//\\/\\\\}
    printf '*:*:*:%s:%s\n' "$1" "${escaped//:/\\:}"
}
# put FILE: what comes on stdin, whole or not at all.
put() { cat > "$1.new" && mv "$1.new" "$1"; }
has() { [ -r "$1" ] && [ "$(cat "$1")" = "$2" ]; }

mounted=false
[ "$first" = - ] || [ "$(hash_of "$replication_password")" != "$first" ] || mounted=true
ready=false
# asked QUERY: what the server answers to a query that always has an answer; whether it does is remembered.
asked() {
    ready=true answer=
    [ -z "$admin_password" ] || answer=$(sql --command="$1")
    [ -z "$answer" ] || return 0
    ready=false
    # What is busy, or ends just now, is no wrong password.
    pg_isready --quiet --host=127.0.0.1 --port="$port" || return 0
    [ -n "$admin_password" ] || say login
    case $(said --command='SELECT 1' 2>&1) in *'authentication failed'* | *pg_hba.conf*) say login ;; esac
}

# The rules of access are the image's, or a copy of them that a rotation made.
own_rules() { [ "$used" = "$conf/pg_hba.conf" ] || [ "$used" = "$rules" ]; }
with_rule() { { grep -vxF "$rule" "$1"; printf '%s\n' "$rule"; } | put "$2"; }
without_rule() { if grep -qxF "$rule" "$1"; then grep -vxF "$rule" "$1" | put "$1"; fi; }
# A server that was started with this file goes on with it until its next start.
drop_rules() { if [ "$used" = "$rules" ]; then without_rule "$rules"; else rm -f "$rules"; fi; }

look_primary() {
    bridged=false current=false left=false used= told=
    local oid="(SELECT oid FROM pg_roles WHERE rolname = '$role')"
    # A role without a comment is not ours either.
    asked "SELECT current_setting('hba_file') || chr(10) || CASE WHEN $oid IS NULL THEN 'none'
        ELSE coalesce(shobj_description($oid, 'pg_authid'), 'of others') END"
    [ "$ready" = true ] || return 0
    { read -r used && read -r told; } <<< "$answer"
    case $told in
        none) if grep -qF "$rules" "$auto" || { own_rules && grep -qsxF "$rule" "$used"; }; then left=true; fi ;;
        "$comment") left=true ;;
        *) say taken ;;
    esac
    if [ "$told" = "$comment" ] && [ "$bridge" != - ] && enters "$role" "$bridge"; then
        if ! own_rules || { grep -qF "$rules" "$auto" && grep -qsxF "$rule" "$rules"; }; then bridged=true; fi
    fi
    if [ "$mounted" = true ] && enters "$replication_user" "$replication_password"; then current=true; fi
}

change_primary() {
    [ "$ready" = true ] || return 0
    case $action in
        bridge)
            # The comment comes with the role in one transaction, for by it the next run knows whose the role is.
            [ "$told" != none ] || sql --single-transaction --command="CREATE ROLE \"$role\" LOGIN REPLICATION" \
                --command="COMMENT ON ROLE \"$role\" IS '$comment'"
            give_password "$role" "$bridge"
            if own_rules; then
                with_rule "$used" "$rules"
                sql --command="ALTER SYSTEM SET hba_file = '$rules'"
                [ "$used" = "$rules" ] || with_rule "$used" "$used"
            fi
            reload
            local tries=0
            until enters "$role" "$bridge" || [ $((tries += 1)) -gt 25 ]; do sleep 0.2; done
            own_rules || enters "$role" "$bridge" || say hba
            ;;
        set) [ "$mounted" != true ] || give_password "$replication_user" "$replication_password" ;;
        close)
            sql --command="DROP ROLE IF EXISTS \"$role\""
            sql --command='ALTER SYSTEM RESET hba_file'
            drop_rules
            without_rule "$conf/pg_hba.conf"
            reload
            ;;
    esac
}

own_conninfo=
bridge_conninfo=
[ "$replication_mode" != slave ] || {
    own_conninfo=$(primary_conninfo)
    bridge_conninfo=$(replication_user=$role primary_conninfo)
    bridge_conninfo=${bridge_conninfo/"$conf/replication.pass"/"$lent"}
}

look_replica() {
    bridged=false current=false left=false used= via=
    ! has "$conf/replication.pass" "$(pass_line "$replication_user" "$replication_password")" || current=true
    # A copy that was made meanwhile has the primary's rules of access, and where they stand.
    if [ -e "$lent" ] || grep -qsxF "$rule" "$rules"; then left=true; fi
    ! grep -qsE '^(primary_conninfo|hba_file) ' "$auto" || left=true
    local tries=0 effective wanted=$own_conninfo streams="FROM pg_stat_wal_receiver WHERE status = 'streaming'"
    if grep -qsxF "primary_conninfo = '$bridge_conninfo'" "$auto"; then
        bridged=true wanted=$bridge_conninfo
        [ "$bridge" = - ] || has "$lent" "$(pass_line "$role" "$bridge")" || bridged=false
    fi
    while true; do
        asked "SELECT current_setting('primary_conninfo') || chr(10) || current_setting('hba_file') || chr(10)
            || coalesce((SELECT substring(conninfo from 'user=(\\S+)') $streams), 'nobody')"
        [ "$ready" = true ] || return 0
        { read -r effective && read -r used && read -r via; } <<< "$answer"
        [ "$effective" != "$wanted" ] || break
        case $effective in "$own_conninfo" | "$bridge_conninfo") ;; *) say conninfo ;; esac
        # Whoever wrote the file was killed before the server read it, or it reads it just now.
        [ $((tries += 1)) -le 25 ] || break
        [ "$tries" -gt 1 ] || reload
        sleep 0.2
    done
    case $via in
        "$replication_user") via=own ;;
        "$role") via=bridge ;;
        *) via= ;;
    esac
}

change_replica() {
    case $action in
        lend)
            [ "$ready" = true ] || return 0
            pass_line "$role" "$bridge" | put "$lent"
            sql --command="ALTER SYSTEM SET primary_conninfo = '$bridge_conninfo'"
            ;;
        return)
            [ "$mounted" = true ] || return 0
            pass_line "$replication_user" "$replication_password" | put "$conf/replication.pass"
            [ "$ready" = true ] || return 0
            sql --command='ALTER SYSTEM RESET primary_conninfo'
            ;;
        close)
            [ "$ready" = true ] || return 0
            sql --command='ALTER SYSTEM RESET hba_file'
            drop_rules
            rm -f "$lent" "$lent.new"
            ;;
    esac
    reload
}

kind=primary
[ "$replication_mode" != slave ] || kind=replica
"look_$kind"
if [ "$action" != look ]; then
    "change_$kind"
    "look_$kind"
fi
say
"""

__all__ = ("PROGRAM", "UNFIT")
