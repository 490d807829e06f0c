"""Migrations by an image's own program, and by an image that migrates itself when it starts."""

from __future__ import annotations

from .conftest import NEXT, Release, merged

UPGRADE = ["python", "-m", "alembic", "upgrade", "head"]
COMMAND = {"migration": {"tool": "command", "command": UPGRADE}}
ITSELF = {
    "migration": {"tool": "none"},
    "agent": {"replicaCount": 3, "command": ["sh", "-c", f"{' '.join(UPGRADE)} && exec python -m agent"]},
}


def test_a_command_migrates_before_the_new_version_and_a_rollback_leaves_the_schema(release: Release) -> None:
    release.deployed(**COMMAND)
    first = release.revision()
    release.start_load()
    release.deployed(**merged(COMMAND, NEXT))
    assert release.revision() != first
    newest = release.revision()
    done = release.helm("rollback", release.name, "1", "--wait", "--wait-for-jobs", "--timeout", "180s")
    assert done.returncode == 0, done.stderr
    assert release.revision() == newest
    release.nothing_failed()


def test_an_image_that_migrates_itself_starts_with_one_pod(release: Release) -> None:
    release.deployed(**ITSELF)
    pods = release.get("pods", selector="app.kubernetes.io/component=agent")["items"]
    assert len(pods) == 3
    said = [release.kubectl("logs", pod["metadata"]["name"], "-c", "wait-for-schema") for pod in pods]
    assert sum("this one when it serves" in text for text in said) == 2, said
