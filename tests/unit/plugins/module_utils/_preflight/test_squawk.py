"""squawk beside the preflight, over the statements whose cost the truth tests prove on a PostgreSQL 18.

docs/decisions.md lists every statement on which the two differ and says who is right; this keeps that list true.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.unit.plugins.module_utils._preflight.test_judge import judged
from tests.unit.plugins.module_utils._sql.cases import AX, CASES, SRX, S, X

DECISIONS = Path(__file__).resolve().parents[5] / "docs" / "decisions.md"
SQUAWK = Path(sys.executable).parent / "squawk"
VERSION = 18
# What takes long under a lock that others wait for.
SLOW = {
    "adding-field-with-default", "adding-foreign-key-constraint", "adding-not-nullable-field",
    "adding-serial-primary-key-field", "changing-column-type", "constraint-missing-not-valid",
    "disallowed-unique-constraint", "require-concurrent-index-creation", "require-concurrent-index-deletion",
    "require-concurrent-partition-detach", "require-concurrent-reindex", "adding-required-field",
}  # fmt: skip
# What the version still running cannot live with.
BREAKING = {
    "ban-alter-identity", "ban-drop-column", "ban-drop-constraint", "ban-drop-default", "ban-drop-generated-expression",
    "ban-drop-not-null", "ban-drop-sequence", "ban-drop-table", "ban-drop-view", "ban-set-schema",
    "ban-truncate-cascade", "renaming-column", "renaming-object", "renaming-table", "ban-drop-database",
}  # fmt: skip
OURS = {"destructive", "rename", "contract-phase", "statement-opaque"}


class Difference(t.NamedTuple):
    sql: str
    squawk: str
    server: str


def _squawk(folder: Path) -> dict[str, set[str]]:
    """The rules that squawk names for each statement, in a file of its own and inside a transaction as Alembic's."""
    for number, case in enumerate(CASES):
        (folder / f"{number:04}.sql").write_text(f"{case.sql};\n")
    words = [SQUAWK, "--reporter", "json", "--pg-version", f"{VERSION}.0", "--assume-in-transaction"]
    done = subprocess.run([*words, *sorted(folder.glob("*.sql"))], capture_output=True, text=True, check=False)
    found: dict[str, set[str]] = {case.sql: set() for case in CASES}
    for row in json.loads(done.stdout):
        found[CASES[int(Path(row["file"]).stem)].sql].add(row["rule_name"])
    return found


def differences(folder: Path) -> list[Difference]:
    said = _squawk(folder)
    found = []
    for case in CASES:
        cost = case.cost(VERSION)
        if cost is None:
            continue
        slow = any(one.mode in {AX, X, SRX, S} and (one.rewrite or one.scan) for one in cost.values())
        rules = said[case.sql] & SLOW
        if bool(rules) != slow:
            words = "rewrites or scans under a lock that blocks" if slow else "no rewrite, no scan"
            found.append(Difference(case.sql, ", ".join(sorted(rules)) or "-", words))
        rules = said[case.sql] & BREAKING
        ours = {item.id for item in judged(case.sql)} & OURS
        if bool(rules) != bool(ours):
            words = ", ".join(sorted(ours)) or "-"
            found.append(Difference(case.sql, ", ".join(sorted(rules)) or "-", words))
    return found


def test_the_list_of_differences_is_true(tmp_path: Path) -> None:
    listed = set()
    section = DECISIONS.read_text().partition("## The preflight and squawk")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `"):
            listed.add(Difference(cells[0].strip("`").replace("\\|", "|"), cells[1], cells[2]))
            assert cells[3].startswith(("squawk", "preflight", "both"))
    assert listed == set(differences(tmp_path))


@pytest.mark.parametrize("rules", [SLOW, BREAKING])
def test_the_rules_exist(rules: set[str], tmp_path: Path) -> None:
    known = subprocess.run([SQUAWK, "--help"], capture_output=True, text=True, check=True).stdout
    assert known
    for rule in rules:
        (tmp_path / "x.sql").write_text("SELECT 1;")
        done = subprocess.run([SQUAWK, "--exclude", rule, tmp_path / "x.sql"], capture_output=True, check=False)
        assert done.returncode == 0, rule
