"""The controller's objects with the real awx.awx: its documentation as it was derived, and the playbook's syntax."""

from __future__ import annotations

import json
import os
from pathlib import Path

from dev import awx_schema

from .conftest import ROOT, play


def test_the_schema_is_that_of_the_collection() -> None:
    assert json.loads(awx_schema.TARGET.read_text()) == awx_schema.schema()


def test_ansible_takes_the_playbook(tmp_path: Path) -> None:
    path = os.pathsep.join([str(awx_schema.collections()), str(ROOT / "collections")])
    words: list[str | Path] = ["-i", "localhost,", "--syntax-check", ROOT / "extensions/awx/apply.yml"]
    run = play(words, tmp_path, {"ANSIBLE_COLLECTIONS_PATH": path, "HOME": str(tmp_path)})
    assert run.code == 0, run.output
    assert "playbook: " in run.output
