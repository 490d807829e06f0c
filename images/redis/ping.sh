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
answer=$(timeout 3 redis-cli -h 127.0.0.1 -p "$port" ping 2>&1) || true
case "$answer" in
    PONG) exit 0 ;;
    # The Secret was changed and the server not yet: who has the old password is served, a restart would lock them out.
    *WRONGPASS* | *NOAUTH*) exit 0 ;;
    # A restart would only make it load from the beginning, end the sessions of those who have one, or drop what no disk takes.
    *LOADING* | *BUSY* | *MISCONF* | *"max number of clients"*) [[ "${1:-alive}" == alive ]] && exit 0 ;;
esac
echo "${answer:-no answer within 3 s}" >&2
exit 1
