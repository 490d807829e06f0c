"""Which live schema serves an image, and what the image's own revisions look like."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.schema import Graph

IMAGE = Path(__file__).resolve().parents[4] / "images" / "agent"
GRAPH = Graph(heads=frozenset({"3"}), known=frozenset({"1", "2", "3"}))


@pytest.mark.parametrize(
    ("live", "ready", "said"),
    [
        ({"3"}, True, "at 3"),
        ({"4"}, True, "ahead"),
        ({"2"}, False, "behind"),
        (set(), False, "no schema yet"),
    ],
)
def test_at_or_ahead_is_ready(live: set[str], ready: bool, said: str) -> None:
    judged, sentence = GRAPH.judge(frozenset(live))
    assert judged is ready
    assert said in sentence


def test_one_of_two_heads_is_behind() -> None:
    graph = Graph(heads=frozenset({"3a", "3b"}), known=frozenset({"1", "2", "3a", "3b"}))
    assert not graph.judge(frozenset({"3a"}))[0]
    assert graph.judge(frozenset({"3a", "3b"}))[0]


def test_the_image_brings_one_head_and_real_history() -> None:
    graph = Graph.load()
    assert graph.heads == {"0006"}
    assert len(graph.known) >= 5


def alembic(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Alembic in the image's working directory as the migration's Job does."""
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "-m", "alembic", *words], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def next_image(folder: Path) -> Path:
    """Lay out what the image of version 1.1.0 holds."""
    shutil.copytree(IMAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for revision in (folder / "migrations" / "next").glob("*.py"):
        shutil.copy(revision, folder / "migrations" / "versions")
    return folder


def test_the_next_image_is_one_revision_ahead(tmp_path: Path) -> None:
    done = alembic(next_image(tmp_path / "app"), "heads")
    assert done.stdout.split()[0] == "0007", done.stderr


def test_sql_is_rendered_without_a_database(tmp_path: Path) -> None:
    done = alembic(next_image(tmp_path / "app"), "upgrade", "head", "--sql")
    assert done.returncode == 0, done.stderr
    assert "CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_by_session" in done.stdout
    assert "NOT VALID" in done.stdout
    assert "VALIDATE CONSTRAINT" in done.stdout
    assert "CREATE TABLE message_feedback" in done.stdout
    # CREATE INDEX CONCURRENTLY refuses to run in a transaction: the last word about transactions before it is COMMIT.
    before = done.stdout.partition("CREATE INDEX CONCURRENTLY")[0].split("\n")
    assert [line for line in before if line in ("BEGIN;", "COMMIT;")][-1] == "COMMIT;"
