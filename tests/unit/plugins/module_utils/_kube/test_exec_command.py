"""Shell commands in a container, run by this machine's shell in its place."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import exec_command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec_command import Container


class LocalSession:
    """A session as ExecSession has it, in which stdin cannot be closed either."""

    def __init__(self, *words: t.Any) -> None:
        self._process = subprocess.Popen(
            words[-1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def send(self, line: str) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise FindingError("cluster-unreachable", "The session broke.") from None

    def receive(self, _seconds: float) -> str | None:
        assert self._process.stdout
        line = self._process.stdout.readline()
        return line.rstrip("\n") if line else None

    @property
    def exit_code(self) -> int | None:
        return self._process.wait()

    @property
    def stderr(self) -> str:
        assert self._process.stderr
        return self._process.stderr.read()


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Container:
    monkeypatch.setattr(exec_command, "ExecSession", LocalSession)
    return Container(None, "namespace", "pod", "container")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", [b"", b"\n\n", b"@@end\n", "ä\udcff".encode("utf-8", "surrogateescape"), b"x" * 3_000_000]
)
def test_what_is_fed_arrives_as_it_was(container: Container, text: bytes, tmp_path: t.Any) -> None:
    target = tmp_path / "a file"
    assert container.feed(text, 'cat >"$1"', str(target), seconds=10).returncode == 0
    assert target.read_bytes() == text


def test_a_command_that_stops_reading_is_told_by_its_code(container: Container) -> None:
    ran = container.feed(bytes(range(256)) * 40_000, "echo broken >&2; exit 3", seconds=10)
    assert (ran.returncode, ran.stderr) == (3, "broken\n")


@pytest.mark.parametrize("text", [b"", b"\n\n", bytes(range(256)) * 10_000])
def test_what_is_fetched_arrives_as_it_was(container: Container, text: bytes, tmp_path: t.Any) -> None:
    source = tmp_path / "a file"
    source.write_bytes(text)
    ran = container.fetch('cat "$1" >"$OUT"', str(source), seconds=10)
    assert (ran.returncode, ran.stdout) == (0, text)


def test_a_failed_command_brings_nothing(container: Container) -> None:
    ran = container.fetch('echo half >"$OUT"; echo why >&2; exit_code() { return 4; }; exit_code', seconds=10)
    assert ran == (4, b"", "why\n")


def test_a_file_that_unpacks_without_end_is_refused(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_command, "MOST_BYTES", 1 << 20)
    with pytest.raises(FindingError) as caught:
        container.fetch('head -c 3000000 /dev/zero >"$OUT"', seconds=10)
    assert caught.value.id == "answer-too-large"
