"""What an upgrade would take away for good: claims with their data, what pods need, files that two servers write. Pure.

Helm removes what the last revision made and this one leaves out, whoever uses it meanwhile, unless the object itself
says `helm.sh/resource-policy: keep` (Helm's documentation, Chart Development Tips and Tricks).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.ai_platform.agent.plugins.module_utils._release.belongings import HELMS_RELEASE, INSTANCE, kept
from ansible_collections.ai_platform.agent.plugins.module_utils._release.references import claims_of

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Container, Iterable, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import Server

Object = dict[str, t.Any]
CLAIM: t.Final = "PersistentVolumeClaim"
# Phases of pods that use no volume any more.
_OVER: t.Final = frozenset({"Succeeded", "Failed"})


def is_helms(item: Object, release: str, namespace: str) -> bool:
    """Whether Helm made a living object for this release, and it is not being removed."""
    told = item["metadata"].get("annotations") or {}
    mine = tuple(told.get(name) for name in HELMS_RELEASE) == (release, namespace)
    return mine and not item["metadata"].get("deletionTimestamp")


def removed(
    planned: Iterable[Object],
    living: Iterable[Object],
    release: str,
    namespace: str,
    needed: Container[tuple[str, str]],
) -> list[str]:
    """A sentence for each living object that Helm would remove although pods need it, or that holds data.

    :param living: each with its kind
    :param needed: kind and name of what the planned pods need
    """
    stay = {_key(item) for item in planned}
    found = []
    for item in living:
        kind, name = _key(item)
        stays = (kind, name) in stay or kept(item["metadata"].get("annotations") or {})
        if stays or not is_helms(item, release, namespace):
            continue
        if kind == CLAIM or (kind, name) in needed:
            rest = "with its data" if kind == CLAIM else "and the pods could not start without it"
            words = f"Helm made it for this release, these values leave it out, so it would be removed, {rest}"
            found.append(f"{kind} {name}: {words}.")
    return found


def _key(item: Object) -> tuple[str, str]:
    return item["kind"], item["metadata"]["name"]


def twice(planned: Iterable[Object], namespace: str) -> list[str]:
    """Objects that stand twice in manifests, of which only one would be there.

    :param namespace: of those that name none
    """
    # The API group is empty for the core.
    several = Counter(
        (str(item["apiVersion"]).rpartition("/")[0], item["metadata"].get("namespace") or namespace, *_key(item))
        for item in planned
    )
    words = "stands twice in what these values make, and only one of the two would be there"
    return [f"{kind} {name} {words}." for (_api, _place, kind, name), number in several.items() if number > 1]


def shared_claims(servers: Sequence[Server], claims: dict[str, str], pods: Iterable[Object], release: str) -> list[str]:
    """Servers that would begin to write into a claim in which somebody else writes.

    :param servers: planned ones that do not live yet
    :param claims: claim by the names of the servers that name one themselves
    :param pods: of the namespace
    """
    users: dict[str, str] = {}
    for pod in pods:
        mine = (pod["metadata"].get("labels") or {}).get(INSTANCE) == release
        if not mine and (pod.get("status") or {}).get("phase") not in _OVER:
            users |= dict.fromkeys(claims_of(pod["spec"]), pod["metadata"]["name"])
    words = "two servers on the same files destroy them"
    return [
        f"StatefulSet {server.name} would use the claim {claims[server.name]}, which pod {users[claim]} has: {words}."
        for server in servers
        if (claim := claims.get(server.name, "")) in users
    ]


def named_claims(objects: Iterable[Object]) -> dict[str, str]:
    """The claim of the user's own that each StatefulSet names."""
    return {
        item["metadata"]["name"]: claim
        for item in objects
        if item["kind"] == "StatefulSet"
        for claim in claims_of(item["spec"]["template"]["spec"])
    }


__all__ = ("CLAIM", "is_helms", "named_claims", "removed", "shared_claims", "twice")
