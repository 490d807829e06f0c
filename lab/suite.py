"""``make test``: the stages in order, each counted; the last line is ``N passed, N failed``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab import cluster, engine, shell
from lab.paths import BIN, LAB, ROOT
from lab.progress import LabError, minutes, say

VENV = Path(sys.executable).parent
REPORTS = LAB / "reports"
TYPED = ["lab", "plugins/module_utils", "images/agent/agent", "chart/files"]


def _environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The lab's environment with the virtual environment's programs first: some linters call others by name."""
    merged = shell.environment(extra)
    merged["PATH"] = f"{VENV}{os.pathsep}{merged['PATH']}"
    return merged


@dataclass
class Tally:
    """What was counted so far: test cases, linters and scenarios, one each."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)

    def command(self, title: str, words: Sequence[object], env: dict[str, str] | None = None) -> bool:
        """Run one command that counts as one; its output is shown only when it failed."""
        begin = time.monotonic()
        done = subprocess.run(
            [str(word) for word in words],
            cwd=ROOT,
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        took = minutes(time.monotonic() - begin)
        if done.returncode:
            say(f"{done.stdout.rstrip()}\n  FAILED  {title} ({took})")
            self.failures.append(title)
        else:
            say(f"  ok      {title} ({took})")
            self.passed += 1
        return done.returncode == 0

    def pytest(self, title: str, folders: Sequence[str], prefix: Sequence[object] = (), workers: int = 0) -> None:
        """Run pytest and count its cases; a skipped case counts as a failure, for nothing was proven."""
        REPORTS.mkdir(parents=True, exist_ok=True)
        report = REPORTS / f"{title}.xml"
        report.unlink(missing_ok=True)
        # A test that hangs must end as a failure, not as a run that nobody hears of again.
        words = [
            "timeout",
            "1500",
            *prefix,
            VENV / "python",
            "-m",
            "pytest",
            "-q",
            "--no-header",
            f"--junitxml={report}",
            *folders,
        ]
        words += ["-n", workers] if workers else []
        env = _environment({"HELM": str(BIN / "helm")})
        code = subprocess.run([str(word) for word in words], cwd=ROOT, env=env, check=False).returncode
        if not report.exists():
            say(f"  FAILED  {title}: pytest ended with exit code {code} before it ran a test")
            self.failures.append(title)
            return
        before = len(self.failures)
        for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote this file just now
            name = f"{case.get('classname')}::{case.get('name')}"
            if case.find("failure") is None and case.find("error") is None and case.find("skipped") is None:
                self.passed += 1
            else:
                self.failures.append(name)
        if code and len(self.failures) == before:
            self.failures.append(f"{title} (pytest's exit code {code})")


def lint(tally: Tally) -> None:
    """Linters, and Helm's own on the assembled chart with the values of every environment."""
    tally.command("ruff", [VENV / "ruff", "check", "."])
    tally.command("ruff format", [VENV / "ruff", "format", "--check", "."])
    tally.command("mypy", [VENV / "mypy", *TYPED])
    tally.command("yamllint", [VENV / "yamllint", "--strict", "."])
    tally.command("ansible-lint (production)", [VENV / "ansible-lint", "--offline", "--strict"])
    docs = [VENV / "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=self", "."]
    tally.command("antsibull-docs", docs)
    tally.command("antsibull-changelog", [VENV / "antsibull-changelog", "lint"])
    if tally.command("make chart", [VENV / "python", "-m", "lab.assemble_chart"]):
        chart = ROOT / "build" / "ai-agent-chart"
        for values in sorted(chart.glob("values-*.yaml")):
            tally.command(f"helm lint {values.name}", [BIN / "helm", "lint", "--strict", chart, "-f", values])


def unit(tally: Tally) -> None:
    """Seconds, no server."""
    tally.pytest("unit", ["tests/unit"], workers=2)


def chart(tally: Tally) -> None:
    """Rendered manifests."""
    tally.pytest("chart", ["tests/chart"], workers=2)


def integration(tally: Tally) -> None:
    """A real PostgreSQL and Redis, in containers of the project's images."""
    folders = ["tests/integration/agent", "tests/integration/schema", "tests/integration/images"]
    tally.pytest("integration", folders, [VENV / "python", "-m", "lab", "with-servers"], workers=2)


def molecule(tally: Tally) -> None:
    """The scenarios on the kind cluster, and the role's bad input there; a cluster that was up before stays up."""
    with _lab():
        for scenario in ("install",):
            tally.command(
                f"molecule scenario {scenario}", [VENV / "molecule", "test", "-s", scenario], {"LAB_KEEP": "1"}
            )
        tally.pytest("role", ["tests/integration/role"])


@contextmanager
def _lab() -> Iterator[None]:
    engine.ensure()
    there = cluster.exists()
    words = [sys.executable, "-m", "lab", "lab-up"]
    if subprocess.run(words, cwd=ROOT, check=False).returncode:
        raise LabError("the lab's cluster did not come up, so no scenario could run: its message is above")
    try:
        yield
    finally:
        if not there:
            cluster.remove()


STAGES: dict[str, Callable[[Tally], None]] = {
    "lint": lint,
    "unit": unit,
    "chart": chart,
    "integration": integration,
    "molecule": molecule,
}


def main() -> int:
    """Exit code 0 when everything passed."""
    parser = argparse.ArgumentParser(prog="python -m lab.suite", description=__doc__)
    parser.add_argument("stages", nargs="+", choices=STAGES)
    tally = Tally()
    begin = time.monotonic()
    for name in parser.parse_args().stages:
        say(f"\n== {name}: {(STAGES[name].__doc__ or '').strip()}")
        start = time.monotonic()
        try:
            STAGES[name](tally)
        except LabError as error:
            say(f"error: {error}")
            tally.failures.append(name)
        say(f"== {name} took {minutes(time.monotonic() - start)}")
    for failure in tally.failures:
        say(f"FAILED {failure}")
    say(f"took {minutes(time.monotonic() - begin)}{' in CI' if os.environ.get('CI') else ''}")
    say(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 1 if tally.failures or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
