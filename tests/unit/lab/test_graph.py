from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from lab import graph, shell
from lab.graph import Step
from lab.progress import LabError, Progress


@pytest.fixture(autouse=True)
def fresh_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "_STOPPED", threading.Event())
    monkeypatch.setattr(shell, "LOGS", tmp_path)


def sleep(seconds: float, what: str = "sleeping", cleanup: bool = False) -> None:
    program = [sys.executable, "-c", f"import time; time.sleep({seconds})"]
    shell.run(program, log=what, what=what, cleanup=cleanup)


def test_a_step_waits_for_those_it_needs_and_for_no_other() -> None:
    order: list[str] = []
    together = threading.Barrier(2, timeout=10)

    def beside(name: str) -> None:
        together.wait()
        order.append(name)

    steps = [
        Step("last", "last", lambda: order.append("last"), ("left", "right")),
        Step("left", "left", lambda: beside("left")),
        Step("right", "right", lambda: beside("right")),
    ]
    graph.run(steps, Progress(3))
    assert sorted(order[:2]) == ["left", "right"]
    assert order[2:] == ["last"]


def test_a_failure_stops_the_programs_beside_it_and_begins_nothing_new() -> None:
    begun: list[str] = []
    started = threading.Event()

    def fail() -> None:
        started.wait(10)
        time.sleep(0.3)
        raise LabError("the reason")

    def long() -> None:
        started.set()
        sleep(60)

    steps = [
        Step("bad", "bad", fail),
        Step("long", "long", long),
        Step("after", "after", lambda: begun.append("after"), ("bad",)),
    ]
    begin = time.monotonic()
    with pytest.raises(LabError, match="the reason"):
        graph.run(steps, Progress(3))
    assert time.monotonic() - begin < 30
    assert begun == []


def test_clean_up_runs_to_its_end_while_the_rest_is_stopped() -> None:
    cleaned: list[str] = []
    started = threading.Event()

    def interrupted() -> None:
        try:
            started.set()
            sleep(60)
        finally:
            sleep(0.2, "cleaning", cleanup=True)
            cleaned.append("yes")

    def fail() -> None:
        started.wait(10)
        time.sleep(0.3)
        raise LabError("the reason")

    with pytest.raises(LabError, match="the reason"):
        graph.run([Step("a", "a", interrupted), Step("b", "b", fail)], Progress(2))
    assert cleaned == ["yes"]


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(LabError, match=r"trying failed: the program no-such-program is not installed"):
        shell.run(["no-such-program"], log="x", what="trying")


def test_a_failed_program_shows_the_end_of_what_it_said() -> None:
    with pytest.raises(LabError, match=r"(?s)trying failed \(exit 3\).*    the last words"):
        shell.run([sys.executable, "-c", "print('the last words'); raise SystemExit(3)"], log="x", what="trying")


def test_a_program_that_does_not_end_is_stopped() -> None:
    with pytest.raises(LabError, match="did not end within 0 s"):
        shell.run(["sleep", "60"], log="x", what="sleeping", timeout=0.2)
