"""Asks Helm and the API server what a deployment would make of a release; nothing is stored.

Helm renders with the cluster beside it (`--dry-run=server`: `lookup`, the number of the revision, hooks); of each
object the API server then says what would come of it (`_kube.rehearsal`). Helm's own dry run does not ask that.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import dataclasses
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import rehearsal
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.refusals import Forbidden, Refused
from ansible_collections.ai_platform.agent.plugins.module_utils._release import belongings, facts, references, three_way
from ansible_collections.ai_platform.agent.plugins.module_utils._release.differences import secret_name
from ansible_collections.ai_platform.agent.plugins.module_utils._release.helm import TIMED_OUT

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Container, Iterator, Sequence

    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.leased_helm import Helm

Key = tuple[str, str, str, str]
# Kubernetes' own groups, whose kinds know a strategic merge patch.
_OWN_GROUPS: t.Final = ("apps", "batch", "policy", "autoscaling")
# Shorter ones are as short as any word.
_LEAST_SECRET: t.Final = 6


@dataclasses.dataclass(frozen=True)
class State:
    """One object of the release as it is and as it would be, None where it is not there.

    :param refused: why it cannot be changed or made, empty where it can
    :param notes: what else to know of the comparison
    :param kept: Helm leaves the object where it is, although the chart has it no more
    """

    before: Object | None
    after: Object | None
    refused: str = ""
    notes: tuple[str, ...] = ()
    kept: bool = False


@dataclasses.dataclass(frozen=True)
class Look:
    """What was found.

    :param revision: Helm's newest, 0 where there is no release
    :param chart: name and version of its chart
    :param states: of all objects, in the order of the manifests, those that go last
    :param hooks: objects of the hooks that would run, each with its event
    """

    revision: int
    chart: str
    states: tuple[State, ...]
    hooks: tuple[tuple[str, Object], ...]


class Given(t.NamedTuple):
    """What would be deployed.

    :param chart: folder of the chart
    :param values: file of the values
    :param runs: whether Helm would be started at all
    """

    chart: str
    values: str
    runs: bool


def look(cluster: Cluster, helm: Helm, given: Given, taken: Container[tuple[str, str]], *, there: bool) -> Look:
    """What a deployment would do.

    :param taken: kind and name of the objects of which a deployment takes fields from their managers
    :param there: whether the namespace exists
    :raises FindingError: `plan-refused`: Helm would refuse; the API server or Helm do not answer
    """
    history = helm.history() if there else []
    newest = history[-1] if history else {}
    if newest.get("status") == "uninstalled":
        # After `helm uninstall --keep-history` Helm installs anew and goes on counting its revisions.
        history = []
    applied = next((entry for entry in reversed(history) if entry["status"] == "deployed"), newest)
    revision = int(applied.get("revision", 0))
    text = helm.manifests([revision]).get(revision, "") if revision else ""
    # Where Helm does not run, what lives is held against what it applied last: rendered anew, a Job has another name.
    manifest, hooks = _rendered(helm, given.chart, given.values) if given.runs or not history else (text, [])
    events = {"pre-upgrade", "post-upgrade"} if history else {"pre-install", "post-install"}
    way = _Way(_by_server(helm) if history else True, taken, there)
    last = [marked(item, helm.release, helm.namespace) for item in facts.parse(text)]
    asked = _Question(cluster, helm.namespace, last, way)
    return Look(
        int(newest.get("revision", 0)),
        str(newest.get("chart") or ""),
        tuple(asked.states([marked(item, helm.release, helm.namespace) for item in facts.parse(manifest)])),
        tuple(
            (event, item)
            for hook in sorted(hooks, key=lambda each: int(each.get("weight") or 0))
            for event in hook.get("events") or ()
            if event in events
            for item in facts.parse(hook["manifest"])
        ),
    )


def marked(item: Object, release: str, namespace: str) -> Object:
    """An object as Helm applies it: with its marks, by which it knows its own, and which its manifests leave out."""
    metadata = item["metadata"]
    labels = (metadata.get("labels") or {}) | {"app.kubernetes.io/managed-by": "Helm"}
    marks = zip(belongings.HELMS_RELEASE, (release, namespace), strict=True)
    annotations = (metadata.get("annotations") or {}) | dict(marks)
    return item | {"metadata": metadata | {"labels": labels, "annotations": annotations}}


def _rendered(helm: Helm, chart: str, values: str) -> tuple[str, list[Object]]:
    words = ("upgrade", "--install", helm.release, chart, "--values", values, "--dry-run=server", "--output", "json")
    done = helm.ask(*words)
    if done.code == TIMED_OUT:
        raise FindingError("cluster-unreachable", f"Helm did not say what it would do: {done.complaint}. Try again.")
    if done.code:
        raise FindingError("plan-refused", done.denied or f"Helm would refuse this deployment: {done.complaint}.")
    try:
        found = json.loads(done.output[done.output.index("{") :])
    except ValueError:
        raise FindingError("plan-refused", "Helm's dry run answered something that is no JSON.") from None
    return found.get("manifest") or "", found.get("hooks") or []


def _by_server(helm: Helm) -> bool:
    """Whether Helm applies this release on the server. Helm 3 does not, nor does Helm 4 with releases of Helm 3."""
    done = helm.ask("get", "metadata", helm.release, "--output", "json")
    try:
        found = json.loads(done.output) if done.code == 0 else {}
    except ValueError:
        return False
    return bool(found.get("applyMethod") == "ssa")


def secrets_of(cluster: Cluster, objects: Sequence[Object], namespace: str) -> list[str]:
    """Values of the Secrets that the objects name, as far as the account may read them and their keys say secret."""
    found = []
    for name in sorted(references.needed(objects)):
        try:
            secret = cluster.get("v1", "secrets", name, namespace) or {}
        except FindingError:
            continue
        for key, value in (secret.get("data") or {}).items():
            text = base64.b64decode(value).decode(errors="replace") if secret_name(key) else ""
            found += [text] if len(text) >= _LEAST_SECRET else []
    return found


class _Way(t.NamedTuple):
    """How Helm would apply the objects, and which of them are taken from others."""

    by_server: bool
    taken: Container[tuple[str, str]]
    there: bool


class _Question:
    """The objects of one release, each asked for by itself."""

    def __init__(self, cluster: Cluster, namespace: str, last: Sequence[Object], way: _Way) -> None:
        self._cluster, self._namespace, self._way = cluster, namespace, way
        self._kinds = rehearsal.Kinds(cluster)
        self._last = {key(item, namespace): item for item in last}

    def states(self, planned: Sequence[Object]) -> Iterator[State]:
        for item in planned:
            yield self._planned(item)
        kept = {key(item, self._namespace) for item in planned}
        for name, item in self._last.items():
            if name not in kept:
                yield from self._left(item)

    def _place(self, item: Object) -> tuple[str, str | None] | None:
        found = self._kinds.resource(item)
        if found is None:
            return None
        return found[0], (item["metadata"].get("namespace") or self._namespace) if found[1] else None

    def _planned(self, item: Object) -> State:
        place = self._place(item)
        if place is None:
            words = f"the cluster knows no kind {item['kind']} of {item['apiVersion']}: install what brings it"
            return State(None, item, words)
        plural, namespace = place
        if not self._way.there and namespace is not None:
            return State(None, item)
        live = None
        try:
            live = self._cluster.get(item["apiVersion"], plural, item["metadata"]["name"], namespace)
            return self._tried(plural, namespace, item, live)
        except (Forbidden, Refused) as error:
            if isinstance(error, Refused) and not rehearsal.impossible(error):
                return State(live, _overlaid(item, live), error.said)
            return _guessed(item, live, error)

    def _tried(self, plural: str, namespace: str | None, item: Object, live: Object | None) -> State:
        if live is not None and not self._way.by_server:
            last = self._last.get(key(item, self._namespace))
            group = item["apiVersion"].rpartition("/")[0]
            strategic = not group or group in _OWN_GROUPS or group.endswith(".k8s.io")
            change = three_way.patch(last, item, strategic=strategic)
            return State(live, rehearsal.patched(self._cluster, plural, change, namespace, strategic=strategic))
        try:
            return State(live, rehearsal.applied(self._cluster, plural, item, namespace, force=False))
        except Refused as error:
            if error.status != 409 or "conflict" not in error.said.lower():
                raise
            said = error.said
        taken = (item["kind"], item["metadata"]["name"]) in self._way.taken
        after = rehearsal.applied(self._cluster, plural, item, namespace, force=True)
        note = ("fields that others set are taken back",) if taken else ()
        return State(
            live, after, "" if taken else f"others set fields of it, and Helm takes none from them: {said}", note
        )

    def _left(self, item: Object) -> Iterator[State]:
        """What the chart has no more, as far as it is still there."""
        place = self._place(item)
        live = None
        if place is not None:
            try:
                live = self._cluster.get(item["apiVersion"], place[0], item["metadata"]["name"], place[1])
            except Forbidden as error:
                yield State(item, None, notes=(f"not compared: {error.message}",))
        if live is not None:
            kept = belongings.kept(live["metadata"].get("annotations") or {})
            yield State(live, live if kept else None, kept=kept)


def key(item: Object, namespace: str) -> Key:
    """What makes two manifests one object, whatever version of the API they are written for."""
    group = item["apiVersion"].rpartition("/")[0]
    metadata = item["metadata"]
    return group, item["kind"], metadata.get("namespace") or namespace, metadata["name"]


def _guessed(item: Object, live: Object | None, why: FindingError) -> State:
    words = why.said if isinstance(why, Refused) else why.message
    return State(live, _overlaid(item, live), notes=(f"compared without the API server's own answer: {words}",))


def _overlaid(item: Object, live: Object | None) -> Object:
    if item.get("stringData"):
        # The API server keeps it so, and shows nothing else.
        encoded = {name: base64.b64encode(str(text).encode()).decode() for name, text in item["stringData"].items()}
        item = {name: value for name, value in item.items() if name != "stringData"}
        item["data"] = (item.get("data") or {}) | encoded
    return item if live is None else t.cast("Object", _over(item, live))


def _over(wanted: t.Any, there: t.Any) -> t.Any:
    if isinstance(wanted, dict) and isinstance(there, dict):
        return there | {name: _over(value, there.get(name)) for name, value in wanted.items()}
    return there if facts.covers(wanted, there) else wanted


__all__ = ("Look", "State", "key", "look", "marked", "secrets_of")
