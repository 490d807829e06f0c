"""The data of a release's Secret: its passwords, and the URLs that lead to its servers.

Host, port, user and database are read from the rendered manifests, which are what will be there, so the charts' rules
of naming and their defaults need not be repeated here. The chart alone makes the same URLs in _endpoints.tpl.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t
from urllib.parse import quote

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import url_forms
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import parse
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import (
    COMPONENT,
    INITIAL,
    environment,
    login,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping, Sequence

Object = dict[str, t.Any]

# The component of the StatefulSet and the name of the Service's port, the same in both sources of subcharts.
_POSTGRESQL = ("primary", "tcp-postgresql")
_REDIS = ("master", "tcp-redis")


def secret_data(passwords: Mapping[str, str], manifests: str) -> dict[str, str]:
    """Keys of the Secret (chart/README.md lists them) with their values in base64, as in its `data`.

    :param passwords: by the Secret's keys, among them `password`, the agent's in PostgreSQL, `postgres-password`, the
        administrator's, and `redis-password`. Empty ones are left out
    :param manifests: what `helm template` printed. A server that it does not install has no URL here
    :raises FindingError: the manifests are no YAML, or hold half a server
    """
    objects = parse(manifests)
    urls = {}
    if found := _server(objects, *_POSTGRESQL):
        urls["database-url"] = urls["migration-database-url"] = _database_url(*found, passwords)
    if found := _server(objects, *_REDIS):
        urls["redis-url"] = _redis_url(*found, passwords)
    urls |= dict(url_forms.written(objects, urls))
    plain = {name: value for name, value in passwords.items() if value} | urls
    return {name: base64.b64encode(value.encode()).decode() for name, value in plain.items()}


def _database_url(place: str, server: Object, passwords: Mapping[str, str]) -> str:
    user, database = login(server)
    # The initial user's password is the administrator's.
    password = passwords.get("postgres-password" if user == INITIAL else "password", "")
    return f"postgresql://{_quoted(user)}:{_quoted(password)}@{place}/{_quoted(database)}"


def _redis_url(place: str, server: Object, passwords: Mapping[str, str]) -> str:
    asks = {"REDIS_PASSWORD", "REDIS_PASSWORD_FILE"} & environment(server).keys()
    access = f":{_quoted(passwords.get('redis-password', ''))}@" if asks else ""
    return f"redis://{access}{place}/0"


def _server(objects: Sequence[Object], component: str, port: str) -> tuple[str, Object] | None:
    """`host:port` of the Service that leads to a server, and its StatefulSet; None where it is external."""
    servers = [item for item in objects if item["kind"] == "StatefulSet" and _component(item) == component]
    services = [
        (item["metadata"]["name"], each["port"])
        for item in objects
        if item["kind"] == "Service" and item["spec"].get("clusterIP") != "None"
        and (item["spec"].get("selector") or {}).get(COMPONENT) == component
        for each in item["spec"]["ports"]
        if each.get("name") == port
    ]  # fmt: skip
    if not servers and not services:
        return None
    if len(servers) != 1 or len(services) != 1:
        words = f"The manifests hold {len(servers)} StatefulSets and {len(services)} Services of {port}, not 1 each."
        raise FindingError("manifests-unreadable", words)
    host, number = services[0]
    return f"{host}:{number}", servers[0]


def _component(item: Object) -> str | None:
    labels: Mapping[str, str] = item["metadata"].get("labels") or {}
    return labels.get(COMPONENT)


def _quoted(text: str) -> str:
    """As in RFC 3986, section 2.1: every character that may end the part of a URL, a slash too, is encoded."""
    return quote(text, safe="")


__all__ = ("secret_data",)
