"""From the parameters of database_move to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable
from ansible_collections.ai_platform.agent.plugins.module_utils._database import (
    backup_cluster,
    backup_record,
    move_judge,
    move_steps,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._database.move_cluster import (
    Release,
    reference,
    spelled,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release import facts, move_record
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

Row = dict[str, t.Any]
# Names, and nothing that is secret.
_SECRET: t.Final[Row] = {
    "name": {"type": "str", "required": True},
    "key": {"type": "str", "required": True, "no_log": False},
}

ARGUMENTS: t.Final[Row] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["moved", "ended", "returned", "forgotten"], "default": "moved"},
    "manifests": {"type": "str", "required": True},
    "database_secret": {"type": "dict", "no_log": False, "options": _SECRET},
    "source_secret": {"type": "dict", "no_log": False, "options": _SECRET},
    "same_roles": {"type": "bool", "default": False},
    "postgresql_image": {"type": "str"},
    "work_claim": {"type": "str"},
    "jobs": {"type": "int", "default": 2},
    "version_table": {"type": "str", "default": "alembic_version"},
    "lock_timeout_ms": {"type": "int", "default": 10000},
    "job_timeout": {"type": "int", "default": 60},
    "pull_timeout": {"type": "int", "default": 600},
    "run_timeout": {"type": "int", "default": 3600},
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result; it fails by an error, or by the findings of its preflight.

    :param params: the module's, and `check_mode`
    :raises FindingError: a step could not be done; what was done before it stands in the record
    """
    dependencies.assert_libraries({"kubernetes": dependencies.CLUSTER["kubernetes"]})
    release = Release(
        connect(params), params["release_namespace"], params["release_name"], facts.parse(params["manifests"])
    )
    move = _Move(release, params)
    row, problem = {
        "moved": move.forward,
        "ended": move.end,
        "returned": move.back,
        "forgotten": move.forget,
    }[params["state"]]()
    return t.cast("Row", all_printable(row)), problem


