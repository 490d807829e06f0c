"""Whether a running pod has the URLs that are expected: no password goes there, and none comes back."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import hmac
import secrets
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live

ANSWER_SECONDS = 20.0
# Reads a salt and NAME=digest words, and prints the names of the variables that have these digests.
PROGRAM = (
    "import hmac, os, sys\n"
    "salt, *words = sys.stdin.readline().split()\n"
    "pairs = [word.split('=') for word in words]\n"
    "values = {name: os.environ.get(name, '').encode(errors='surrogateescape') for name, _ in pairs}\n"
    "made = {name: hmac.new(bytes.fromhex(salt), value, 'sha256').hexdigest() for name, value in values.items()}\n"
    "print('same', *(name for name, told in pairs if hmac.compare_digest(made[name], told)))\n"
)


def question(expected: Mapping[str, str]) -> str:
    """What PROGRAM reads: digests under a salt of this question, by the variables' names."""
    salt = secrets.token_bytes(32)
    digests = (
        f"{name}={hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()}" for name, value in expected.items()
    )
    return " ".join([salt.hex(), *digests])


def proven(cluster: Cluster, live: Live, namespace: str, expected: Mapping[str, str]) -> frozenset[str]:
    """The variables of the oldest pod that serves and that have exactly these values; none where it cannot be asked.

    :param expected: by the variables' names
    """
    for pod in live.serving[:1]:
        name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]
        try:
            with ExecSession(cluster, namespace, name, container, ["python", "-c", PROGRAM]) as session:
                session.send(question(expected))
                words = (session.receive(ANSWER_SECONDS) or "").split()
        except FindingError:
            continue
        if words[:1] == ["same"]:
            return frozenset(words[1:]) & expected.keys()
    return frozenset()


__all__ = ("PROGRAM", "proven", "question")
