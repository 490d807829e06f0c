"""What the API server would make of an object, asked of itself: dry runs, which store nothing (`dryRun=All`).

Defaults, admission, webhooks and the rules of what may change are then the server's own, and none is guessed here.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.refusals import Refused

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

# Helm's name in managedFields.
MANAGER: t.Final = "helm"
_DRY: t.Final = {"dryRun": "All"}
# The API server's words for an admission webhook that would have side effects,
# staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go.
_NO_DRY_RUN: t.Final = "does not support dry run"


class Kinds:
    """Which resource of the API has the objects of a kind. Each group is asked once."""

    def __init__(self, cluster: Cluster) -> None:
        """:param cluster: who is asked"""
        self._cluster = cluster
        self._known: dict[str, dict[str, tuple[str, bool]]] = {}

    def resource(self, item: Object) -> tuple[str, bool] | None:
        """Plural and whether it is in a namespace, None where the server has no such kind.

        :raises FindingError: the API server refuses or does not answer
        """
        version = item["apiVersion"]
        if version not in self._known:
            self._known[version] = self._ask(version)
        return self._known[version].get(item["kind"])

    def _ask(self, version: str) -> dict[str, tuple[str, bool]]:
        try:
            found = self._cluster.read(f"apis/{version}" if "/" in version else f"api/{version}")
        except Refused as error:
            if error.status == 404:
                return {}
            raise
        # A subresource, such as deployments/scale, may have the kind of its own resource.
        own = (item for item in found["resources"] if "/" not in item["name"])
        return {item["kind"]: (item["name"], item["namespaced"]) for item in own}


def applied(cluster: Cluster, plural: str, item: Object, namespace: str | None, *, force: bool) -> Object:
    """The object after a server-side apply by Helm, which would also create it.

    :param force: take fields that others manage
    :raises FindingError: the API server refuses or does not answer
    """
    query = _DRY | {"fieldManager": MANAGER, "force": str(force).lower()}
    name = item["metadata"]["name"]
    return cluster.patch(item["apiVersion"], plural, name, item, namespace, form="apply-patch+yaml", query=query)


def patched(cluster: Cluster, plural: str, item: Object, namespace: str | None, *, strategic: bool) -> Object:
    """The object after a patch, as Helm sends it where it does not apply on the server.

    :param item: the patch
    :param strategic: a strategic merge patch, which only Kubernetes' own kinds know; else a JSON merge patch
    :raises FindingError: the API server refuses or does not answer
    """
    form = f"{'strategic-merge' if strategic else 'merge'}-patch+json"
    name = item["metadata"]["name"]
    query = _DRY | {"fieldManager": MANAGER}
    return cluster.patch(item["apiVersion"], plural, name, item, namespace, form=form, query=query)


def impossible(error: FindingError) -> bool:
    """Whether the server would not try because of a webhook that cannot be tried, which says nothing of the object."""
    return isinstance(error, Refused) and _NO_DRY_RUN in error.said


__all__ = ("MANAGER", "Kinds", "applied", "impossible", "patched")
