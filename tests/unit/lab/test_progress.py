from __future__ import annotations

import re
import sys
import threading
import time
from pathlib import Path

import pytest

from lab import progress, shell
from lab.estimate import Plan
from lab.progress import Progress, about


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(progress, "PACE", 1.0)
    monkeypatch.setattr(shell, "LOGS", tmp_path)
    monkeypatch.setattr(shell, "_STOPPED", threading.Event())


def test_a_slow_step_is_named_with_its_log_and_what_remains(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plan = Plan({"slow": (), "after": ("slow",)}, {"slow": 60.0, "after": 30.0}, "")
    with Progress(2, plan) as watched, watched.step("a slow one", "slow"):
        shell.run([sys.executable, "-c", "import time; time.sleep(2.5)"], log="compiler", what="compiling")
    lines = [line for line in capsys.readouterr().out.splitlines() if "at work" in line]
    assert lines
    assert re.fullmatch(
        rf" +\d s in all, about 90 s to go; at work: a slow one \(\d s, log {tmp_path}/compiler\.log\)", lines[-1]
    ), lines[-1]


def test_a_step_beyond_what_was_expected_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan({"slow": ()}, {"slow": -31.0}, "")
    with Progress(1, plan) as watched, watched.step("a slow one", "slow"):
        time.sleep(1.5)
    assert "in all, longer than expected; at work: a slow one" in capsys.readouterr().out


def test_quick_steps_are_not_worth_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(3) as watched:
        for _ in range(3):
            with watched.step("a quick one"):
                time.sleep(0.1)
    assert "at work" not in capsys.readouterr().out


def test_a_log_belongs_to_the_step_that_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A thread takes one step after the other: the log of the one before is not that of the next."""
    with Progress(2) as watched:
        with watched.step("first"):
            shell.run(["true"], log="first", what="running")
        with watched.step("second"):
            time.sleep(2.2)
    lines = [line for line in capsys.readouterr().out.splitlines() if "at work" in line]
    assert lines
    assert not any("log" in line for line in lines)


def test_durations_are_kept_by_name_of_those_that_ended_well() -> None:
    watched = Progress(2)
    with watched.step("title", "name"):
        pass
    with pytest.raises(ValueError, match="no"), watched.step("other", "failed"):
        raise ValueError("no")
    assert list(watched.durations) == ["name"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "10 s"), (14, "10 s"), (89, "90 s"), (91, "2 min"), (1490, "25 min")]
)
def test_a_time_to_come_is_said_no_more_exactly_than_it_is_known(seconds: float, text: str) -> None:
    assert about(seconds) == text
