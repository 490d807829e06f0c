"""Whether a living PostgreSQL takes the passwords that are expected: the server is asked, from within its own pod."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import secrets
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import Server

ANSWER_SECONDS = 20.0
# Reads how many questions come, then a line each: user, password and one that is surely wrong, in base64. It says "yes"
# where the server takes the first and not the second: one that takes any (trust in pg_hba.conf) proves nothing.
# psql gets passwords by its environment, never by an argument that ps would show.
PROGRAM = r"""
plain() { printf %s "$1" | base64 -d; }
enters() {
    PGUSER=$(plain "$1") PGPASSWORD=$(plain "$2") PGHOST=127.0.0.1 PGPORT=${POSTGRESQL_PORT_NUMBER:-5432} \
        PGDATABASE=postgres PGCONNECT_TIMEOUT=5 psql -X -w -c 'SELECT 1' > /dev/null 2>&1 < /dev/null
}
read -r number
while [ "$number" -gt 0 ] && read -r user right wrong; do
    number=$((number - 1))
    if enters "$user" "$right" && ! enters "$user" "$wrong"; then echo yes; else echo no; fi
done
"""


def question(users: Mapping[str, str], passwords: Mapping[str, str]) -> list[str]:
    """The lines that PROGRAM reads.

    :param users: by the keys of their passwords, which are asked about in this order
    """
    told = ((user, passwords[key], secrets.token_hex(16)) for key, user in users.items())
    lines = (" ".join(base64.b64encode(word.encode()).decode() for word in words) for words in told)
    return [str(len(users)), *lines]


def proven(
    cluster: Cluster, server: Server, namespace: str, users: Mapping[str, str], passwords: Mapping[str, str]
) -> frozenset[str]:
    """The keys whose password the first pod of a database takes; none where it cannot be asked.

    :param users: by the keys of their passwords
    :param passwords: by the same keys
    """
    pod, container = f"{server.name}-0", server.template["spec"]["containers"][0]["name"]
    found = set()
    try:
        with ExecSession(cluster, namespace, pod, container, ["sh", "-c", PROGRAM]) as session:
            for line in question(users, passwords):
                session.send(line)
            for key in users:
                if session.receive(ANSWER_SECONDS) == "yes":
                    found.add(key)
    except FindingError:
        # The account may not, or nothing runs: what was said until then holds.
        pass
    return frozenset(found)


__all__ = ("PROGRAM", "proven", "question")
