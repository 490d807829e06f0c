"""Where the URLs of a living release lead, against those of the planned one; Secrets are compared, never told."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release import references, urls
from ansible_collections.ai_platform.agent.plugins.module_utils._release.belongings import INSTANCE
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import COMPONENT
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret_data import decoded

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Collection, Mapping

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

# A Secret and a key of it.
Reference = tuple[str, str]

# The URLs of a Secret of the role's, the variable of the agent that has each, the passwords that stand in it, and what
# of the release's own servers it leads to.
_URLS = {
    "database-url": ("DATABASE_URL", ("password", "postgres-password"), "database"),
    "migration-database-url": ("", ("password", "postgres-password"), "database"),
    "redis-url": ("REDIS_URL", ("redis-password",), "cache"),
}
# Components of PostgreSQL and Redis, as both sources of subcharts name them.
_SERVERS = frozenset({"primary", "read", "master", "replica"})
# What makes another server of it. A password is rotated, and parameters change, without leading anywhere else.
_PLACE = frozenset({"form", "host", "port", "database", "user"})


@dataclasses.dataclass(frozen=True)
class LivingUrls:
    """The living Secrets, beside those that the role would write.

    :param secret: name of the Secret that the role writes, or that exists for it
    :param data: of the living Secret of that name, in base64
    :param expected: what the role would write into it, in base64; empty where it writes none
    :param bundled: which of database and cache this release installs itself
    :param moving: which of them is led elsewhere on purpose
    """

    cluster: Cluster
    namespace: str
    secret: str | None
    data: Mapping[str, str] = dataclasses.field(repr=False)
    expected: Mapping[str, str] = dataclasses.field(repr=False)
    bundled: Collection[str]
    moving: Collection[str] = ()

    def changed(self) -> list[str]:
        """URLs of the role's own Secret that would lead elsewhere, while their passwords stay."""
        found = []
        for key, (_variable, passwords, what) in _URLS.items():
            if (
                what in self.moving
                or key not in self.data
                or key not in self.expected
                or any(self._other(each) for each in passwords)
            ):
                continue
            parts = self._differences(self.data[key], self.expected[key])
            found += self._sentence((self.secret or "", key), parts, self.data[key], self.expected[key])
        return found

    def moved(self, live: Object, planned: Object) -> list[str]:
        """What the agent would read from another Secret, or another key, than it does now, and that leads elsewhere.

        :param live: the living Deployment
        :param planned: the rendered one
        """
        found = []
        for key, (variable, _passwords, what) in _URLS.items():
            now, then = reference(live, variable), reference(planned, variable)
            if what in self.moving or now is None or then is None or now == then:
                continue
            before, own = self.value(now), then[0] == self.secret and key in self.expected
            after = self.expected[key] if own else self.value(then)
            if before is None or after is None:
                continue
            parts = self._differences(before, after)
            if not own:
                counted = _PLACE | ({"password"} if what in self.bundled else set())
                parts = [part for part in parts if part in counted]
            found += self._sentence(now, parts, before, after, None if own else then)
        return found

    def _differences(self, live: str, wanted: str) -> list[str]:
        now, then = decoded(live), decoded(wanted)
        parts = urls.differences(now, then, self.namespace)
        # Where only the planned Service is there, a new host repairs a URL that led nowhere: no other database.
        if {"host", "port"} & set(parts) and self._is_service(then) and not self._leads_somewhere(now):
            parts = [part for part in parts if part not in {"host", "port", "user", "database"}]
        return parts

    def _sentence(
        self, now: Reference, parts: list[str], live: str, wanted: str, then: Reference | None = None
    ) -> list[str]:
        if not parts:
            return []
        where, living = _named(now, self.namespace), urls.destination(decoded(live), self.namespace)
        planned = urls.destination(decoded(wanted), self.namespace)
        if planned == living:
            other = _named(then, self.namespace) if then else "these values and passwords make of it"
            return [f"{where} leads to {planned} with another {' and '.join(parts)} than {other}."]
        origin = f" ({_named(then, self.namespace)})" if then else ""
        return [f"{where} leads to {living}; these values lead to {planned}{origin}."]

    def value(self, place: Reference) -> str | None:
        """What a key of a Secret holds now, in base64; None where it is not there."""
        found = self.cluster.get("v1", "secrets", place[0], self.namespace) or {}
        value: str | None = (found.get("data") or {}).get(place[1])
        return value

    def release_of(self, url: str) -> str:
        """The release whose server a URL leads to by a Service of this namespace; empty where that is no server's."""
        try:
            host = urls.parts(url, self.namespace).host
        except ValueError:
            return ""
        service = (
            self.cluster.get("v1", "services", host, self.namespace) if re.fullmatch(r"[a-z0-9-]+", host) else None
        )
        component = ((service or {}).get("spec", {}).get("selector") or {}).get(COMPONENT)
        labels = (service or {}).get("metadata", {}).get("labels") or {}
        return str(labels.get(INSTANCE) or "") if component in _SERVERS else ""

    def _leads_somewhere(self, url: str) -> bool:
        """Whether a URL may lead to a server: what is no Service's short name is one somewhere else."""
        try:
            host = urls.parts(url, self.namespace).host
        except ValueError:
            return False
        return not host or "." in host or "," in host or ":" in host or self._is_service(url)

    def _is_service(self, url: str) -> bool:
        """Whether the Service of a URL is there, with its port."""
        try:
            parts = urls.parts(url, self.namespace)
        except ValueError:
            return False
        service = self.cluster.get("v1", "services", parts.host, self.namespace)
        return service is not None and parts.port in {str(each["port"]) for each in service["spec"].get("ports") or ()}

    def _other(self, key: str) -> bool:
        return key in self.expected and key in self.data and self.expected[key] != self.data[key]


def _named(place: Reference, namespace: str) -> str:
    return f"{place[1]} of Secret {namespace}/{place[0]}"


def reference(deployment: Object, variable: str) -> Reference | None:
    """Secret and key of a URL's variable in the Deployment's first container that has it; None without one."""
    variable = variable_of(deployment, variable)
    found = references.of_variables(deployment["spec"]["template"]["spec"]["containers"])
    return next(((key["name"], key["key"]) for name, key in found if name == variable), None)


def variable_of(deployment: Object, variable: str) -> str:
    """The variable that holds a plain URL: an agent that wants it otherwise has it under a name of the chart's."""
    found = references.of_variables(deployment["spec"]["template"]["spec"]["containers"])
    own = references.OWN_NAME + variable
    return own if own in {name for name, _key in found} else variable


__all__ = ("LivingUrls", "Reference", "reference", "variable_of")
