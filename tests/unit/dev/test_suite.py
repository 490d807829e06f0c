"""The counting of make test: what proves nothing must not count as passed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dev import suite
from dev import tally as counting
from dev.tally import Tally
from lab.paths import ROOT

CASES = """
import pytest
def test_good(): pass
def test_bad(): assert False
@pytest.mark.{mark}("because")
def test_left_out(): pass
"""


@pytest.fixture
def tally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tally:
    monkeypatch.setattr(counting, "REPORTS", tmp_path / "reports")
    return Tally()


def test_a_skipped_case_counts_as_failed(tally: Tally, tmp_path: Path) -> None:
    (tmp_path / "test_cases.py").write_text(CASES.replace("{mark}", "skip"))
    tally.pytest("cases", [str(tmp_path)])
    assert tally.passed == 1
    assert [name.rpartition("::")[2] for name in tally.failures] == ["test_bad", "test_left_out"]


def test_a_run_without_cases_counts_as_failed(tally: Tally, tmp_path: Path) -> None:
    tally.pytest("empty", [str(tmp_path)])
    assert tally.passed == 0
    assert tally.failures == ["empty (pytest's exit code 5)"]


HANGS = """
import os, signal, time
def test_bad(): assert False
def test_hangs():
    os.kill(os.getppid(), signal.SIGALRM)  # As the clock of timeout(1) does.
    time.sleep(600)
"""


def test_a_run_out_of_time_says_what_had_failed(
    tally: Tally, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_cases.py").write_text(HANGS)
    tally.pytest("cases", [str(tmp_path)])
    assert [name.rpartition("::")[2] for name in tally.failures] == ["test_bad"]
    assert "test_cases.py::test_bad" in capfd.readouterr().out


def test_a_command_counts_once(tally: Tally) -> None:
    assert tally.command("good", ["true"])
    assert not tally.command("bad", ["false"])
    assert (tally.passed, tally.failures) == (1, ["bad"])


def test_strands_are_counted_together(tally: Tally, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_cases.py").write_text(CASES.replace("{mark}", "skip"))

    def cases(count: Tally) -> None:
        count.pytest("cases", [str(tmp_path)])

    tally.side_by_side(cases, lambda count: count.failures.append("other"))
    assert tally.passed == 1
    assert [name.rpartition("::")[2] for name in tally.failures] == ["test_bad", "test_left_out", "other"]
    assert "-- cases\n" in capfd.readouterr().out


ANSIBLE = """
TASK [role : Ask] ****
ok: [host]

TASK [role : Install] ****
\x1b[0;31mfatal: [host]: FAILED! =>
    msg: no room\x1b[0m

PLAY RECAP ***
ERROR    Ansible return code was 2
"""


def test_a_failed_play_leaves_its_reason_at_the_end(tally: Tally) -> None:
    tally.command("play", ["sh", "-c", f"echo '{ANSIBLE}'; exit 2"])
    assert tally.failures == ["play: role : Install: fatal: [host]: FAILED! => msg: no room"]


def test_a_scenario_begins_without_what_a_killed_run_left(
    tally: Tally, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "molecule").mkdir()
    (tmp_path / "molecule" / "redis.ansible_lockfile").touch()
    monkeypatch.setattr(suite, "MOLECULE", tmp_path / "molecule")
    started: list[dict[str, str] | None] = []
    monkeypatch.setattr(tally, "command", lambda _title, _words, env: started.append(env))
    suite._molecule(tally, "install")
    assert not (tmp_path / "molecule").exists()
    [env] = started
    assert env
    assert env["LAB_KEEP"] == "1"
    assert env["MOLECULE_EPHEMERAL_DIRECTORY"] == str(tmp_path / "molecule")


def test_what_ansible_makes_in_a_home_goes_with_the_checkout(tally: Tally) -> None:
    home = str(ROOT / ".ansible")
    look = f"import os, sys; sys.exit(os.environ['ANSIBLE_HOME'] != {home!r})"
    assert tally.command("a scenario", [sys.executable, "-c", look], {"LAB_KEEP": "1"})
