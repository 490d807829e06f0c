"""A unique index that goes or comes beside another one: what is said, and what the running version's statements meet."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, sql

TABLES = """
CREATE TABLE account (id int PRIMARY KEY, mail text CONSTRAINT one_mail UNIQUE, code text, kind text);
CREATE UNIQUE INDEX one_code ON account (code);
INSERT INTO account VALUES (1, 'a', 'c', 'k');
"""
BY_MAIL = "INSERT INTO account VALUES (2, 'a') ON CONFLICT (mail) DO NOTHING"
BY_NAME = "INSERT INTO account VALUES (2, 'a') ON CONFLICT ON CONSTRAINT one_mail DO NOTHING"
BY_CODE = "INSERT INTO account VALUES (2, 'b', 'c') ON CONFLICT (code) DO NOTHING"
MORE, MAIL = "CREATE UNIQUE INDEX more ON account (code)", "CREATE UNIQUE INDEX more ON account (mail)"
DROP, DROP_MAIL = "DROP INDEX one_code", "ALTER TABLE account DROP CONSTRAINT one_mail"

# The upgrade, what the running version does afterwards, what is said of it (None: nothing), whether that is refused.
GONE: dict[str, tuple[list[str], str, str | None, bool]] = {
    "index": (sql(DROP), BY_CODE, "every INSERT", True),
    "index beside another": (sql(MORE, DROP), BY_CODE, None, False),
    "index beside one of more columns": (sql("CREATE UNIQUE INDEX more ON account (code, kind)", DROP), BY_CODE, "every INSERT", True),
    "index beside a partial one": (sql(f"{MORE} WHERE id > 0", DROP), BY_CODE, "every INSERT", True),
    "index beside one of an expression": (sql("CREATE UNIQUE INDEX more ON account (lower(code))", DROP), BY_CODE, "every INSERT", True),
    "index beside a constraint": (sql("ALTER TABLE account ADD UNIQUE (code)", DROP), BY_CODE, None, False),
    "index beside a deferrable constraint": (sql("ALTER TABLE account ADD UNIQUE (code) DEFERRABLE", DROP), BY_CODE, "every INSERT", True),
    "constraint": (sql(DROP_MAIL), BY_MAIL, "every INSERT", True),
    "constraint beside another, by its columns": (sql(MAIL, DROP_MAIL), BY_MAIL, "ON CONSTRAINT one_mail", False),
    "constraint beside another, by its name": (sql(MAIL, DROP_MAIL), BY_NAME, "ON CONSTRAINT one_mail", True),
    "constraint replaced in one": (sql("ALTER TABLE account DROP CONSTRAINT one_mail, ADD CONSTRAINT instead UNIQUE (mail)"), BY_MAIL, "ON CONSTRAINT one_mail", False),
}  # fmt: skip


@pytest.mark.parametrize("name", GONE)
def test_a_target_that_goes(name: str, session: psycopg.Connection) -> None:
    texts, afterwards, words, refused = GONE[name]
    session.execute(TABLES)
    found = [item.message for item in judged(session, texts) if item.id == "conflict-target-dropped"]
    assert bool(found) == bool(words), found
    assert (words or "") in " ".join(found)
    assert not ended(session, texts)
    assert bool(ended(session, [afterwards])) == refused


SAME = "INSERT INTO account (id, mail, code, kind) VALUES (3, 'z', 'c', 'k')"
# The upgrade, whether more is refused than before.
COMES: dict[str, tuple[list[str], bool]] = {
    "of a column": (sql("CREATE UNIQUE INDEX more ON account (kind)"), True),
    "of a column that is unique": (sql(MORE), False),
    "of that and another": (sql("CREATE UNIQUE INDEX more ON account (kind, code)"), False),
    "of a column after its own went": (sql(DROP, MORE), True),
    "of an expression": (sql("CREATE UNIQUE INDEX more ON account (lower(code))"), True),
    "of a column whose key is deferrable": (sql(DROP, "ALTER TABLE account ADD CONSTRAINT d UNIQUE (code) DEFERRABLE", MORE), True),
}  # fmt: skip


@pytest.mark.parametrize("name", COMES)
def test_an_index_that_refuses_nothing_more(name: str, session: psycopg.Connection) -> None:
    texts, more = COMES[name]
    session.execute(TABLES)
    last = len(texts)
    found = judged(session, texts)
    said = any(item.id == "write-rejected" and item.statement == last for item in found)
    assert said == more, [item.message for item in found]
    session.execute("SAVEPOINT before")
    unlike = SAME.replace("'c'", "'C'") if "expression" in name else SAME.replace("'c'", "'d'")
    for text in texts:
        session.execute(text)
    # Rows that differ in what was unique before are refused only by an index that refuses more.
    assert bool(ended(session, [unlike])) == (more and name in {"of a column", "of an expression"})
