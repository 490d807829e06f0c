"""How far a move of a release's database is: a ConfigMap, which guard and the chart read too. No secret is in it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._release.belongings import own_labels

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster

State = t.Literal["copying", "copied", "moved", "returning", ""]
# While it is one of these, the release is between two databases.
UNFINISHED: t.Final = ("copying", "copied", "returning")


@dataclasses.dataclass(frozen=True)
class Record:
    """The annotations of one move.

    :param state: `copying` from before the old database is made read-only, `copied` until the pods read the new one,
        `moved` until the old one is forgotten, `returning` while the way back is taken
    :param now: Secret and key, `name/key`, from which the agent is to read its URL; the chart lets it go there
    :param new: the same of the new database
    :param old: the same of the old database
    :param old_owner: the same of the URL that made it read-only
    :param source: where the old database is, without a login
    :param target: where the new one is
    :param frozen_at: since when nobody writes the old one, seconds since 1970
    :param seconds: for how long nobody could write
    """

    state: State = ""
    now: str = ""
    new: str = ""
    old: str = ""
    old_owner: str = ""
    source: str = ""
    target: str = ""
    frozen_at: float = 0.0
    seconds: float = 0.0


def name(release: str) -> str:
    """The name of the ConfigMap with the record."""
    return f"{release}-move-record"


def read(cluster: Cluster, namespace: str, release: str) -> Record:
    """The record; an empty one where there is none."""
    found = cluster.get("v1", "configmaps", name(release), namespace)
    data = (found or {}).get("data") or {}
    own: dict[str, t.Any] = {field.name: data.get(field.name, "") for field in dataclasses.fields(Record)}
    for each in ("frozen_at", "seconds"):
        try:
            own[each] = float(own[each] or 0)
        except ValueError:
            own[each] = 0.0
    return Record(**own)


def write(cluster: Cluster, namespace: str, release: str, record: Record) -> None:
    """Write it, whatever was there before.

    :raises FindingError: the API server refuses
    """
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name(release), "namespace": namespace, "labels": own_labels(release)},
        "data": {key: str(value) for key, value in dataclasses.asdict(record).items()},
    }
    if cluster.get("v1", "configmaps", name(release), namespace) is None:
        cluster.create("v1", "configmaps", body, namespace)
    else:
        cluster.patch("v1", "configmaps", name(release), {"data": body["data"]}, namespace)


def remove(cluster: Cluster, namespace: str, release: str) -> None:
    """Remove it; none is no error."""
    cluster.delete("v1", "configmaps", name(release), namespace)


__all__ = ("UNFINISHED", "Record", "State", "name", "read", "remove", "write")
