"""The database and the cache of a living release against those that are planned; Secrets are compared, never told."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden
from ansible_collections.ai_platform.agent.plugins.module_utils._release import (
    identity,
    look,
    ownership,
    references,
    urls,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

# The URLs of a Secret of the role's, the variable of the agent that has each, and the passwords that stand in it.
_URLS = {
    "database-url": ("DATABASE_URL", ("password", "postgres-password")),
    "migration-database-url": ("", ("password", "postgres-password")),
    "redis-url": ("REDIS_URL", ("redis-password",)),
}


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Objects of the manifests, the Secret that they name, and what the role would write into it, in base64."""

    objects: Sequence[Object]
    secret: str | None
    expected: Mapping[str, str] = dataclasses.field(repr=False)


def comparison(
    cluster: Cluster, wanted: Wanted, sets: Sequence[Object], secret: Object | None, params: Object
) -> dict[str, list[t.Any]]:
    """`another`, `other_volumes` and `lacking`, sentences without secrets, and `conflicts`.

    :param sets: the release's living StatefulSets
    :param secret: the living Secret of the planned name, None where there is none
    :raises FindingError: the API server refuses or does not answer
    """
    namespace = params["release_namespace"]
    planned, live = identity.servers(wanted.objects), identity.servers(sets)
    agent = _agent(cluster, params["release_name"], namespace)
    runs = bool(((agent or {}).get("status") or {}).get("availableReplicas"))
    claims = _claims(cluster, namespace) if runs and len(planned) > len(live) else None
    other = identity.other_servers(planned, live, claims=claims, runs=runs)
    if not other:
        secrets = _Secrets(cluster, wanted, namespace, (secret or {}).get("data") or {})
        other = secrets.changed() + (secrets.moved(agent) if agent else [])
    return {
        "another": other,
        "other_volumes": identity.other_disks(planned, live),
        "lacking": _missing_secrets(cluster, wanted, secret, namespace),
        "conflicts": ownership.conflicts(
            wanted.objects, [*_of_kind("Deployment", agent), *_of_kind("StatefulSet", *sets)]
        ),
    }


def _missing_secrets(cluster: Cluster, wanted: Wanted, secret: Object | None, namespace: str) -> list[str]:
    """Secrets, and keys of them, that pods cannot start without and nobody has made."""
    found = []
    for name, keys in sorted(references.needed(wanted.objects).items()):
        there = secret if name == wanted.secret else cluster.get("v1", "secrets", name, namespace)
        written = wanted.expected.keys() if name == wanted.secret else set()
        missing = sorted(keys - written - ((there or {}).get("data") or {}).keys())
        if there is None and not written:
            found.append(f"Secret {namespace}/{name} does not exist")
        elif missing:
            found.append(f"Secret {namespace}/{name} lacks the keys {', '.join(missing)}")
    return found


@dataclasses.dataclass(frozen=True)
class _Secrets:
    """The living Secrets, beside those that the role would write.

    :param data: of the living Secret of the planned name, in base64
    """

    cluster: Cluster
    wanted: Wanted
    namespace: str
    data: Mapping[str, str] = dataclasses.field(repr=False)

    def changed(self) -> list[str]:
        """URLs of the role's own Secret that would lead elsewhere, while their passwords stay."""
        found = []
        for key, (_variable, passwords) in _URLS.items():
            if key not in self.data or any(self._other(each) for each in passwords):
                continue
            found += self._difference(key, self.wanted.secret or "", key, self.data[key])
        return found

    def moved(self, agent: Object) -> list[str]:
        """Where the agent has its URLs from a Secret of another name now: what the role's own would say otherwise."""
        found = []
        for key, (variable, _passwords) in _URLS.items():
            name, own = _reference(agent, variable)
            if name and name != self.wanted.secret:
                there = self.cluster.get("v1", "secrets", name, self.namespace) or {}
                if own in (there.get("data") or {}):
                    found += self._difference(key, name, own, there["data"][own])
        return found

    def _difference(self, key: str, secret: str, own: str, live: str) -> list[str]:
        """A sentence about `key` of what is wanted against the living value of `own` in a Secret."""
        if key not in self.wanted.expected:
            return []
        now, then = _text(live), _text(self.wanted.expected[key])
        parts = urls.differences(now, then, self.namespace)
        # A Secret that leads astray is repaired by one that leads to the server that is there.
        if {"host", "port"} & set(parts) and self._leads_somewhere(then):
            parts = [part for part in parts if part not in {"host", "port", "user", "database"}]
        if not parts:
            return []
        where, living = f"{own} of Secret {self.namespace}/{secret}", urls.destination(now, self.namespace)
        planned = urls.destination(then, self.namespace)
        if planned == living:
            words = f"with another {' and '.join(parts)} than these values and passwords make of it"
            return [f"{where} leads to {planned} {words}."]
        return [f"{where} leads to {living}; these values lead to {planned}."]

    def _leads_somewhere(self, url: str) -> bool:
        """Whether the Service of a URL is there, with its port."""
        try:
            parts = urls.parts(url, self.namespace)
        except ValueError:
            return False
        service = self.cluster.get("v1", "services", parts.host, self.namespace)
        return service is not None and parts.port in {str(each["port"]) for each in service["spec"].get("ports") or ()}

    def _other(self, key: str) -> bool:
        expected = self.wanted.expected
        return key in expected and key in self.data and expected[key] != self.data[key]


def _reference(agent: Object, variable: str) -> tuple[str, str]:
    """Secret and key of a variable of the Deployment's first container that has it; empty without one."""
    for container in agent["spec"]["template"]["spec"]["containers"]:
        for item in container.get("env") or ():
            key = (item.get("valueFrom") or {}).get("secretKeyRef")
            if key and item["name"] == variable:
                return key["name"], key["key"]
    return "", ""


def _of_kind(kind: str, *items: Object | None) -> list[Object]:
    """The objects that exist, each with its kind, which lists of the API server leave out."""
    return [item | {"kind": kind} for item in items if item]


def _agent(cluster: Cluster, release: str, namespace: str) -> Object | None:
    labels = f"{look.release_selector(release)},{look.AGENT}"
    found = cluster.list("apps/v1", "deployments", namespace, labels=labels)
    return found[0] if found else None


def _claims(cluster: Cluster, namespace: str) -> set[str] | None:
    try:
        return {item["metadata"]["name"] for item in cluster.list("v1", "persistentvolumeclaims", namespace)}
    except Forbidden:
        return None


def _text(value: str) -> str:
    return base64.b64decode(value).decode("utf-8", "replace")


__all__ = ("Wanted", "comparison")
