"""From the arguments of the preflight to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import datetime
import re
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies, files, policy
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import git_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.options import OPTIONS
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.publication import publish
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_folder import RewriteFolder

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import NewImage, Source

# More is in report_path; a result must stay readable in AWX.
INLINE_STATEMENTS = 50
INLINE_LOCKS = 10
CONNECT_SECONDS = 5
# An address that was given as a path: Ansible's type path drops the second slash.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/+[^/]|.*://")
_PLAIN = frozenset({"alembic_ini", "environment", "last_verified_backup", "only_changed", "target"})


def execute(params: dict[str, t.Any]) -> tuple[dict[str, t.Any], str | None]:
    """The module's result, and the sentence for which it fails under its policy (None: it does not).

    :param params: the module's arguments, and `check_mode` where that is on
    :raises FindingError: there is no verdict, which is then all that the reports say
    """
    _check(params)
    try:
        return _judge(params)
    except FindingError as error:
        subject = f"{params['release_namespace']}/{params['release_name']}" if params.get("release_name") else "direct"
        publish(params, files.write_error(params, "migration_preflight", subject, error))
        raise


def _judge(params: dict[str, t.Any]) -> tuple[dict[str, t.Any], str | None]:
    rewrites = RewriteFolder(params["rewrite_dir"], params["alembic_dir"]) if params["rewrite_dir"] else None
    only = _only(params)
    open_source = _on_cluster if params.get("release_name") else _from_facts if params.get("facts") else _direct
    with open_source(params, only[0].top if only else None) as source:
        # These modules import the libraries that were just looked for; that takes as long as the transport's start.
        from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import acceptance, judge_rows, run

        thresholds = policy.Thresholds(**(params["thresholds"] or {}))
        request = run.Request(
            environment=params["environment"],
            acceptances=tuple(acceptance.Acceptance(**item) for item in params["accept"]),
            thresholds=thresholds,
            migrator_sets_lock_timeout=params["migrator_sets_lock_timeout"],
            migrator_lifts_timeouts=params["migrator_lifts_timeouts"],
            connections_needed=params["connections_needed"],
            last_backup=params["last_verified_backup"] or _last_backup(params),
            trace=params["trace"],
            rows=judge_rows.RowPolicy(
                params["check_rows"],
                params["environment"] not in acceptance.LENIENT,
                thresholds.checked_rows_bytes,
                params["statement_timeout_ms"],
            ),
            rewrites=rewrites,
            only=only,
        )
        full, findings, sql = run.run(request, source)
        if params["facts_path"]:
            _write_facts(params["facts_path"], source)
    from ansible_collections.ai_platform.agent.plugins.module_utils._common import report
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import table

    files.write(params["sql_path"], sql)
    files.write_reports(params, full)
    publish(params, full)
    problem = policy.problem(full["verdict"], policy.failing(findings, params["fail_on"]), params["fail_on"])
    summary = table.summary(full, reported=bool(params["report_path"]))
    return _bounded(report.inline(full)) | {"summary": summary}, problem


def _only(params: dict[str, t.Any]) -> tuple[git_changes.Changed, Path, str] | None:
    """What alone counts for the verdict; None where all that is pending does.

    :raises FindingError: `argument-invalid`: it cannot be found out
    """
    if not params["only_changed"]:
        return None
    folder = Path(params["alembic_dir"])
    return git_changes.since(folder, params["only_changed"]), folder, params["alembic_ini"]


def _last_backup(params: dict[str, t.Any]) -> str | None:
    """When the last verified backup was made, as database_backup recorded it.

    :raises FindingError: the folder cannot be read
    """
    if not params["backup_path"] and not params.get("release_name"):
        return None
    from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_record

    if params["backup_path"]:
        return backup_record.in_folder(Path(params["backup_path"]))
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect

    return backup_record.in_cluster(connect(params), params["release_namespace"], params["release_name"])


@contextlib.contextmanager
def _direct(params: dict[str, t.Any], reads: Path | None) -> t.Iterator[Source]:
    dependencies.assert_libraries(dependencies.DIRECT)
    # It begins at once, while the rest is imported.
    # SQLAlchemy knows the longer one only, unless env.py helps it.
    alembic = _alembic(params, "postgres" if params["database_url"].startswith("postgres:") else "postgresql", reads)
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source_direct import DirectSource

    with DirectSource(params["database_url"], alembic, params["trace_postgresql"], **_session(params)) as source:
        yield source


@contextlib.contextmanager
def _from_facts(params: dict[str, t.Any], reads: Path | None) -> t.Iterator[Source]:
    dependencies.assert_libraries(dependencies.FACTS)
    alembic = _alembic(params, "postgresql", reads)
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source_facts import FactsSource

    most_hours = policy.Thresholds(**(params["thresholds"] or {})).facts_age_hours
    with FactsSource(params["facts"], alembic, most_hours) as source:
        yield source


def _alembic(params: dict[str, t.Any], scheme: str, reads: Path | None) -> AlembicProcess:
    return AlembicProcess(
        Path(params["alembic_dir"]) / params["alembic_ini"],
        params["target"],
        params["render_timeout"],
        {name: str(value) for name, value in params["alembic_environment"].items()},
        python=params["alembic_python"],
        folder=Path(params["alembic_dir"]),
        x=params["alembic_x"],
        scheme=scheme,
        reads=reads,
    )


def _write_facts(path: str, source: Source) -> None:
    """Write what is needed to judge without this database.

    :raises FindingError: it cannot be had or written
    """
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import facts_file, source_direct

    if isinstance(source, source_direct.DirectSource):
        now = datetime.datetime.now(datetime.UTC)
        files.write(path, facts_file.text_of(source.whole_facts(), now))


@contextlib.contextmanager
def _on_cluster(params: dict[str, t.Any], _reads: Path | None) -> t.Iterator[Source]:
    dependencies.assert_libraries(dependencies.CLUSTER)
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import source_cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._release import facts

    plan = facts.planned(facts.parse(params["manifests"]), params["release_name"])
    options = source_cluster.Options(
        release=params["release_name"],
        namespace=params["release_namespace"],
        target=params["target"],
        job_timeout=params["job_timeout"],
        render_timeout=params["render_timeout"],
        limits=_session(params),
        new_image=_new_image(params),
        deduce=params["deduce"],
        pull_timeout=params["pull_timeout"],
        environment={name: str(value) for name, value in params["alembic_environment"].items()},
        trace_image=params["trace_image"],
        trace_user=params["trace_user"],
    )
    with source_cluster.ClusterSource(connect(params), plan, options) as source:
        yield source


def _new_image(params: dict[str, t.Any]) -> NewImage:
    """A rehearsal gives no image anything, whatever the deployment may."""
    if not params["trust_new_image"]:
        return "untrusted"
    return "check-mode" if params.get("check_mode") else "trusted"


def _session(params: dict[str, t.Any]) -> dict[str, int]:
    """Time limits of the session with the database, as _in_pod/session.py takes them."""
    return {
        "connect_timeout": CONNECT_SECONDS,
        "lock_timeout_ms": params["lock_timeout_ms"],
        "statement_timeout_ms": params["statement_timeout_ms"],
    }


def _check(params: dict[str, t.Any]) -> None:
    """Check the ranges of the arguments.

    :raises FindingError: `argument-invalid`, for the first value out of its range
    """
    if params["alembic_dir"] and not (params["database_url"] or params["facts"]):
        words = "alembic_dir needs database_url, or facts where the database cannot be reached."
        raise FindingError("argument-invalid", words)
    for name, option in OPTIONS.items():
        # What is meant for database_url stands in messages and in names of files, once it is somewhere else.
        plain = name in _PLAIN or option["type"] == "path"
        if plain and isinstance(params.get(name), str) and _ADDRESS.match(params[name]):
            raise FindingError("argument-invalid", f"{name} is a URL, which nobody expects there; correct it.")
    if not 1 <= params["lock_timeout_ms"] <= 500:
        raise FindingError("argument-invalid", "lock_timeout_ms must be between 1 and 500.")
    # PostgreSQL takes 0 for "no limit".
    least = {
        "statement_timeout_ms": 1,
        "render_timeout": 1,
        "job_timeout": 1,
        "pull_timeout": 0,
        "connections_needed": 0,
    }
    given = {name: params[name] for name in least} | (params["thresholds"] or {})
    for name, value in given.items():
        if value < least.get(name, 0):
            raise FindingError("argument-invalid", f"{name} must be at least {least.get(name, 0)}.")
    if params["last_verified_backup"]:
        try:
            datetime.datetime.fromisoformat(params["last_verified_backup"])
        except ValueError:
            words = "last_verified_backup is no ISO 8601 time; write 2026-11-21T03:00:00+00:00."
            raise FindingError("argument-invalid", words) from None


def _bounded(result: dict[str, t.Any]) -> dict[str, t.Any]:
    pending: list[dict[str, t.Any]] = []
    left, omitted = INLINE_STATEMENTS, 0
    for revision in result["pending"]:
        kept = [_short(item) for item in revision["statements"][: max(0, left)]]
        omitted += len(revision["statements"]) - len(kept)
        left -= len(kept)
        if kept or len(pending) < INLINE_STATEMENTS:
            pending.append(revision | {"statements": kept})
    return result | {"pending": pending, "pending_count": len(result["pending"]), "statements_omitted": omitted}


def _short(statement: dict[str, t.Any]) -> dict[str, t.Any]:
    """A statement on a table with thousands of partitions locks each of them."""
    locks = statement["locks"]
    if len(locks) <= INLINE_LOCKS:
        return statement
    return statement | {"locks": locks[:INLINE_LOCKS], "locks_omitted": len(locks) - INLINE_LOCKS}


__all__ = ("INLINE_LOCKS", "INLINE_STATEMENTS", "execute")
