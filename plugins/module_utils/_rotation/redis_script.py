"""Asks and changes a Redis from within its own pod: a program for bash, started by exec.

It reads one line: `look`, `open`, `follow` or `close`, and the SHA-256 of the Secret's two passwords, the second `-`
where there is none. No password travels to it. What it writes into the server is what the pod has mounted, and only
where that is what the Secret has now; redis-cli reads it from its stdin, and no list of processes shows it.

It answers with one line of JSON:
    mounted  true: the files in the pod hold the two passwords
    second   true: the server takes the second one; others: one that is neither; follows: its master's password is the
             first one, or it has none
    unfit    why a rotation could not work here, an id of UNFIT, else empty
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

# What stands in the way, and what to do, as the end of a sentence.
UNFIT: t.Final = {
    "image": "takes no second password at its start, for image or chart are of before: deploy this version's",
    "login": "takes no password of the Secret: make it take the first one (docs/runbook.md#password-differs, step 1)",
    "busy": "does not answer, or still loads its data: wait for it",
    "commands": "takes no ACL or CONFIG commands (disableCommands, rename-command): allow them, and deploy",
    "rules": "has rules of its own for the user default, which a rotation would undo: change the password by hand",
    "aclfile": "keeps its users in a file (aclfile): change the password there by hand",
}

PROGRAM: t.Final = r"""
set -uf
read -r action first second
hash_of() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
content() { if [ -n "$1" ] && [ -r "$1" ]; then cat "$1"; fi; }
# Every byte by its number, so no quote, backslash or line break means anything to redis-cli.
quoted() { printf '"%s"' "$(printf %s "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /\\x/g')"; }
port=${REDIS_PORT:-${REDIS_PORT_NUMBER:-6379}}
login=
ask() { printf '%s\n' "$1" | REDISCLI_AUTH=$login timeout 10 redis-cli -h 127.0.0.1 -p "$port" 2> /dev/null; }

one=$(content "${REDIS_PASSWORD_FILE:-}")
two=$(content "${REDIS_PASSWORD_FILE:-}-second")
mounted=true
[ "$(hash_of "$one")" = "$first" ] || mounted=false
if [ -n "$two" ]; then [ "$(hash_of "$two")" = "$second" ] || mounted=false; else [ "$second" = - ] || mounted=false; fi

say() {
    printf '{"mounted": %s, "second": %s, "others": %s, "follows": %s, "unfit": "%s"}\n' \
        "$mounted" "${has_second:-false}" "${has_others:-false}" "${follows:-true}" "${1:-}"
    exit
}

[ -n "${REDIS_PASSWORD_FILE:-}" ] || say image
grep -qs REDIS_PASSWORD_FILE-second /opt/ai-platform/entrypoint.sh || say image
answer=
for login in "$one" "$two"; do
    [ -n "$login" ] || continue
    answer=$(ask PING)
    [ "$answer" != PONG ] || break
done
case $answer in
    PONG) ;;
    *NOAUTH* | *WRONGPASS*) say login ;;
    *) say busy ;;
esac

change() {
    [ "$mounted" = true ] || return 0
    case $action in
        open) [ "$second" = - ] || ask "ACL SETUSER default #$second" > /dev/null ;;
        follow) ask "CONFIG SET masterauth $(quoted "$one")" > /dev/null ;;
        # CONFIG SET alone takes nothing away where the server began with this password: Redis sees no change then.
        close)
            ask "ACL SETUSER default resetpass #$first" > /dev/null
            login=$one
            ask "CONFIG SET requirepass $(quoted "$one")" > /dev/null
            ;;
    esac
}

# The rules of the user are read as they are after a change; no hash of a password leaves the pod.
look() {
    has_second=false has_others=false has_first=false rules=true follows=true
    local line word told
    line=$(ask "ACL LIST" | grep '^user default ') || say commands
    for word in ${line#user default }; do
        case $word in
            on | sanitize-payload | '~*' | '&*' | +@all) ;;
            "#$first") has_first=true ;;
            "#$second") has_second=true ;;
            "#"*) has_others=true ;;
            *) rules=false ;;
        esac
    done
    told=$(ask "CONFIG GET aclfile")
    [ "${told%%$'\n'*}" = aclfile ] || say commands
    [ "$told" = aclfile ] || say aclfile
    [ "$rules" = true ] || say rules
    told=$(ask "CONFIG GET masterauth")
    [ "$told" = masterauth ] || [ "${told#*$'\n'}" = "$one" ] || follows=false
}

look
if [ "$action" = follow ] && [ "$follows" = true ]; then action=look; fi
if [ "$action" != look ]; then
    change
    look
fi
say
"""

__all__ = ("PROGRAM", "UNFIT")
