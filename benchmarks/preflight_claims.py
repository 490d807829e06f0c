"""What of the preflight's claims is proven, and how much of real upgrades it leaves unknown.

    .venv/bin/python -m benchmarks.preflight_claims

It runs the tests that hold claims against servers, on all supported versions, and counts in their reports; then it
takes the time beside Alembic's (benchmarks/preflight.py). `--reports` counts in the reports of the last run alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks import preflight
from dev.tally import REPORTS, environment
from lab.progress import say
from tests.integration.histories.table import PROPERTY, Line, share, table
from tests.integration.preflight import serving
from tests.unit.plugins.module_utils._sql.cases import CASES, VERSIONS

# How many kinds of statements by versions are to be proven.
GOAL = 500
LOCKS = ("tests/integration/preflight/test_truth.py", "tests/integration/preflight/test_upgrades.py")
SERVING = ("tests/integration/preflight/test_serving.py",)
# Inputs of other people's reports, with the right answer: each was made a test of its kind.
ANSWERS = tuple(
    f"tests/integration/preflight/test_{name}.py" for name in ("kinds", "drift", "fails_there", "silent", "urls")
)
HISTORIES = ("tests/integration/histories",)


def run(title: str, paths: t.Sequence[str]) -> None:
    """One run of pytest, whose report is kept as `title`.xml."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "pytest", "-q", "--no-header", "-n", "2", f"--junitxml={report(title)}", *paths]
    subprocess.run(words, env=environment(), check=False)


def report(title: str) -> Path:
    return REPORTS / f"figures-{title}.xml"


class Counted(t.NamedTuple):
    """Tests that passed, tests in all, and the lines that they kept about histories."""

    passed: int
    whole: int
    lines: list[Line]


def counted(title: str) -> Counted:
    """What the report of a run says."""
    passed, lines = 0, list[Line]()
    cases = list(ET.parse(report(title)).getroot().iter("testcase"))  # noqa: S314 - pytest wrote this file
    for case in cases:
        passed += not any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
        lines += [Line.of(item.get("value", "")) for item in case.iter("property") if item.get("name") == PROPERTY]
    return Counted(passed, len(cases), lines)


def main() -> int:
    """Exit code 0 when all goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", action="store_true", help="count in the reports of the last run")
    kept = parser.parse_args().reports
    groups = {"locks": LOCKS, "serving": SERVING, "answers": ANSWERS, "histories": HISTORIES}
    seen = {}
    for title, paths in groups.items():
        if not kept:
            run(title, paths)
        seen[title] = counted(title)
    kinds = (len(CASES) + len(serving.KINDS)) * len(VERSIONS)
    passed, whole = (seen["locks"].passed + seen["serving"].passed, seen["locks"].whole + seen["serving"].whole)
    say(f"kinds of statements by versions: {len(CASES)} for locks and {len(serving.KINDS)} for the version that serves,"
        f" on {len(VERSIONS)} versions: {kinds} (at least {GOAL})")  # fmt: skip
    say(f"agreement with the servers: {passed} of {whole} tests, {passed / whole:.1%}")
    say(f"inputs of others by right answer: {seen['answers'].passed} of {seen['answers'].whole}")
    say(f"whole histories: {seen['histories'].passed} of {seen['histories'].whole} tests")
    say(table(seen["histories"].lines))
    unknown, revisions = share(seen["histories"].lines)
    say(f"not known before they run: {unknown} of {revisions} revisions, {unknown / max(1, revisions):.0%}")
    good = kinds >= GOAL and all(part.passed == part.whole for part in seen.values())
    return preflight.main() or (0 if good else 1)


if __name__ == "__main__":
    sys.exit(main())
