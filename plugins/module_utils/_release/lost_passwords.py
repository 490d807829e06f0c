"""Passwords that are gone from the role's own Secret while the server that knows them lives: which nobody confirms."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release import identity, look, pod_proof, server_proof
from ansible_collections.ai_platform.agent.plugins.module_utils._release.living_urls import reference, variable_of

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster


class Names(t.NamedTuple):
    """The names of a server's password: its key in the Secret, the key of its URL, and the agent's variable of that."""

    key: str
    url: str
    variable: str


PASSWORDS: t.Final = {
    "database": Names("password", "database-url", "DATABASE_URL"),
    "cache": Names("redis-password", "redis-url", "REDIS_URL"),
}


@dataclasses.dataclass(frozen=True)
class Lost:
    """What the role would write into its Secret, and the keys of it that are not there now.

    :param secret: its name
    :param expected: plain, by key
    """

    secret: str
    expected: Mapping[str, str] = dataclasses.field(repr=False)
    keys: frozenset[str]


def unproven(cluster: Cluster, lost: Lost, live: Sequence[identity.Server], release: str, namespace: str) -> list[str]:
    """A sentence for each password that is gone, and that neither an agent's pod nor the server itself confirms.

    A server knows the passwords of its first start only: others in the Secret lock out the agent, or leave a read
    replica without its primary, and the administrator without a way in.

    :raises FindingError: the API server refuses or does not answer
    """
    if not lost.keys:
        return []
    gone, confirmed = _of_agents(cluster, lost, live, release, namespace)
    found = []
    for server in live:
        users = identity.logins(server)
        keys = gone.get(server.name, set()) | (lost.keys & users.keys() & identity.keys_read(server, lost.secret))
        keys -= confirmed.get(server.name, set())
        if asked := {key: users[key] for key in sorted(keys & users.keys())}:
            keys -= server_proof.proven(cluster, server, namespace, asked, lost.expected)
        words = f"The {server.what} {server.name} lives, and Secret {namespace}/{lost.secret} has no"
        found += [f"{words} {key} any more" for key in sorted(keys)]
    return found


def _of_agents(
    cluster: Cluster, lost: Lost, live: Sequence[identity.Server], release: str, namespace: str
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By the servers' names: the keys that stand in URLs of the agent and are gone, and those that a pod confirms.

    The agent's pods still have the password in their variables. Where a pod proves that its URL is the expected one,
    the expected password is the server's.
    """
    owed = {
        server: PASSWORDS[server.what]
        for server in live
        if server.what and PASSWORDS[server.what].url in lost.expected and _keys(server) & lost.keys
    }
    if not owed:
        return {}, {}
    pods = look.serving(cluster, release, namespace)
    if pods.deployment:
        deployment = pods.deployment
        # Where the agent reads a Secret of another name, its URL was compared already.
        owed = {
            server: names._replace(variable=variable_of(deployment, names.variable))
            for server, names in owed.items()
            if (reference(deployment, names.variable) or (lost.secret,))[0] == lost.secret
        }
    asked = {names.variable: lost.expected[names.url] for names in owed.values()}
    same = pod_proof.proven(cluster, pods, namespace, asked)
    gone = {server.name: set(_keys(server) & lost.keys) for server in owed}
    return gone, {server.name: set(_keys(server)) for server, names in owed.items() if names.variable in same}


def _keys(server: identity.Server) -> frozenset[str]:
    """The keys of the password that stands in the agent's URL: the initial user has the administrator's."""
    initial = server.login is not None and server.login[0] == identity.INITIAL
    return frozenset({PASSWORDS[server.what].key} | ({"postgres-password"} if initial else set()))


__all__ = ("PASSWORDS", "Lost", "Names", "unproven")
