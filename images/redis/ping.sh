#!/bin/bash
# Succeeds when Redis answers, be it with an error: `ping.sh alive`. `ping.sh ready` also asks that it can serve.
set -euo pipefail
# By the environment: an argument would be open to everybody on the node.
password=${REDIS_PASSWORD:-}
if [[ -n "${REDIS_PASSWORD_FILE:-}" ]]; then
    password=$(< "$REDIS_PASSWORD_FILE")
fi
[[ -z "$password" ]] || export REDISCLI_AUTH=$password
port=${REDIS_PORT:-${REDIS_PORT_NUMBER:-6379}}
ask() {
    timeout 3 redis-cli -h 127.0.0.1 -p "$port" "$@" 2>&1 || true
}
answer=$(ask ping)
case "$answer" in
    PONG)
        # A replica that has lost its master, or never found it, has old data or none. A restart would not help.
        [[ "${1:-alive}" == ready && "${REDIS_REPLICATION_MODE:-master}" != master ]] || exit 0
        state=$(ask info replication)
        [[ "$state" != *master_link_status:up* ]] || exit 0
        answer="the master is not reached"
        ;;
    # The Secret was changed and the server not yet: who has the old password is served, a restart would lock them out.
    *WRONGPASS* | *NOAUTH*) exit 0 ;;
    # A restart would only make it load from the beginning, end the sessions of those who have one, or drop what no disk takes.
    *LOADING* | *BUSY* | *MISCONF* | *"max number of clients"*) [[ "${1:-alive}" == alive ]] && exit 0 ;;
esac
echo "${answer:-no answer within 3 s}" >&2
exit 1
