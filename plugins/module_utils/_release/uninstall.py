"""release_uninstall: the end of a release; what it stored stays, unless it is named and confirmed."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import shlex
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import files
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import job_manifest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import kubeconfig as kubeconfigs
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import (
    Forbidden,
    Refused,
    connect,
    namespace_exists,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release import belongings, helm, waits
from ansible_collections.ai_platform.agent.plugins.module_utils._release.look import release_selector
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.belongings import Found, Kind

Row = dict[str, t.Any]
POLL_SECONDS = 0.5
# Helm's own record answers at once, or not at all.
RECORD_SECONDS = 60
_OUR_CHART = re.compile(r"ai-agent-\d")
_STATES = ("--deployed", "--failed", "--pending", "--uninstalling", "--uninstalled")
# Things of a release that stay, in words.
_WORDS: t.Final = {
    "postgresql-volume": "the database's volume",
    "redis-volume": "the cache's volume",
    "secret": "the passwords",
}

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "remove": {"type": "list", "elements": "str", "choices": list(belongings.REMOVABLE), "default": []},
    "confirm": {"type": "str"},
    "helm_binary": {"type": "path", "default": "helm"},
    "timeout": {"type": "str", "default": "10m"},
    "report_path": {"type": "path"},
}


@dataclasses.dataclass(frozen=True)
class _Seen:
    """What is in the namespace.

    :param record: helm's record of the release, empty without one
    :param items: what the release's or our own labels select
    :param doomed: which data helm would remove, and why
    :param unread: kinds that the account may not list
    """

    record: Row
    items: tuple[Found, ...]
    doomed: tuple[tuple[str, str], ...]
    unread: tuple[str, ...]

    def named(self, remove: t.Collection[str]) -> list[Found]:
        """The data that is to be removed as well."""
        return [
            item
            for item in belongings.of(self.items, "postgresql-volume", "redis-volume", "secret")
            if item.whose in remove
        ]

    def kept(self, remove: t.Collection[str]) -> list[Found]:
        """The data that stays."""
        stored = belongings.of(self.items, "postgresql-volume", "redis-volume", "secret")
        return [item for item in stored if item.whose not in remove]

    @property
    def beside(self) -> list[Found]:
        """What runs and hooks left, which helm does not remove."""
        return belongings.of(self.items, "hook", "run")

    @property
    def helms(self) -> list[Found]:
        """What helm applied."""
        return belongings.of(self.items, "helm")


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result; it never fails but by an error.

    :param params: the module's, and `check_mode`
    :raises FindingError: nothing was removed, or not all of it; then its sentence says what is left
    """
    seconds = _seconds(params["timeout"])
    remove, check = set(params["remove"]), bool(params["check_mode"])
    wrong = _confirmation(params)
    if wrong and not (check and not params["confirm"]):
        raise FindingError("uninstall-unconfirmed", f"{wrong} Nothing was removed.")
    cluster = connect(params)
    with kubeconfigs.variables(kubeconfigs.kubeconfig(cluster)) as environment:
        seen = _look(cluster, params, _record(params, environment))
        _assert_removable(seen, params, seconds)
        there = bool(seen.record or seen.helms or seen.beside or seen.named(remove))
        if there and not check:
            try:
                _remove(cluster, params, seen, environment, seconds)
            except FindingError as error:
                error.changed = True
                raise
    result = _result(cluster, params, seen, changed=there)
    result["summary"] = _summary(result, params, wrong)
    files.write(params["report_path"], json.dumps(result, indent=1))
    return t.cast("Row", all_printable(result)), None


def _seconds(duration: str) -> int:
    try:
        return waits.seconds(duration)
    except ValueError as error:
        raise FindingError("argument-invalid", f"timeout: {error}.") from None


def _confirmation(params: Row) -> str:
    """Why data may not be removed, or the wrong release is meant; empty where all is well."""
    release, given = params["release_name"], params["confirm"] or ""
    if given and given != release:
        return f'The confirmation "{given}" is not the name of this release, {release}.'
    if params["remove"] and not given:
        what = " and ".join(params["remove"])
        return f"Removing {what} of release {release} cannot be undone: confirm it with ai_agent_confirm={release}."
    return ""


