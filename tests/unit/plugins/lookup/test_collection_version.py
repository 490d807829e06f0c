"""The lookup collection_version, through Ansible itself: the loader is what it is about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[4]


def versions(names: list[str], *paths: Path) -> list[str]:
    """Return what the lookup says of ``names`` with ``paths`` before the project's own collections."""
    expression = (
        f"{{{{ lookup('ai_platform.agent.collection_version', {', '.join(map(repr, names))}, wantlist=true) }}}}"
    )
    command: list[str | Path] = [
        Path(sys.executable).parent / "ansible",
        "localhost",
        "-i",
        "localhost,",
        "-c",
        "local",
        "-o",
    ]
    command += ["-m", "ansible.builtin.debug", "-a", json.dumps({"msg": expression})]
    path = os.pathsep.join(map(str, [*paths, ROOT / "collections"]))
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": path},
    )
    versions: list[str] = json.loads(done.stdout.split("=>", 1)[1])["msg"]
    return versions


def collection(folder: Path, name: str, file: str, text: str) -> None:
    """Put a collection called ``fake.<name>`` with one metadata file into ``folder``."""
    root = folder / "ansible_collections/fake" / name
    root.mkdir(parents=True)
    (root / file).write_text(text, encoding="utf-8")


def test_version_is_read_where_the_loader_finds_the_collection(tmp_path: Path) -> None:
    collection(tmp_path / "first", "one", "MANIFEST.json", json.dumps({"collection_info": {"version": "6.2.0"}}))
    collection(tmp_path / "second", "one", "MANIFEST.json", json.dumps({"collection_info": {"version": "6.6.0"}}))
    collection(tmp_path / "first", "checkout", "galaxy.yml", "version: 0.3.1\n")
    collection(tmp_path / "first", "silent", "README.md", "")
    found = versions(
        ["fake.one", "fake.checkout", "fake.silent", "fake.absent", "ai_platform.agent"],
        tmp_path / "first",
        tmp_path / "second",
    )
    own = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert found == ["6.2.0", "0.3.1", "unknown", "", own]
