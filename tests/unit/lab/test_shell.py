"""The lab runs programs and tells their failures."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import shell


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the logs."""
    monkeypatch.setattr(shell, "LOGS", tmp_path)
    return tmp_path


def failure(word: str, seconds: float = 0) -> shell.ProgramError:
    """What is told of a program that says *word* twice, *seconds* apart, and fails."""
    program = f"import time; print({word!r}, flush=True); time.sleep({seconds}); exit({word!r})"
    with pytest.raises(shell.ProgramError) as caught:
        shell.run([sys.executable, "-c", program], log="same", what=word)
    return caught.value


def test_commands_at_once_are_told_with_their_own_output() -> None:
    words = ["first", "second", "third"]
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda word: failure(word, 0.5), words))
    assert [item.output.split() for item in told] == [[word, word] for word in words]
    for item in told:
        named = str(item).partition("the whole output is in ")[2].partition(", its end")[0]
        assert item.output in Path(named).read_text()


def test_one_after_the_other_write_into_one_log(logs: Path) -> None:
    assert failure("first").output.split() == ["first", "first"]
    assert failure("second").output.split() == ["second", "second"]
    assert [path.name for path in logs.iterdir()] == ["same.log"]
    assert (logs / "same.log").read_text().count("\n") == 6
