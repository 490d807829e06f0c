"""The database and the cache of a living release against those that are planned; Secrets are compared, never told."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden
from ansible_collections.ai_platform.agent.plugins.module_utils._release import (
    autoscaling,
    existing_secrets,
    identity,
    immutable,
    look,
    losses,
    lost_passwords,
    ownership,
    references,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.living_urls import (
    LivingUrls,
    Reference,
    reference,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret_data import decoded

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Objects of the manifests, the Secret that they name, and what the role would write into it, in base64."""

    objects: Sequence[Object]
    secret: str | None
    expected: Mapping[str, str] = dataclasses.field(repr=False)


def comparison(
    cluster: Cluster, wanted: Wanted, statefulsets: Sequence[Object], secret: Object | None, params: Object
) -> dict[str, list[t.Any]]:
    """What release_info returns of them: sentences without secrets, and `conflicts`.

    :param statefulsets: the release's living StatefulSets
    :param secret: the living Secret of the planned name, None where there is none
    :raises FindingError: the API server refuses or does not answer
    """
    namespace = params["release_namespace"]
    planned, live = identity.servers(wanted.objects), identity.servers(statefulsets)
    agent = _agent(cluster, params["release_name"], namespace)
    runs = bool(((agent or {}).get("status") or {}).get("availableReplicas"))
    claims = _claims(cluster, namespace) if runs and len(planned) > len(live) else None
    # A move of the database is the one way in which it becomes another one.
    moving = {"database"} if params.get("database_moves") else set()
    stay = [[item for item in each if item.what not in moving] for each in (planned, live)]
    other = identity.other_servers(*stay, claims=claims, runs=runs)
    if not other:
        data, bundled = (secret or {}).get("data") or {}, {item.what for item in planned if item.what}
        read = LivingUrls(cluster, namespace, wanted.secret, data, wanted.expected, bundled, moving)
        rendered = look.agent_of(wanted.objects, params["release_name"])
        other = read.changed() + (read.moved(agent, rendered) if agent and rendered else [])
    # Each Secret is read once, whatever is asked of it.
    needed = references.needed(wanted.objects)
    secrets = {
        name: secret if name == wanted.secret else cluster.get("v1", "secrets", name, namespace) for name in needed
    }
    there = [*_of_kind("Deployment", agent), *_of_kind("StatefulSet", *statefulsets)]
    beside = _beside(cluster, wanted, namespace)
    others = {("Secret", name): there for name, there in secrets.items()}
    others |= {(need.kind, need.name): there for need, there in beside.items()}
    unproven = [] if other else _unproven(cluster, wanted, live, secret, params)
    return {
        "another": other,
        "unproven": unproven,
        "other_volumes": identity.other_disks(planned, live),
        "unfit": [
            *_unfit(
                wanted, secrets, statefulsets, namespace, works_with=reference(agent, "DATABASE_URL") if agent else None
            ),
            *_of_another_release(cluster, wanted, planned, params),
        ],
        "lacking": [*_missing_secrets(wanted, needed, secrets, namespace), *_missing(beside, namespace)],
        "lost": _lost(cluster, wanted, others, live=live, params=params),
        "by_helm": [
            f"{item['kind']} {item['metadata']['name']}"
            for item in there
            if losses.is_helms(item, params["release_name"], namespace)
        ],
        "conflicts": _conflicts(cluster, wanted, there, params),
        "refused": immutable.refusals(wanted.objects, there, agent["metadata"]["name"] if agent else None),
    }


def _conflicts(cluster: Cluster, wanted: Wanted, there: Sequence[Object], params: Object) -> list[Object]:
    found = ownership.conflicts(wanted.objects, there)
    if found:
        namespace = params["release_namespace"]
        scalers = look.readable(cluster, "autoscaling/v2", "horizontalpodautoscalers", namespace) or ()
        scaled = autoscaling.scaled_by_others(scalers, params["release_name"])
        found = ownership.conflicts(wanted.objects, there, scaled) if scaled else found
    return found


def _unproven(
    cluster: Cluster, wanted: Wanted, live: Sequence[identity.Server], secret: Object | None, params: Object
) -> list[str]:
    """What lost_passwords says of the role's own Secret."""
    expected = {key: decoded(value) for key, value in wanted.expected.items()}
    there = (secret or {}).get("data") or {}
    lost = lost_passwords.Lost(wanted.secret or "", expected, frozenset(expected.keys() - there.keys()))
    return lost_passwords.unproven(cluster, lost, live, params["release_name"], params["release_namespace"])


