"""The catalogue of findings, acceptance, policy and the report's form."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common import files, policy, report
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import execution, module, options
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.acceptance import (
    Acceptance,
    apply_acceptances,
    docstring_acceptances,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import LOCK_KEY
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.lock_modes import Mode, conflicts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.reading import RULES
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment

ROOT = Path(__file__).resolve().parents[5]
SOURCES = [path.read_text() for path in (ROOT / "plugins" / "module_utils").rglob("*.py")]
# A warning of guard is a sentence in a task, with the section of the runbook.
TASKS = [path.read_text() for path in (ROOT / "roles/ai_agent/tasks").glob("*.yml")]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


@pytest.mark.parametrize("finding_id", CATALOGUE)
def test_every_finding_is_used_has_a_hint_and_a_section_of_the_runbook(finding_id: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", finding_id)
    assert CATALOGUE[finding_id].hint.endswith(".")
    used = sum(f'"{finding_id}"' in source for source in SOURCES)
    assert used + any(f"runbook.md#{finding_id})" in task for task in TASKS) >= 2
    assert f"\n### {finding_id}\n" in RUNBOOK


def test_every_rule_is_used_and_names_its_source() -> None:
    for rule, source in RULES.items():
        assert source.startswith("https://")
        assert sum(source.count(f'"{rule}"') for source in SOURCES) >= 2, rule


def test_lock_conflicts_are_symmetric() -> None:
    for one in Mode:
        for other in Mode:
            assert conflicts(one, other) == conflicts(other, one)
    assert Mode.of_server("ShareRowExclusiveLock") == Mode.SHARE_ROW_EXCLUSIVE


FAIL, UNKNOWN, WARN, INFO = (
    finding(name, "m.") for name in ("rename", "statement-opaque", "type-change", "lock-brief")
)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [([], "safe"), ([INFO], "safe"), ([WARN], "warn"), ([WARN, UNKNOWN], "unknown"), ([UNKNOWN, FAIL], "unsafe")],
)
def test_the_worst_finding_decides(found: list[t.Any], verdict: str) -> None:
    assert report.verdict_of(found) == verdict


@pytest.mark.parametrize(("fail_on", "count"), [("never", 0), ("fail", 1), ("unknown", 2), ("warn", 3)])
def test_policy(fail_on: str, count: int) -> None:
    assert len(policy.failing([FAIL, UNKNOWN, WARN, INFO], fail_on)) == count


def _segment(doc: str) -> Segment:
    return Segment("0001", 0, 0, doc, "0001.py", None, None)


def test_an_acceptance_in_a_docstring_counts_for_its_own_revision() -> None:
    acceptances = docstring_acceptances([_segment("Rename.\n\n    preflight-accept rename: nobody reads it\n")])
    own, other = (finding("rename", "m.", revision=name) for name in ("0001", "0002"))
    found = apply_acceptances([own, other], acceptances, "staging")
    assert [item.accepted for item in found] == ["docstring: nobody reads it", None]
    assert report.verdict_of(found) == "unsafe"


def test_prod_takes_acceptances_from_the_inventory_only() -> None:
    acceptances = docstring_acceptances([_segment("preflight-accept rename: nobody reads it")])
    found = apply_acceptances([finding("rename", "m.", revision="0001")], acceptances, "prod")
    assert [(item.id, item.accepted) for item in found] == [("rename", None), ("acceptance-worthless", None)]
    found = apply_acceptances([finding("rename", "m.", revision="0001")], [Acceptance("rename", "agreed")], "prod")
    assert [item.accepted for item in found] == ["inventory: agreed"]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Acceptance("rename", "  "), "acceptance-worthless"),
        (Acceptance("no-such-finding", "because"), "acceptance-worthless"),
        (Acceptance("destructive", "because"), "acceptance-unused"),
        (Acceptance("rename", "because", revision="0002"), "acceptance-unused"),
        (Acceptance("rename", "because", table="public.x"), "acceptance-unused"),
    ],
)
def test_an_acceptance_that_accepts_nothing_is_said(one: Acceptance, said: str) -> None:
    found = apply_acceptances([finding("rename", "m.", revision="0001", table="public.t")], [one], "dev")
    assert [(item.id, item.accepted) for item in found] == [("rename", None), (said, None)]


def test_the_form_of_a_report() -> None:
    full = report.report("k", "host:5432/db", [INFO, FAIL, WARN] + [UNKNOWN] * 200, {"state": "behind"})
    assert full["verdict"] == "unsafe"
    assert full["counts"] == {"pass": 1, "warn": 201, "fail": 1, "skip": 0, "accepted": 0}
    assert full["findings"][0] == {
        "id": "rename",
        "status": "fail",
        "severity": "fail",
        "message": "m.",
        "hint": CATALOGUE["rename"].hint,
        "runbook": "docs/runbook.md#rename",
    }
    short = report.inline(full)
    assert (len(short["findings"]), short["findings_omitted"]) == (100, 103)
    json.dumps(full)


def test_a_result_stays_small() -> None:
    statement = {"sql": "x" * 300, "locks": []}
    pending = [{"revision": str(number), "statements": [statement] * 3} for number in range(1000)]
    bounded = execution._bounded({"pending": pending})
    assert (bounded["pending_count"], bounded["statements_omitted"]) == (1000, 2950)
    assert len(json.dumps(bounded)) < 50_000


def test_a_statement_on_a_thousand_partitions_stays_small() -> None:
    statement = {"sql": "TRUNCATE t", "locks": [{"table": f"public.t_{number}"} for number in range(1000)]}
    bounded = execution._bounded({"pending": [{"revision": "0001", "statements": [statement]}]})
    [shown] = bounded["pending"][0]["statements"]
    assert (len(shown["locks"]), shown["locks_omitted"]) == (10, 990)
    assert len(statement["locks"]) == 1000  # the report's own is whole


def test_a_file_appears_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    old, other = tmp_path / "old.sql", tmp_path / "other"
    old.write_text("old")
    old.chmod(0o644)
    other.write_text("other")
    (tmp_path / "link.sql").symlink_to(other)
    for name in ("old.sql", "link.sql", "new.sql"):
        files.write(str(tmp_path / name), "SELECT 1")
        path = tmp_path / name
        assert (path.read_text(), path.stat().st_mode & 0o777, path.is_symlink()) == ("SELECT 1", 0o600, False)
    assert other.read_text() == "other"
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("path", [".", "missing/upgrade.sql", "/dev/null"])
def test_a_file_that_cannot_be_written(path: str, tmp_path: Path) -> None:
    with pytest.raises(FindingError, match="cannot be written") as caught:
        files.write(str(tmp_path / path), "SELECT 1")
    assert caught.value.id == "argument-invalid"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lock_timeout_ms": 501}, "lock_timeout_ms must be between 1 and 500"),
        ({"statement_timeout_ms": 0}, "statement_timeout_ms must be at least 1"),
        ({"render_timeout": 0}, "render_timeout must be at least 1"),
        ({"connections_needed": -1}, "connections_needed must be at least 0"),
        ({"thresholds": {"small_table_bytes": -1}}, "small_table_bytes must be at least 0"),
        ({"last_verified_backup": "yesterday"}, "no ISO 8601 time"),
    ],
)
def test_arguments_are_checked(change: dict[str, t.Any], words: str) -> None:
    params = {name: option.get("default") for name, option in module.ARGUMENTS.items()}
    with pytest.raises(FindingError, match=words) as caught:
        module.execute(params | {"alembic_dir": ".", "database_url": "postgresql://h/d"} | change)
    assert caught.value.id == "argument-invalid"


def test_the_key_of_the_advisory_lock_is_the_migrators() -> None:
    text = (ROOT / "chart" / "files" / "schema.py").read_text()
    assert int.from_bytes(re.findall(r'LOCK_KEY = int.from_bytes\(b"(\w+)", "big"\)', text)[0].encode()) == LOCK_KEY


def test_the_modules_limits_are_the_policys() -> None:
    assert policy.Thresholds(**options._LIMITS) == policy.Thresholds()
