"""`schema.py wait` against a real PostgreSQL: it returns exactly when the agent may start, and changes nothing."""

from __future__ import annotations

import signal

from tests.integration.schema.conftest import Image, Revision


def test_current_is_ready(image: Image) -> None:
    assert image.run("migrate").code == 0
    done = image.run("wait")
    assert (done.code, done.out) == (0, "The schema is ready: it is at 0002 (current), this image needs 0002.\n")


def test_beyond_is_ready(image: Image) -> None:
    assert image.run("migrate").code == 0
    image.execute("UPDATE alembic_version SET version_num = '0009'")
    done = image.run("wait")
    assert done.code == 0
    assert "0009 (unknown)" in done.out


def test_waits_for_the_migration_from_nothing(image: Image) -> None:
    started = image.start("wait")
    started.says("it is at no revision (absent), this image needs 0002.")
    assert image.rows("SELECT to_regclass('alembic_version')") == [(None,)]
    assert image.run("migrate").code == 0
    done = started.end(15)
    assert done.code == 0
    assert done.out.splitlines()[0] == "Waiting for the schema: it is at no revision (absent), this image needs 0002."


def test_behind_is_not_ready(image: Image) -> None:
    assert image.run("migrate").code == 0
    image.add(Revision("0003", "0002", "pass"))
    started = image.start("wait")
    started.says("it is at 0002 (behind), this image needs 0003.")
    assert image.version() == {"0002"}
    started.process.terminate()
    done = started.end(10)
    assert done.code == 128 + signal.SIGTERM


def test_database_that_goes_away_is_waited_for(image: Image) -> None:
    head, _, name = image.url.partition("?")[0].rpartition("/")
    image.url = f"{head}/{name}_not_there"
    started = image.start("wait")
    started.says("does not exist")
    started.process.terminate()
    assert started.end(10).out.startswith("Waiting for the database: ")
