"""How long a pod of ours waits for whoever runs commands in it, tried by this machine's shell and Python."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.held_pod import (
    PYTHON_WAIT,
    SHELL_WAIT,
    UNHELD_SECONDS,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import SHARED_FOLDER

LIMIT = 2


@pytest.fixture(params=["sh", "python"])
def words(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The program, in another folder and with less patience."""
    text = SHELL_WAIT if request.param == "sh" else PYTHON_WAIT
    text = text.replace(SHARED_FOLDER, str(tmp_path)).replace(str(UNHELD_SECONDS), str(LIMIT))
    return [sys.executable if request.param == "python" else "sh", "-c", text]


def test_it_ends_when_nobody_comes(words: list[str]) -> None:
    begin = time.monotonic()
    assert subprocess.run(words, check=False).returncode == 0
    assert time.monotonic() - begin >= LIMIT - 1


def test_it_waits_while_it_is_held_and_ends_when_it_is_let_go(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "held").touch()
    with subprocess.Popen(words) as process:
        time.sleep(LIMIT + 2)
        assert process.poll() is None
        (tmp_path / "over").touch()
        assert process.wait(30) == 0
