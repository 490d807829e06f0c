"""The image's revisions on a real server."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import quote

from tests.integration.agent.conftest import IMAGE, Database


def test_all_of_them_and_back_and_again(database: Database, next_image: Path) -> None:
    database.migrate()
    done = database.alembic("check")
    assert done.returncode == 0, done.stdout + done.stderr
    database.migrate(folder=next_image)
    assert database.rows("SELECT version_num FROM alembic_version") == [("0007",)]
    done = database.alembic("downgrade", "base", folder=next_image)
    assert done.returncode == 0, done.stderr
    database.migrate(folder=next_image)
    tables = database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    assert [name for (name,) in tables] == ["alembic_version", "message_feedback", "messages", "sessions"]


def test_the_offline_sql_makes_the_same_schema(database: Database) -> None:
    """What the preflight judges is what would be run."""
    database.migrate()
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    wanted = database.rows(columns), database.rows(indexes)
    text = database.alembic("upgrade", "head", "--sql").stdout
    database.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    database.execute(*(one for one in "\n".join(lines).split(";") if one.strip()))
    assert (database.rows(columns), database.rows(indexes)) == wanted


SESSION = "INSERT INTO sessions (id) VALUES ('00000000-0000-0000-0000-000000000001')"
QUESTION = "INSERT INTO messages (session_id, role, content) SELECT id, 'user', 'q' FROM sessions"
ANSWERS = (
    "INSERT INTO messages (session_id, role, content)"
    " SELECT id, 'assistant', 'a' FROM sessions, generate_series(1, 12000)"
)


def test_old_answers_are_filled_batch_by_batch(database: Database) -> None:
    database.migrate("0004")
    database.execute(SESSION, QUESTION, ANSWERS)
    database.migrate("0005")
    assert database.rows("SELECT role, model, count(*) FROM messages GROUP BY 1, 2 ORDER BY 1") == [
        ("assistant", "unknown", 12_000),
        ("user", None, 1),
    ]
    # Batches of 5000: each was a transaction of its own.
    transactions = database.rows("SELECT count(DISTINCT xmin::text) FROM messages WHERE role = 'assistant'")
    assert transactions == [(3,)]


def test_a_lock_time_out_of_the_environment_or_the_url_is_kept(database: Database) -> None:
    database.migrate("0003")
    options = "-c lock_timeout=300ms"
    with database.lock("messages"):
        for name, value in (("PGOPTIONS", options), ("DATABASE_URL", f"{database.url}?options={quote(options)}")):
            begin = time.monotonic()
            done = database.alembic("upgrade", "head", folder=IMAGE, **{name: value})
            assert done.returncode == 1
            assert "lock timeout" in done.stderr
            assert time.monotonic() - begin < 15
    database.migrate()


def test_a_constraint_that_old_rows_break_can_be_tried_again(database: Database) -> None:
    database.migrate("0005")
    database.execute(SESSION, QUESTION)
    database.execute("UPDATE messages SET role = 'robot' WHERE role = 'user'")
    done = database.alembic("upgrade", "head")
    assert done.returncode == 1
    assert "messages_role_known" in done.stderr
    database.execute("UPDATE messages SET role = 'user' WHERE role = 'robot'")
    database.migrate()
    assert database.rows("SELECT convalidated FROM pg_constraint WHERE conname = 'messages_role_known'") == [(True,)]


def test_an_index_of_a_build_that_broke_off_is_built_again(database: Database) -> None:
    database.migrate("0002")
    database.execute(
        "CREATE INDEX messages_by_session ON messages (session_id, id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'messages_by_session'::regclass",
    )
    database.migrate()
    valid = database.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'messages_by_session'::regclass")
    assert valid == [(True,)]


def test_the_revisions_of_the_image_are_where_alembic_looks() -> None:
    assert len(list((IMAGE / "migrations" / "versions").glob("*.py"))) >= 5
