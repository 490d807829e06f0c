"""Whether the URLs in Secrets that others keep can work as they are: key and problem are told, never a value. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release import identity, references, urls

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator, Mapping, Sequence

Object = dict[str, t.Any]

_VARIABLES = ("DATABASE_URL", "REDIS_URL", "AI_AGENT_DATABASE_URL", "AI_AGENT_REDIS_URL")
# The key of the password that a server of the release's own begins with, by what the server is.
_PASSWORDS = {"database": "password", "cache": "redis-password"}


def unfit(
    objects: Sequence[Object], secrets: Mapping[str, Mapping[str, str]], living: Sequence[str], namespace: str
) -> list[str]:
    """A sentence for each URL that does not fit.

    :param secrets: name -> key -> value, of those that others keep
    :param living: names of the StatefulSets that are there; a database knows its password already
    """
    found = []
    for name, key in sorted(set(_places(objects))):
        value = secrets.get(name, {}).get(key)
        if value is None:
            continue
        if problem := _problem(value, namespace) or _misfit(objects, secrets, (name, key), living, namespace):
            found.append(f"{key} of Secret {namespace}/{name} {problem}")
    return found


def migrates_elsewhere(
    objects: Sequence[Object], secrets: Mapping[str, Mapping[str, str]], known: str, namespace: str
) -> list[str]:
    """URLs of the migration that lead away from the database that the release installs itself, a sentence each.

    :param secrets: name -> key -> value, of those that others keep
    :param known: the Secret with which the release works already
    """
    servers = [item for item in objects if item["kind"] == "StatefulSet" and _component(item) == "primary"]
    there = {name for item in servers for name in _services(objects, item)}
    found = []
    for name, key in sorted(set(_places([item for item in objects if item["kind"] == "Job"]))):
        value = secrets.get(name, {}).get(key)
        # What is no URL is told as that.
        if not servers or name == known or not value or _problem(value, namespace):
            continue
        host = urls.parts(value, namespace).host
        if host not in there:
            words = f"leads to {host}, and {servers[0]['metadata']['name']}, which is installed, would not be migrated"
            found.append(f"{key} of Secret {namespace}/{name} {words}")
    return found


def _component(item: Object) -> str:
    return str((item["metadata"].get("labels") or {}).get(identity.COMPONENT) or "")


def _places(objects: Sequence[Object]) -> Iterator[tuple[str, str]]:
    for item in objects:
        pod = ((item.get("spec") or {}).get("template") or {}).get("spec") or {}
        for variable, place in references.of_variables(references.containers_of(pod)):
            if variable in _VARIABLES:
                yield place["name"], place["key"]


def _problem(value: str, namespace: str) -> str:
    if not value.strip():
        return "is empty"
    if value != value.strip():
        return "begins or ends with white space or a line break (printf instead of echo)"
    try:
        urls.parts(value, namespace)
    except ValueError:
        return "is no URL (a password with @, :, / or ? in it must be percent-encoded)"
    return ""


def _misfit(
    objects: Sequence[Object],
    secrets: Mapping[str, Mapping[str, str]],
    place: tuple[str, str],
    living: Sequence[str],
    namespace: str,
) -> str:
    """Another password than the one with which a server of the release's own begins."""
    name, data = place[0], secrets[place[0]]
    parts = urls.parts(data[place[1]], namespace)
    for server in identity.servers(objects):
        key = _PASSWORDS.get(server.what, "")
        if server.login and parts.user == identity.INITIAL:
            key = "postgres-password"
        made = [item for item in objects if item["kind"] == "StatefulSet" and item["metadata"]["name"] == server.name]
        reads = references.needed(made).get(name, frozenset())
        if (
            # PostgreSQL learns its password at its first start, Redis at each.
            (server.name in living and server.what == "database")
            or key not in reads
            or key not in data
            or parts.host not in _services(objects, made[0])
        ):
            continue
        same_user = server.login is None or parts.user in {server.login[0], identity.INITIAL}
        if same_user and parts.password is not None and parts.password != data[key]:
            return f"has another password than {key}, with which {server.name} begins"
    return ""


def _services(objects: Sequence[Object], server: Object) -> set[str]:
    component = (server["metadata"].get("labels") or {}).get(identity.COMPONENT)
    return {
        item["metadata"]["name"]
        for item in objects
        if item["kind"] == "Service" and (item["spec"].get("selector") or {}).get(identity.COMPONENT) == component
    }


__all__ = ("migrates_elsewhere", "unfit")
