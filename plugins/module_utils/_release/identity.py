"""Whether what will be deployed keeps the database and the cache that a living release has. Pure.

The chart's templates/_identity.tpl asks the same when helm renders with a cluster; here it is known before the Secret
is written. What lives is told by labels that Bitnami's charts and the embedded ones share.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t
from decimal import Decimal

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.amounts import quantity
from ansible_collections.ai_platform.agent.plugins.module_utils._release import references

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Collection, Iterable, Sequence

Object = dict[str, t.Any]

COMPONENT = "app.kubernetes.io/component"
# The user and the database that PostgreSQL itself starts with.
INITIAL = "postgres"
# The component of the server that takes writes, the same in both sources of subcharts.
_SERVERS = {"primary": ("postgresql", "database"), "master": ("redis", "cache")}
# The name of the data volume in both sources of subcharts, as a claim template or as a volume of the pod.
_DATA = {"postgresql": "data", "redis": "redis-data"}
TEMPLATE, NO_CLAIM = "claims of its own", "an emptyDir, which goes with its pod"
_EMBEDDED = "_embedded"
# Annotation of the old database's objects that a move keeps; ai_agent_move_forget removes those objects.
SET_ASIDE: t.Final = "ai-agent/set-aside"


@dataclasses.dataclass(frozen=True)
class Disk:
    """A template of volume claims.

    :param storage_class: None is the cluster's default
    :param size: in bytes
    """

    name: str
    storage_class: str | None
    size: Decimal
    shown: str


@dataclasses.dataclass(frozen=True)
class Server:
    """A StatefulSet. `chart` and `what` are empty but for the servers that take writes.

    :param login: user and database that it began with, None for a cache
    :param source: bitnami or embedded, empty if not told
    :param storage: where its data are: TEMPLATE, NO_CLAIM, or the volume in words; empty where that is not told
    :param template: of its pods, as in the object
    """

    name: str
    chart: str
    what: str
    login: tuple[str, str] | None
    source: str
    disks: tuple[Disk, ...]
    storage: str = ""
    template: Object = dataclasses.field(default_factory=dict, compare=False, repr=False)


def servers(objects: Iterable[Object], *, aside: bool = False) -> tuple[Server, ...]:
    """The StatefulSets among objects, of manifests as well as of the API server.

    :param aside: also what was set aside
    """
    sets = [item for item in objects if item.get("kind", "StatefulSet") == "StatefulSet"]
    stay = [item for item in sets if aside or SET_ASIDE not in (item["metadata"].get("annotations") or {})]
    return tuple(_server(item) for item in stay)


def _server(item: Object) -> Server:
    labels = item["metadata"].get("labels") or {}
    chart, what = _SERVERS.get(labels.get(COMPONENT, ""), ("", ""))
    origin = labels.get("helm.sh/chart", "")
    source = "" if not origin else "embedded" if origin.endswith(_EMBEDDED) else "bitnami"
    disks = tuple(_disk(template) for template in item["spec"].get("volumeClaimTemplates") or ())
    began = login(item) if what == "database" else None
    template = item["spec"]["template"]
    storage = _storage(template["spec"], disks, _DATA.get(chart, ""))
    return Server(item["metadata"]["name"], chart, what, began, source, disks, storage, template)


def _storage(pod: Object, disks: Sequence[Disk], name: str) -> str:
    if any(disk.name == name for disk in disks):
        return TEMPLATE
    volume: Object = next((each for each in pod.get("volumes") or () if each["name"] == name), {})
    if claim := volume.get("persistentVolumeClaim"):
        return f"the claim {claim['claimName']}"
    kinds = sorted(volume.keys() - {"name"})
    return NO_CLAIM if kinds == ["emptyDir"] else f"a volume of the kind {kinds[0]}" if kinds else ""


def _disk(template: Object) -> Disk:
    size = str(template["spec"]["resources"]["requests"]["storage"])
    return Disk(template["metadata"]["name"], template["spec"].get("storageClassName"), quantity(size), size)


def environment(item: Object) -> dict[str, str]:
    """Variables of the first container of a StatefulSet; one that comes from elsewhere has an empty value."""
    return environment_of(item["spec"]["template"])


def environment_of(template: Object) -> dict[str, str]:
    """The same of a pod template."""
    container = template["spec"]["containers"][0]
    return {each["name"]: str(each.get("value") or "") for each in container.get("env") or []}


def login(item: Object) -> tuple[str, str]:
    """User and database with which the StatefulSet of a PostgreSQL begins."""
    told = environment(item)
    return told.get("POSTGRES_USER") or INITIAL, told.get("POSTGRES_DATABASE") or told.get("POSTGRES_DB") or INITIAL


def logins(server: Server) -> dict[str, str]:
    """The users that a database made at its first start, each by the Secret's key of its password."""
    if not server.login:
        return {}
    replication = environment_of(server.template).get("POSTGRES_REPLICATION_USER", "")
    known = {"password": server.login[0], "postgres-password": INITIAL, "replication-password": replication}
    # The initial user has the administrator's password.
    return {key: user for key, user in known.items() if user and (key != "password" or user != INITIAL)}


def keys_read(server: Server, secret: str) -> frozenset[str]:
    """The keys of a Secret that a server's pods read, as variables or as files."""
    named = references.needed([{"kind": "StatefulSet", "spec": {"template": server.template}}]).get(secret)
    if named is None:
        return frozenset()
    told = environment_of(server.template)
    return named | {value.rpartition("/")[2] for name, value in told.items() if name.endswith("_FILE")}