@dataclasses.dataclass
class _Move:
    """One call."""

    release: Release
    params: Row
    findings: list[Finding] = dataclasses.field(default_factory=list)
    summary: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.check = bool(self.params["check_mode"])
        self.record = move_record.read(self.release.cluster, self.release.namespace, self.release.name)
        self.reads, self.wanted = self.release.reads(), self.release.wanted()

    def _facts(self) -> move_steps.Facts:
        return move_steps.Facts(
            self.record, spelled(self.reads), spelled(self.wanted), shared.is_rolled_out(self.release.living())
        )

    def _written(self, **changes: t.Any) -> None:
        self.record = dataclasses.replace(self.record, **changes)
        move_record.write(self.release.cluster, self.release.namespace, self.release.name, self.record)

    def _row(self, step: str, *, changed: bool, **more: t.Any) -> Row:
        record = dataclasses.asdict(self.record)
        shown = {name: record[name] for name in ("state", "source", "target", "seconds")}
        found = [item.as_dict() for item in self.findings]
        return {
            "changed": changed,
            "next": step,
            "record": shown,
            "findings": found,
            "summary": self.summary,
            **more,
        }

    def forward(self) -> tuple[Row, str | None]:
        """Up to the deployment, which is somebody else's work."""
        step = move_steps.next_step(self._facts())
        if step == "nothing":
            words = f"Release {self.release.namespace}/{self.release.name} reads that database: nothing is to be moved"
            self.summary.append(f"{words}.")
            return self._row("nothing", changed=False), None
        if step in {"deploy", "end"}:
            self.summary.append(f"The database is at {self.record.target}, and the agent's pods are to follow.")
            return self._row("deploy", changed=not self.check), None
        self.release.assert_same_image()
        if not self.check:
            self.release.end_left()
        owner = self._source_owner()
        found = self._ask("look", owner)
        self.findings += move_judge.judged(
            found, same_roles=self.params["same_roles"], begun=self.record.state in move_record.UNFINISHED
        )
        records = backup_record.kept(self.release.cluster, self.release.namespace, self.release.name)
        self.findings.append(move_judge.told(records, found["source"]))
        source, target = found["source"]["where"], f"{found['target']['where']}/{found['target']['database']}"
        failing = [item for item in self.findings if item.severity == "fail"]
        self.summary += [f"{item.severity}: {item.message}" for item in self.findings]
        if failing:
            more = f" ({len(failing) - 1} more)" if len(failing) > 1 else ""
            row = self._row("nothing", changed=False, error_id=failing[0].id)
            return row, f"{failing[0].message}{more} Nothing was changed."
        # Before anybody is held up: an image with PostgreSQL's programs is known.
        self.release.assert_programs(self._options(owner, self.params["database_secret"], self.wanted, programs=True))
        if self.check:
            words = f"{source} would be made read-only, copied to {target}, compared, and the agent led there"
            self.summary.append(f"{words}; the old database would stay, read-only.")
            return self._row("copy", changed=True), None
        return self._copied(owner, source, target)

    def _copied(self, owner: tuple[str, str], source: str, target: str) -> tuple[Row, str | None]:
        places = {
            "now": spelled(self.wanted),
            "new": spelled(self.wanted),
            "old": spelled(self.reads),
            "old_owner": spelled(owner),
        }
        begun = self.record
        self._written(state="copying", source=source, target=target, frozen_at=begun.frozen_at or time.time(), **places)
        try:
            done = self._ask("copy", owner)
        except FindingError as error:
            # Nobody knows what is left of it: the record stays, and the next run looks.
            error.changed = True
            raise
        if refused := done.get("refused"):
            move_record.remove(self.release.cluster, self.release.namespace, self.release.name)
            raise FindingError(refused["id"], refused["message"])
        # Clocks of nodes and of this machine may differ: what counts is how long ago it was there.
        ago = done["now"] - done["frozen_at"]
        frozen_at = begun.frozen_at if done["was_frozen"] and begun.frozen_at else time.time() - ago
        # The chart takes the URL for the one that is meant from here on.
        self._written(state="copied", frozen_at=frozen_at)
        aside = self.release.set_aside()
        took = ", ".join(f"{name} {seconds:g} s" for name, seconds in done["seconds"].items())
        words = "was copied to" if done["copied"] else "had been copied before, and is the same as"
        if aside:
            self.summary.append(f"The old server stays: {', '.join(aside)}.")
        self.summary.append(
            f"{source} {words} {target}: {done['tables']} tables, {done['rows']} rows, counted on both sides ({took}).",
        )
        self.findings += [finding("backup-note", note) for note in done["notes"]]
        return self._row("deploy", changed=True, seconds=done["seconds"], set_aside=aside), None

    def end(self) -> tuple[Row, str | None]:
        """What is left once the pods were replaced."""
        facts_now = self._facts()
        if self.record.state == "returning":
            if move_steps.next_back(facts_now) != "end":
                return self._row("deploy", changed=False), None
            if not self.check:
                move_record.remove(self.release.cluster, self.release.namespace, self.release.name)
            self.summary.append(f"The agent works with {self.record.source} again.")
            return self._row("nothing", changed=not self.check), None
        step = move_steps.next_step(facts_now)
        if step != "end":
            return self._row(step, changed=False), None
        seconds = round(max(0.0, time.time() - self.record.frozen_at), 1)
        if not self.check:
            self._written(state="moved", seconds=seconds)
        words = f"The agent works with {self.record.target}; nobody could write for {seconds:g} s"
        until = "stays, read-only, until ai_agent_move_forget; ai_agent_move_return goes back"
        self.summary.append(f"{words}. {self.record.source} {until}.")
        return self._row("nothing", changed=not self.check), None

    def back(self) -> tuple[Row, str | None]:
        """The way back: before the pods were replaced at no price, afterwards without what was written since."""
        step = move_steps.next_back(self._facts())
        before = spelled(self.reads) == self.record.old
        source, target = self.record.source, self.record.target
        if step in {"deploy", "end"}:
            return self._row("deploy", changed=not self.check), None
        if not self.check:
            self.release.end_left()
        lost: list[str] = []
        if not before:
            lost = self._ask("differences", reference(self.record.old_owner), back=True)["differences"]
            words = "; ".join(lost[:10]) or "the counts of all tables are the same"
            self.summary.append(f"What was written since stays at {target}: {words}.")
        if self.check:
            self.summary.append(f"{source} would be written again, and the agent would work with it.")
            return self._row("thaw", changed=True, differences=lost), None
        if before:
            self._ask("thaw", reference(self.record.old_owner), back=True)
            self.release.take_back()
            move_record.remove(self.release.cluster, self.release.namespace, self.release.name)
            words = f"{source} is written again, and the agent has never left it"
            self.summary.append(f"{words}. What was copied to {target} stays there: drop it.")
            return self._row("nothing", changed=True), None
        self._written(state="returning", now=self.record.old)
        self._ask("thaw", reference(self.record.old_owner), back=True)
        self.release.take_back()
        self.summary.append(f"{source} is written again; the agent's pods are to follow.")
        return self._row("deploy", changed=True, differences=lost), None

    def forget(self) -> tuple[Row, str | None]:
        """Give up the way back: remove what was set aside."""
        move_steps.assert_forgettable(self.record, spelled(self.reads))
        source = self.record.source
        if self.check:
            self.summary.append(f"What was set aside of {source} would be removed; its volumes would stay.")
            return self._row("nothing", changed=True), None
        gone = self.release.forget()
        move_record.remove(self.release.cluster, self.release.namespace, self.release.name)
        what = (
            f"{', '.join(gone)} removed; the volumes stay" if gone else "it is no server of this release: drop it there"
        )
        self.summary.append(f"The old database {source} is forgotten: {what}.")
        return self._row("nothing", changed=True, removed=gone), None

    def _source_owner(self) -> tuple[str, str]:
        if given := self.params["source_secret"]:
            return given["name"], given["key"]
        return self.release.owner_of(self.reads)

    def _ask(self, action: str, source: tuple[str, str], *, back: bool = False) -> Row:
        params = self.params
        admin = params["database_secret"]
        if not admin:
            words = "database_secret (ai_agent_move_database_secret) is missing"
            raise FindingError("argument-invalid", f"{words}: name the URL of a role that may create databases.")
        new = reference(self.record.new) if back else self.wanted
        return self.release.ask(
            self._options(source, admin, new, programs=action == "copy"),
            {name: params[name] for name in ("jobs", "version_table", "lock_timeout_ms", "same_roles")}
            | {"action": action},
        )

    def _options(
        self, source: tuple[str, str], admin: Row, new: tuple[str, str], *, programs: bool
    ) -> backup_cluster.Options:
        params = self.params
        return backup_cluster.Options(
            namespace=self.release.namespace,
            release=self.release.name,
            work_claim=params["work_claim"],
            image=params["postgresql_image"],
            url=source,
            secrets={
                "MOVE_ADMIN_URL": (admin["name"], admin["key"]),
                "MOVE_OWNER_URL": self.release.owner_of(new),
                "MOVE_AGENT_URL": new,
            },
            start_seconds=params["job_timeout"],
            pull_seconds=params["pull_timeout"],
            run_seconds=params["run_timeout"],
            programs=programs,
        )


__all__ = ("ARGUMENTS", "execute")
