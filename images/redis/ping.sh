#!/bin/bash
# Succeeds when Redis answers. `ping.sh ready` also asks that it is not loading its data.
set -euo pipefail
# By the environment: an argument would be open to everybody on the node.
export REDISCLI_AUTH=${REDIS_PASSWORD:-}
if [[ -n "${REDIS_PASSWORD_FILE:-}" ]]; then
    REDISCLI_AUTH=$(< "$REDIS_PASSWORD_FILE")
fi
[[ -n "$REDISCLI_AUTH" ]] || unset REDISCLI_AUTH
answer=$(timeout -s 15 3 redis-cli -h 127.0.0.1 -p "${REDIS_PORT:-6379}" ping 2>&1) || true
[[ "$answer" == PONG ]] && exit 0
# A server that is still loading is alive, and must not be restarted for it.
[[ "${1:-alive}" == alive && "$answer" == LOADING* ]] && exit 0
echo "$answer" >&2
exit 1
