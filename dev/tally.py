"""What tests and linters count: each case, command and scenario once, and nothing that was skipped as passed."""

from __future__ import annotations

import concurrent.futures
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab import shell
from lab.paths import BIN, LAB, ROOT
from lab.progress import minutes, say

VENV = Path(sys.executable).parent
REPORTS = LAB / "reports"


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The lab's environment with the virtual environment's programs first: some linters call others by name.

    Whatever imports Ansible where no ansible.cfg is around makes a folder in a home; here it is the checkout's.
    """
    merged = shell.environment({"ANSIBLE_HOME": str(ROOT / ".ansible")} | (extra or {}))
    merged["PATH"] = f"{VENV}{os.pathsep}{merged['PATH']}"
    return merged


def reason(output: str, limit: int = 600) -> str:
    """Why a command failed, out of its output: Ansible's failed task and its message; empty where none failed.

    Many CI systems keep only the last lines of a long log, so the reason is repeated there.
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    failed = list(re.finditer(r"^fatal: .*?(?=\n\n|\Z)", plain, re.MULTILINE | re.DOTALL))
    if not failed:
        return ""
    tasks = re.findall(r"^TASK \[(.*)\]", plain[: failed[-1].start()], re.MULTILINE)
    return f"{tasks[-1] if tasks else 'no task'}: {' '.join(failed[-1].group().split())[:limit]}"


@dataclass
class Tally:
    """What was counted so far: test cases, linters and scenarios, one each.

    :param aside: another command prints at the same time, so pytest's output is kept and printed when pytest has ended
    """

    passed: int = 0
    failures: list[str] = field(default_factory=list)
    aside: bool = False

    def command(self, title: str, words: Sequence[object], env: dict[str, str] | None = None) -> bool:
        """Run one command that counts as one; its output is shown only when it failed."""
        begin = time.monotonic()
        done = subprocess.run(
            [str(word) for word in words],
            cwd=ROOT,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        took = minutes(time.monotonic() - begin)
        if done.returncode:
            say(f"{done.stdout.rstrip()}\n  FAILED  {title} ({took})")
            why = reason(done.stdout)
            self.failures.append(f"{title}: {why}" if why else title)
        else:
            say(f"  ok      {title} ({took})")
            self.passed += 1
        return done.returncode == 0

    def count(self, title: str, why: str) -> None:
        """Count one thing that was asked; `why` it is not so, or empty."""
        if why:
            say(f"  FAILED  {title}: {why}")
            self.failures.append(f"{title}: {why}")
        else:
            say(f"  ok      {title}")
            self.passed += 1

    def pytest(
        self,
        title: str,
        folders: Sequence[str],
        prefix: Sequence[object] = (),
        *,
        workers: int = 0,
        seconds: int = 1500,
        extra: dict[str, str] | None = None,
    ) -> None:
        """Run pytest and count its cases; a skipped case counts as a failure, for nothing was proven."""
        REPORTS.mkdir(parents=True, exist_ok=True)
        report = REPORTS / f"{title}.xml"
        report.unlink(missing_ok=True)
        # A test that hangs must end as a failure, not as a run that nobody hears of again; a pytest that is interrupted
        # still says what had failed until then.
        words = [
            "timeout",
            "--signal=INT",
            "--kill-after=60",
            seconds,
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
        # Where a playbook runs outside of the checkout, no ansible.cfg keeps its modules out of the home folder.
        home = {"ANSIBLE_REMOTE_TMP": "/tmp"}  # noqa: S108 - the folders that Ansible makes there have mode 0700
        env = environment({"HELM": str(BIN / "helm"), **home, **(extra or {})})
        pipe = subprocess.PIPE if self.aside else None
        done = subprocess.run([str(word) for word in words], cwd=ROOT, env=env, stdout=pipe, text=True, check=False)
        code = done.returncode
        if self.aside:
            say(f"\n-- {title}\n{done.stdout.rstrip()}")
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

    def side_by_side(self, *strands: Callable[[Tally], None]) -> None:
        """Run strands at the same time that leave a core idle alone, and count what each of them counted."""
        counts = [Tally(aside=True) for _ in strands]
        with concurrent.futures.ThreadPoolExecutor(len(strands)) as pool:
            ends = [pool.submit(strand, count) for strand, count in zip(strands, counts, strict=True)]
        for end, count in zip(ends, counts, strict=True):
            end.result()
            self.passed += count.passed
            self.failures += count.failures