def other_servers(
    planned: Sequence[Server], live: Sequence[Server], *, claims: Collection[str] | None = (), runs: bool = False
) -> list[str]:
    """What would lead the release to another database or cache, a sentence each.

    A server that was set aside on purpose (its StatefulSet deleted, its volume kept) is none that lives.

    :param claims: names of the volume claims that are there, None where they may not be read
    :param runs: pods of the release serve
    """
    found = []
    for chart, what in _SERVERS.values():
        wanted = next((item for item in planned if item.chart == chart), None)
        here = {item.name: item for item in live if item.chart == chart}
        now = f"The {what} of this release is the StatefulSet {next(iter(here), '')}"
        if here and wanted is None:
            words = f"{chart}.enabled is false: the upgrade would delete it and leave its volume behind"
            found.append(f"{now}, and {words}.")
        elif wanted and wanted.name in here:
            found += _altered(wanted, here[wanted.name])
        elif wanted and here:
            words = f"(architecture, nameOverride or fullnameOverride of {chart}), which would begin empty"
            found.append(f"{now}; these values name it {wanted.name} {words}.")
        elif wanted and runs and claims is not None and not _volumes(wanted) <= set(claims):
            words = f"this release runs without a {what} of its own: {wanted.name} would begin empty"
            found.append(f"{chart}.enabled is true, but {words}.")
    return found


def _volumes(server: Server) -> set[str]:
    """Claims of the first pod; none without persistence or with a claim of the user's own."""
    return {f"{disk.name}-{server.name}-0" for disk in server.disks}


def _altered(wanted: Server, same: Server) -> list[str]:
    found = []
    if wanted.source and same.source and wanted.source != same.source:
        words = f"these values take the {wanted.source} one, which lays out its data otherwise"
        found.append(f"The {same.what} {same.name} comes from the {same.source} subchart, and {words}.")
    # A template that comes or goes is a change that Kubernetes refuses: other_disks says it.
    kinds = {wanted.storage, same.storage}
    if len(kinds) > 1 and not kinds & {TEMPLATE, ""}:
        words = f"these values put it into {wanted.storage}"
        found.append(f"The {same.what} {same.name} has its data in {same.storage}, and {words}.")
    places = [_place(item) for item in (same, wanted)]
    if all(places) and places[0] != places[1]:
        words = f"in the folder {places[0]} of its volume, and these values look for them in {places[1]}"
        found.append(f"The {same.what} {same.name} has its data {words}: it would begin empty.")
    names = [environment_of(item.template).get("POSTGRES_REPLICATION_USER") for item in (same, wanted)]
    if same.what == "database" and all(names) and names[0] != names[1]:
        words = f"{same.name} was made with {names[0]}, and PostgreSQL makes it at its first start only"
        found.append(f"postgresql.auth.replicationUsername is {names[1]}, but {words}.")
    parts = zip(("username", "database"), same.login or (), wanted.login or (), strict=True) if wanted.login else ()
    for name, now, then in parts:
        if now != then:
            words = f"{same.name} was made with {now}, and PostgreSQL makes it at its first start only"
            found.append(f"postgresql.auth.{name} is {then}, but {words}.")
    return found


def _place(server: Server) -> str:
    """Where on its volume a database has its files, empty where the template does not tell."""
    folder = environment_of(server.template).get("PGDATA", "").rstrip("/")
    for mount in server.template["spec"]["containers"][0].get("volumeMounts") or ():
        top = mount["mountPath"].rstrip("/")
        if mount["name"] == _DATA.get(server.chart) and f"{folder}/".startswith(f"{top}/"):
            inside = mount.get("subPath") or mount.get("subPathExpr") or ""
            return f"/{inside.strip('/')}/{folder[len(top) :].strip('/')}".replace("//", "/")
    return ""


def other_disks(planned: Sequence[Server], live: Sequence[Server]) -> list[str]:
    """Volumes that are wanted otherwise than the living StatefulSets have them, which Kubernetes changes for nobody."""
    there = {item.name: item for item in live}
    found = []
    for wanted in planned:
        if wanted.name not in there:
            continue
        now = {disk.name: disk for disk in there[wanted.name].disks}
        then = {disk.name: disk for disk in wanted.disks}
        for name in sorted(now.keys() | then.keys()):
            if difference := _difference(now.get(name), then.get(name)):
                found.append(f"The volume {name} of the StatefulSet {wanted.name} {difference}.")
    return found


def _difference(now: Disk | None, then: Disk | None) -> str:
    if now is None or then is None:
        return "is there, and these values want none" if now else "is wanted by these values, and is not there"
    parts = []
    if now.size != then.size:
        parts.append(f"has {now.shown}, and these values want {then.shown}")
    if now.storage_class != then.storage_class:
        names = [_class(disk.storage_class) for disk in (now, then)]
        parts.append(f"is of {names[0]}, and these values want {names[1]}")
    return "; it ".join(parts)


def _class(name: str | None) -> str:
    if name is None:
        return "the cluster's default StorageClass"
    return f"StorageClass {name}" if name else "no StorageClass"


__all__ = (
    "COMPONENT",
    "INITIAL",
    "NO_CLAIM",
    "SET_ASIDE",
    "TEMPLATE",
    "Disk",
    "Server",
    "environment",
    "keys_read",
    "login",
    "logins",
    "other_disks",
    "other_servers",
    "servers",
)
