"""What a migration does to the statements of the version that still serves: run in a second session, before and after.

``python -m tests.integration.preflight.serving`` writes docs/old-version-effects.md from what the servers do.
"""

from __future__ import annotations

import contextlib
import sys
import typing as t
import uuid
from pathlib import Path

import psycopg

from dev.postgresql import running
from tests.unit.plugins.module_utils._sql.cases import VERSIONS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "old-version-effects.md"
TABLES = """
CREATE TABLE served (id int PRIMARY KEY, label varchar(40), amount int NOT NULL DEFAULT 0, email text, state text,
  CONSTRAINT served_email UNIQUE (email));
CREATE UNIQUE INDEX served_state ON served (state);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
INSERT INTO parent VALUES (0);
INSERT INTO served SELECT n, 'label ' || n, 0, 'mail ' || n, 'state ' || n FROM generate_series(1, 20) n;
"""
# What the old version runs, with a number, a label and an amount that differ from run to run.
OLD = {
    "SELECT *": "SELECT * FROM served WHERE id = %(id)s",
    "SELECT listed": "SELECT id, label, amount FROM served WHERE id = %(id)s",
    "INSERT": "INSERT INTO served (id, label, amount, email) VALUES (%(id)s, %(label)s, %(amount)s, %(id)s::text)",
    "upsert": "INSERT INTO served (id, label, email) VALUES (%(id)s + 1000, %(label)s, 'mail 1') ON CONFLICT (email)"
    " DO UPDATE SET state = 'x'",
    "UPDATE": "UPDATE served SET label = %(label)s, amount = %(amount)s WHERE id = 2",
    "DELETE": "DELETE FROM served WHERE id = %(id)s",
}
# What a new rule may refuse, once the migration is done.
WRONG = {"label": "label 1", "amount": -1}
# psycopg 3 prepares a statement when it runs for the sixth time.
RUNS = 7
KINDS = (
    "ALTER TABLE served ADD COLUMN extra int",
    "ALTER TABLE served ADD COLUMN extra int NOT NULL DEFAULT 1",
    "ALTER TABLE served ADD COLUMN twice int GENERATED ALWAYS AS (amount * 2) STORED",
    "ALTER TABLE served DROP COLUMN state",
    "ALTER TABLE served DROP COLUMN label",
    "ALTER TABLE served ALTER COLUMN label TYPE varchar(80)",
    "ALTER TABLE served ALTER COLUMN label TYPE text",
    "ALTER TABLE served ALTER COLUMN amount TYPE bigint",
    "ALTER TABLE served ALTER COLUMN state TYPE varchar(80)",
    "ALTER TABLE served RENAME COLUMN label TO title",
    "ALTER TABLE served RENAME TO served_before",
    "ALTER TABLE served ALTER COLUMN state SET NOT NULL",
    "ALTER TABLE served ALTER COLUMN label SET NOT NULL",
    "ALTER TABLE served ALTER COLUMN amount DROP DEFAULT",
    "ALTER TABLE served ALTER COLUMN amount SET DEFAULT 1",
    "ALTER TABLE served ALTER COLUMN amount DROP NOT NULL",
    "ALTER TABLE served ADD CONSTRAINT c CHECK (amount >= 0)",
    "ALTER TABLE served ADD CONSTRAINT c CHECK (amount >= 0) NOT VALID",
    "ALTER TABLE served ADD CONSTRAINT c UNIQUE (label)",
    "ALTER TABLE served ADD CONSTRAINT c FOREIGN KEY (amount) REFERENCES parent",
    "ALTER TABLE served ADD CONSTRAINT c FOREIGN KEY (amount) REFERENCES parent NOT VALID",
    "ALTER TABLE served ADD CONSTRAINT c EXCLUDE USING btree (label WITH =)",
    "CREATE UNIQUE INDEX c ON served (label)",
    "CREATE INDEX c ON served (label)",
    "ALTER TABLE served DROP CONSTRAINT served_email",
    "DROP INDEX served_state",
    "ALTER TABLE served DROP CONSTRAINT served_pkey",
    "CREATE TRIGGER c BEFORE INSERT ON served FOR EACH ROW EXECUTE FUNCTION noted()",
    "COMMENT ON TABLE served IS 'x'",
    "ALTER TABLE served ALTER COLUMN label SET STATISTICS 200",
    "ALTER TABLE served SET (fillfactor = 80)",
    "CREATE VIEW shown AS SELECT id FROM served",
    "DROP TABLE served",
    "TRUNCATE served",
)  # fmt: skip
Seen = dict[tuple[str, bool], str]


