"""How long a pod of ours waits for whoever runs commands in it, tried by this machine's shell and Python."""

from __future__ import annotations

import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import held_pod
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec_command import Container
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.held_pod import (
    PYTHON_WAIT,
    QUIET_SECONDS,
    SHELL_WAIT,
    held,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import SHARED_FOLDER

from tests.unit.plugins.module_utils._kube.test_exec_command import LocalSession

LIMIT = 3


@pytest.fixture(params=["sh", "python"])
def words(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The program, in another folder and with less patience."""
    text = SHELL_WAIT if request.param == "sh" else PYTHON_WAIT
    # The folder may hold these digits as well.
    text = text.replace(str(QUIET_SECONDS), str(LIMIT)).replace(SHARED_FOLDER, str(tmp_path))
    return [sys.executable if request.param == "python" else "sh", "-c", text]


class Here(LocalSession):
    """A session on this machine, in the folder of the test; closed by the end of its stdin."""

    folder: t.ClassVar[Path]

    def __init__(self, *words: t.Any) -> None:
        super().__init__([word.replace(SHARED_FOLDER, str(self.folder)) for word in words[-1]])

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    monkeypatch.setattr(Here, "folder", tmp_path, raising=False)
    monkeypatch.setattr(held_pod, "ExecSession", Here)
    monkeypatch.setattr(held_pod, "SIGN_SECONDS", 0.5)
    return Container(None, "namespace", "pod", "container")  # type: ignore[arg-type]


def test_it_ends_when_nobody_comes(words: list[str]) -> None:
    begin = time.monotonic()
    assert subprocess.run(words, check=False).returncode == 0
    assert time.monotonic() - begin >= LIMIT - 1


def test_it_waits_while_it_is_held_and_ends_when_it_is_let_go(words: list[str], container: Container) -> None:
    with subprocess.Popen(words) as process:
        with held(container):
            time.sleep(2 * LIMIT)
            assert process.poll() is None
        assert process.wait(LIMIT - 1) == 0


def test_it_ends_when_the_signs_end(words: list[str], tmp_path: Path) -> None:
    with subprocess.Popen(words) as process:
        for sign in range(LIMIT):
            (tmp_path / "signs").write_text(f"{sign}\n")
            time.sleep(1)
        assert process.poll() is None
        assert process.wait(LIMIT + 5) == 0