def _look(cluster: Cluster, params: Row, record: Row) -> _Seen:
    namespace, release = params["release_namespace"], params["release_name"]
    if namespace_exists(cluster, namespace) is False:
        return _Seen({}, (), (), ())
    raw: dict[str, tuple[Kind, Row]] = {}
    unread = []
    for kind in belongings.KINDS:
        selectors = [release_selector(release)]
        if kind.name in belongings.RUN_KINDS:
            selectors.append(f"{job_manifest.MANAGER}={job_manifest.OWN_MANAGER}")
        try:
            for selector in selectors:
                for item in cluster.list(kind.version, kind.plural, namespace, labels=selector):
                    raw[item["metadata"]["uid"]] = (kind, item)
        except Forbidden:
            # An account that may remove nothing of a kind may have been kept from reading it for a reason.
            if not kind.rare:
                unread.append(kind.name)
        except Refused as error:
            if error.status != 404 or not kind.rare:
                raise
    items = tuple(belongings.found(kind, item, release, namespace) for kind, item in raw.values())
    doomed = belongings.doomed_claims(raw.values(), release, namespace)
    return _Seen(record, items, tuple(doomed), tuple(unread))


def _record(params: Row, environment: t.Mapping[str, str]) -> Row:
    """Helm's record of the release in whatever state, empty without one.

    :raises FindingError: helm cannot be asked
    """
    words = [params["helm_binary"], "list", "--filter", f"^{re.escape(params['release_name'])}$", *_STATES]
    words += ["--output", "json", "--time-format", "2006-01-02T15:04:05Z07:00"]
    ended = helm.run(
        [*words, "--namespace", params["release_namespace"]], seconds=RECORD_SECONDS, environment=environment
    )
    _assert_done(ended, "list the release")
    try:
        releases = json.loads(ended.output or "[]")
    except ValueError:
        raise FindingError("uninstall-unfinished", "helm list answered something that is no JSON.") from None
    return t.cast("Row", releases[-1]) if releases else {}


def _assert_done(ended: helm.Ended, what: str) -> None:
    if ended.denied:
        raise FindingError("cluster-forbidden", ended.denied)
    if ended.code:
        words = f"helm could not {what}: {ended.complaint.rstrip('.')}. Run it again: it goes on where it stopped."
        raise FindingError("uninstall-unfinished", words)


def _assert_removable(seen: _Seen, params: Row, seconds: int) -> None:
    """:raises FindingError: this is another chart's release, a run may still work on it, or helm would remove data"""
    release, namespace = params["release_name"], params["release_namespace"]
    chart, status = str(seen.record.get("chart") or ""), str(seen.record.get("status") or "")
    if seen.record and not _OUR_CHART.match(chart):
        words = f"Release {release} in namespace {namespace} is of the chart {chart}, which is not ai-agent"
        raise FindingError("release-another-chart", f"{words}: nothing was removed. Correct ai_agent_release_name.")
    age = _age(str(seen.record.get("updated") or ""))
    # A helm that lives longer than twice its time-out is none of ours.
    if status.startswith("pending-") and (age is None or age < 2 * seconds):
        when = f"since {seen.record.get('updated')}"
        words = f"Release {release} in namespace {namespace} is {status} {when}: another run may be at work on it"
        raise FindingError(
            "uninstall-busy",
            f"{words}, so nothing was removed. Wait for it, or make sure that none is and run helm uninstall by hand.",
        )
    doomed = [why for what, why in seen.doomed if what not in params["remove"]]
    if doomed and seen.record:
        words = f"{'; '.join(doomed)}, so data would go with release {release}: nothing was removed"
        raise FindingError("uninstall-takes-data", f"{words}.")


def _age(written: str) -> float | None:
    """Seconds since then, None where the time cannot be read."""
    try:
        then = datetime.datetime.fromisoformat(written)
    except ValueError:
        return None
    if then.tzinfo is None:
        return None
    return (datetime.datetime.now(datetime.UTC) - then).total_seconds()


