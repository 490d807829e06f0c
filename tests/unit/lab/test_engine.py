from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from lab import apt, cluster, debian, engine, needs, shell
from lab.progress import LabError, minutes


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "answers", lambda: False)
    monkeypatch.setattr(needs, "answers", lambda: False)
    monkeypatch.setattr(needs, "find", lambda _name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(apt, "install", lambda packages: pytest.fail(f"installed {packages}"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def test_an_engine_is_not_installed_against_the_users_will(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_INSTALL_DOCKER", "no")
    with pytest.raises(LabError, match=r"LAB_INSTALL_DOCKER=no forbids.*install Docker's engine by hand"):
        engine.ensure()


def test_an_engine_is_not_installed_without_root(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="only root on Debian or Ubuntu"):
        engine.ensure()


def test_an_engine_is_not_installed_on_another_distribution(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "host", lambda: None)
    with pytest.raises(LabError, match="only root on Debian or Ubuntu"):
        engine.ensure()


@pytest.mark.parametrize("answer", ["", "n\n", "no\n"])
def test_a_person_at_a_terminal_is_asked_first(
    no_engine: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    monkeypatch.setattr(debian, "host", lambda: debian.Host("debian", "bookworm", "Debian 12"))
    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(LabError, match="was not wanted"):
        engine.ensure()
    assert "Install it with apt on this Debian 12 machine? [y/N]" in capsys.readouterr().out


def test_a_remote_engine_that_does_not_answer_is_named(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(LabError, match=r"tcp://192\.0\.2\.1:2375"):
        engine.ensure()


def test_a_taken_port_stops_before_anything_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("LAB_API_PORT", str(port))
        monkeypatch.setattr(cluster, "exists", lambda: False)
        monkeypatch.setattr(shell, "run", lambda *_args, **_more: pytest.fail("something was run"))
        with pytest.raises(LabError, match=f"port {port}.*is taken"):
            cluster.require_port()


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (125, "2 min 05 s")])
def test_durations_are_written_for_a_reader(seconds: float, text: str) -> None:
    assert minutes(seconds) == text


@pytest.mark.parametrize("wish", ["abc", "70000", "-1"])
def test_what_is_no_port_is_refused(wish: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_API_PORT", wish)
    with pytest.raises(LabError, match=f"LAB_API_PORT={wish} is no port"):
        cluster.require_port()


@pytest.mark.parametrize(
    ("code", "printed", "answers"),
    [(0, "26.1.5", True), (1, "", False), (0, "\n", False), (127, "", False)],
    ids=["answers", "newer docker", "docker 26 of Debian trixie", "no docker"],
)
def test_an_engine_answers_when_it_says_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int, printed: str, answers: bool
) -> None:
    if code != 127:
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\nprintf '{printed}'\nexit {code}\n")
        program.chmod(0o755)
    monkeypatch.setattr(shell, "BIN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.answers() is answers