@contextlib.contextmanager
def _copy(admin: psycopg.Connection, url: t.Callable[[str], str]) -> t.Iterator[str]:
    name = f"serving_{uuid.uuid4().hex[:8]}"
    admin.execute(f"CREATE DATABASE {name} TEMPLATE serving")
    try:
        yield url(name)
    finally:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def effects(admin: psycopg.Connection, url: t.Callable[[str], str], migration: str) -> Seen:
    """By old statement and whether it was prepared: the name of its error after the migration, empty without one.

    :param admin: of a server with a database `serving` that has TABLES
    :param url: from a database to its URL
    """
    seen: Seen = {}
    with _copy(admin, url) as place, contextlib.ExitStack() as stack:
        sessions = {}
        for prepared in (False, True):
            for number, (name, text) in enumerate(OLD.items()):
                # A rollback would make psycopg forget what it has prepared.
                session = stack.enter_context(psycopg.connect(place, autocommit=True))
                session.prepare_threshold = 5 if prepared else None
                first = 100 + 200 * prepared + 20 * number
                for run in range(first, first + RUNS):
                    session.execute(text, {"id": run, "label": f"old {run}", "amount": 0})
                sessions[name, prepared] = (session, first + RUNS)
        with psycopg.connect(place, autocommit=True) as migrator:
            migrator.execute("UPDATE served SET state = 'filled ' || id WHERE state IS NULL")
            migrator.execute(migration)
        for key, (session, number) in sessions.items():
            try:
                with session.transaction():
                    session.execute(OLD[key[0]], WRONG | {"id": number})
                    raise psycopg.Rollback
                seen[key] = ""
            except psycopg.Error as error:
                seen[key] = type(error).__name__
    return seen


def shown(seen: Seen, name: str) -> str:
    """A cell of the table."""
    plain, prepared = seen[name, False], seen[name, True]
    if plain:
        return f"fails ({plain})"
    return f"fails prepared ({prepared})" if prepared else "works"


@contextlib.contextmanager
def prepared_server(major: int) -> t.Iterator[tuple[psycopg.Connection, t.Callable[[str], str]]]:
    """A server with a database `serving`: a superuser's session, and the URL of a database."""
    with running(major) as server, psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE serving")
        with psycopg.connect(server.url("serving"), autocommit=True) as connection:
            connection.execute(TABLES)
        yield admin, server.url


def observed(major: int) -> dict[str, Seen]:
    with prepared_server(major) as (admin, url):
        return {kind: effects(admin, url, kind) for kind in KINDS}


def table(seen: dict[int, dict[str, Seen]]) -> str:
    """The document. Where versions differ, each is named."""
    lines = [
        "# What a migration does to the version that still serves",
        "",
        f"Seen on PostgreSQL {', '.join(map(str, seen))} by `python -m tests.integration.preflight.serving`:",
        f"a second session ran the old statement {RUNS} times before the migration and once after it, prepared by",
        "psycopg 3 and not. After it, it writes -1 into `amount`, a `label` twice and nothing into `state`; its",
        "upsert needs the unique constraint on `email`.",
        "",
        "| migration | " + " | ".join(OLD) + " |",
        "|---|" + "---|" * len(OLD),
    ]
    for kind in KINDS:
        cells = []
        for name in OLD:
            by_cell: dict[str, list[str]] = {}
            for major, rows in seen.items():
                by_cell.setdefault(shown(rows[kind], name), []).append(str(major))
            one = len(by_cell) == 1
            cells.append("; ".join(cell if one else f"{cell} on {', '.join(at)}" for cell, at in by_cell.items()))
        lines.append(f"| `{kind}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(table({major: observed(major) for major in VERSIONS}))
    sys.exit(0)