def _unfit(
    wanted: Wanted,
    secrets: Mapping[str, Object | None],
    sets: Sequence[Object],
    namespace: str,
    *,
    works_with: Reference | None,
) -> list[str]:
    """What existing_secrets says of the Secrets that the role does not write.

    :param works_with: from where the living agent has its URL
    """
    data: dict[str, Mapping[str, str]] = {
        name: {key: decoded(value) for key, value in ((there or {}).get("data") or {}).items()}
        for name, there in secrets.items()
        if name != wanted.secret or not wanted.expected
    }
    known = works_with[0] if works_with else ""
    return [
        *existing_secrets.unfit(wanted.objects, data, [item["metadata"]["name"] for item in sets], namespace),
        *existing_secrets.migrates_elsewhere(wanted.objects, data, known, namespace),
    ]


def _of_another_release(
    cluster: Cluster, wanted: Wanted, planned: Sequence[identity.Server], params: Object
) -> list[str]:
    """URLs of Secrets that others keep and that lead to another release's server, beside one of this release's own."""
    namespace, release = params["release_namespace"], params["release_name"]
    agent = look.agent_of(wanted.objects, release)
    read = LivingUrls(cluster, namespace, wanted.secret, {}, {}, ())
    found = []
    for server in planned:
        place = reference(agent, lost_passwords.PASSWORDS[server.what].variable) if agent and server.what else None
        value = read.value(place) if place and not (place[0] == wanted.secret and wanted.expected) else None
        owner = read.release_of(decoded(value)) if value else ""
        if place and owner and owner != release:
            words = f"leads to the {server.what} of release {owner}, while {server.name} is installed for this one"
            found.append(f"{place[1]} of Secret {namespace}/{place[0]} {words}")
    return found


def _missing_secrets(
    wanted: Wanted, needed: Mapping[str, frozenset[str]], secrets: Mapping[str, Object | None], namespace: str
) -> list[str]:
    """Secrets, and keys of them, that pods cannot start without and nobody has made."""
    found = []
    for name, keys in sorted(needed.items()):
        there = secrets[name]
        written = wanted.expected.keys() if name == wanted.secret else set()
        missing = sorted(keys - written - ((there or {}).get("data") or {}).keys())
        if there is None and not written:
            found.append(f"Secret {namespace}/{name} does not exist")
        elif missing:
            found.append(f"Secret {namespace}/{name} lacks the keys {', '.join(missing)}")
    return found


# None where the account may not look.
_Beside = dict[references.Need, "Object | None"]


def _beside(cluster: Cluster, wanted: Wanted, namespace: str) -> _Beside:
    """What pods need beside Secrets and others make, as it lives: None where it is not there.

    What may not be read is left out.
    """
    found: _Beside = {}
    for need in references.beside_secrets(wanted.objects):
        with contextlib.suppress(Forbidden):
            found[need] = cluster.get("v1", need.plural, need.name, namespace)
    return found


def _missing(beside: _Beside, namespace: str) -> list[str]:
    return [f"{need.kind} {namespace}/{need.name} does not exist" for need, there in beside.items() if there is None]


def _lost(
    cluster: Cluster,
    wanted: Wanted,
    needed: dict[tuple[str, str], Object | None],
    *,
    live: Sequence[identity.Server],
    params: Object,
) -> list[str]:
    """What losses.py finds.

    :param needed: what pods need and others make, by kind and name
    """
    release, namespace = params["release_name"], params["release_namespace"]
    claims = look.readable(cluster, "v1", "persistentvolumeclaims", namespace) or ()
    there = needed | {(losses.CLAIM, item["metadata"]["name"]): item for item in claims}
    living = [item for (kind, _name), found in there.items() for item in _of_kind(kind, found)]
    found = [
        *losses.twice(wanted.objects, namespace),
        *losses.removed(wanted.objects, living, release, namespace, needed),
    ]
    here = {item.name for item in live}
    begin = [item for item in identity.servers(wanted.objects) if item.name not in here]
    named = losses.named_claims(wanted.objects)
    if any(item.name in named for item in begin):
        pods = look.readable(cluster, "v1", "pods", namespace) or ()
        found += losses.shared_claims(begin, named, pods, release)
    return found


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


__all__ = ("Wanted", "comparison")
