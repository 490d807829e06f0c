"""What env.py writes while it is only asked for its SQL: nothing, but in temporary folders that go with it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.kept_off_disk import kept_off_disk


def test_a_file_is_not_written(tmp_path: Path) -> None:
    with kept_off_disk():
        (tmp_path / "made").write_text("text")
    assert not (tmp_path / "made").exists()


def test_an_application_finds_what_it_copied_into_a_temporary_folder(tmp_path: Path) -> None:
    """As argilla_server copies its pages when it is imported: copystat looks for the file that was written."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "page.html").write_text("text")
    with kept_off_disk():
        folder = Path(tempfile.mkdtemp())
        copied = Path(shutil.copytree(tmp_path / "static", folder / "static"))
        assert (copied / "page.html").read_text() == "text"
        (tmp_path / "beside").write_text("text")
    assert not folder.exists()
    assert not (tmp_path / "beside").exists()