def _remove(cluster: Cluster, params: Row, seen: _Seen, environment: t.Mapping[str, str], seconds: int) -> None:
    """:raises FindingError: something was not removed in time"""
    end = time.monotonic() + seconds
    namespace, remove = params["release_namespace"], set(params["remove"])
    if seen.record:
        words = [params["helm_binary"], "uninstall", params["release_name"], "--namespace", namespace, "--wait"]
        # Helm itself says what it waited for, when its own time is up.
        words += ["--timeout", params["timeout"]]
        ended = helm.run(words, seconds=2 * seconds, environment=environment)
        _assert_done(ended, "uninstall the release")
    # Looked at again: what a hook or a controller made meanwhile, and what helm left because its record was incomplete.
    now = _look(cluster, params, {})
    _delete(cluster, namespace, [*now.beside, *now.helms])
    _wait(cluster, params, end, remove=set())
    _delete(cluster, namespace, now.named(remove))
    _wait(cluster, params, end, remove=remove)


def _delete(cluster: Cluster, namespace: str, items: t.Sequence[Found]) -> None:
    for item in items:
        if not item.going:
            cluster.delete(item.kind.version, item.kind.plural, item.name, namespace)


def _wait(cluster: Cluster, params: Row, end: float, *, remove: t.Collection[str]) -> None:
    """Until nothing is left of what was deleted, pods that still end among it.

    :raises FindingError: something still is
    """
    while True:
        seen = _look(cluster, params, {})
        pods = [item for item in belongings.of(seen.items, "child") if item.kind.name == "Pod"]
        left = [*seen.helms, *seen.beside, *pods, *seen.named(remove)]
        if not left:
            return
        if time.monotonic() >= end:
            held = [f"{item.words}{f' (held by {", ".join(item.held)})' if item.held else ''}" for item in left]
            more = f" and {len(held) - 5} more" if len(held) > 5 else ""
            words = f"After {params['timeout']} these are still there: {', '.join(held[:5])}{more}"
            raise FindingError("uninstall-unfinished", f"{words}. Run it again: it goes on where it stopped.")
        time.sleep(POLL_SECONDS)


def _result(cluster: Cluster, params: Row, seen: _Seen, *, changed: bool) -> Row:
    remove = set(params["remove"])
    removed = [*seen.helms, *seen.beside, *seen.named(remove)] if changed else []
    return {
        "changed": changed,
        "cluster": cluster.address,
        "release": {name: seen.record.get(name) for name in ("status", "chart", "revision")} if seen.record else {},
        "removed": [item.as_dict() for item in removed],
        "kept": [item.as_dict() | {"command": _command(cluster, params, item)} for item in seen.kept(remove)],
        "others": [item.as_dict() for item in belongings.of(seen.items, "others")],
        "unread": list(seen.unread),
    }


def _command(cluster: Cluster, params: Row, item: Found) -> str:
    """What removes one object, for a shell on this machine."""
    where = []
    if isinstance(params["kubeconfig"], str) and params["kubeconfig"]:
        where += ["--kubeconfig", params["kubeconfig"]]
    if cluster.context:
        where += ["--context", cluster.context]
    words = ["kubectl", *where, "--namespace", params["release_namespace"], "delete", item.kind.plural, item.name]
    return shlex.join(words)


def _summary(result: Row, params: Row, wrong: str) -> list[str]:
    release, namespace = params["release_name"], params["release_namespace"]
    number, stays = len(result["removed"]), len(result["kept"])
    stored = f"{stays} {'object' if stays == 1 else 'objects'} with data {'stays' if stays == 1 else 'stay'}"
    if not result["changed"]:
        lines = [f"Nothing of release {release} is there in namespace {namespace}{f'; {stored}' if stays else ''}."]
    else:
        verb = "would be" if params["check_mode"] else "was"
        lines = [f"Release {release} in namespace {namespace} {verb} uninstalled: {number} objects removed, {stored}."]
        mode = "would be removed" if params["check_mode"] else "removed"
        lines += [f"{mode}: {item['kind']} {item['name']} ({item['what']})" for item in result["removed"]]
    lines += [
        f"stays: {item['kind']} {item['name']}, {_WORDS[item['what']]}; it goes with `{item['command']}`"
        for item in result["kept"]
    ]
    lines += [f"not touched: {item['kind']} {item['name']}, which others made" for item in result["others"]]
    if result["unread"]:
        lines.append(f"not looked at: {', '.join(result['unread'])}, which the account may not list")
    if wrong:
        lines.append(f"A run that is not a check would stop here: {wrong}")
    return lines


__all__ = ("ARGUMENTS", "execute")
