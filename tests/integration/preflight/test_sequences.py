"""Sequences whose bounds or position an upgrade changes: what is said, what the server does, and the next INSERT."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import ended, judged, severities, sql

TABLES = """
CREATE TABLE counted (id serial PRIMARY KEY, name text);
INSERT INTO counted (name) SELECT 'n' FROM generate_series(1, 500);
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO numbered (name) SELECT 'n' FROM generate_series(1, 500);
CREATE SEQUENCE far;
SELECT setval('far', 40000);
CREATE SEQUENCE fresh;
CREATE TABLE fed (id int PRIMARY KEY DEFAULT nextval('far'), name text);
INSERT INTO fed (name) VALUES ('a'), ('b'), ('c');
CREATE TABLE plain (id int PRIMARY KEY, name text);
INSERT INTO plain SELECT n, 'n' FROM generate_series(1, 500) n;
CREATE TABLE empty (id serial PRIMARY KEY, name text);
ANALYZE counted, numbered, fed, plain;
"""
COUNTED, NUMBERED = "INSERT INTO counted (name) VALUES ('x')", "INSERT INTO numbered (name) VALUES ('x')"
FED = "INSERT INTO fed (name) VALUES ('x')"
PLAIN, EMPTY = "INSERT INTO plain (name) VALUES ('x')", "INSERT INTO empty (name) VALUES ('x')"
END = "SELECT setval('counted_id_seq', 2147483647)"

# setup, statements, what the running version does then, what is said of it (None: nothing), a word of the error
CASES: dict[str, tuple[str, list[str], str, str | None, str]] = {
    "greatest below where it stands": ("", sql("ALTER SEQUENCE counted_id_seq MAXVALUE 100"), COUNTED, "fail", "cannot be greater than MAXVALUE"),
    "greatest where it stands": ("", sql("ALTER SEQUENCE counted_id_seq MAXVALUE 500"), COUNTED, "fail", "reached maximum value"),
    "greatest above": ("", sql("ALTER SEQUENCE counted_id_seq MAXVALUE 5000"), COUNTED, None, ""),
    "least above where it stands": ("", sql("ALTER SEQUENCE counted_id_seq MINVALUE 1000"), COUNTED, "fail", "cannot be less than MINVALUE"),
    "least, start and restart": ("", sql("ALTER SEQUENCE counted_id_seq MINVALUE 1000 START 1000 RESTART"), COUNTED, None, ""),
    "smaller type": ("", sql("ALTER SEQUENCE far AS smallint"), FED, "fail", "cannot be greater than MAXVALUE"),
    "smaller type that holds": ("", sql("ALTER SEQUENCE counted_id_seq AS smallint"), COUNTED, None, ""),
    "smaller type, greater bound": ("", sql("ALTER SEQUENCE counted_id_seq AS smallint MAXVALUE 100000"), COUNTED, "fail", "out of range"),
    "type that is none of a sequence": ("", sql("ALTER SEQUENCE counted_id_seq AS text"), COUNTED, "fail", "must be smallint"),
    "back to the start": ("", sql("ALTER SEQUENCE counted_id_seq RESTART"), COUNTED, "fail", "duplicate key"),
    "back into the rows": ("", sql("ALTER SEQUENCE counted_id_seq RESTART WITH 5"), COUNTED, "fail", "duplicate key"),
    "behind the rows": ("", sql("ALTER SEQUENCE counted_id_seq RESTART WITH 501"), COUNTED, None, ""),
    "restart out of bounds": ("", sql("ALTER SEQUENCE counted_id_seq RESTART WITH 3000000000"), COUNTED, "fail", "cannot be greater than MAXVALUE"),
    "step of nothing": ("", sql("ALTER SEQUENCE counted_id_seq INCREMENT 0"), COUNTED, "fail", "must not be zero"),
    "counting down": ("", sql("ALTER SEQUENCE counted_id_seq INCREMENT -1"), COUNTED, "fail", "duplicate key"),
    "cache of nothing": ("", sql("ALTER SEQUENCE counted_id_seq CACHE 0"), COUNTED, "fail", "must be greater than zero"),
    "in a circle": ("", sql("ALTER SEQUENCE counted_id_seq MAXVALUE 500 CYCLE"), COUNTED, "fail", "duplicate key"),
    "start out of bounds": ("", sql("ALTER SEQUENCE counted_id_seq START 0"), COUNTED, "fail", "cannot be less than MINVALUE"),
    "bounds that cross": ("", sql("ALTER SEQUENCE counted_id_seq MINVALUE 10 MAXVALUE 5"), COUNTED, "fail", "must be less than MAXVALUE"),
    "two statements of which the last is right": ("", sql("ALTER SEQUENCE counted_id_seq RESTART WITH 5", "ALTER SEQUENCE counted_id_seq RESTART WITH 600"), COUNTED, None, ""),
    "called otherwise before": ("", sql("ALTER SEQUENCE counted_id_seq RENAME TO numbers_of_counted", "ALTER SEQUENCE numbers_of_counted RESTART WITH 5"), COUNTED, "fail", "duplicate key"),
    "no sequence": ("", sql("ALTER SEQUENCE counted RESTART"), COUNTED, "fail", ""),
    "owned by, of an identity": ("", sql("ALTER SEQUENCE numbered_id_seq OWNED BY NONE"), NUMBERED, "fail", "cannot change ownership"),
    "owned by": ("", sql("ALTER SEQUENCE far OWNED BY fed.id"), FED, None, ""),
    "owned by, of another role": ("CREATE ROLE other_owner; ALTER TABLE fed OWNER TO other_owner", sql("ALTER SEQUENCE far OWNED BY fed.id"), FED, "fail", "same owner"),
    "owned by, of another schema": ("CREATE SCHEMA aside; ALTER TABLE fed SET SCHEMA aside; SET LOCAL search_path TO public, aside", sql("ALTER SEQUENCE far OWNED BY fed.id"), FED, "fail", "same schema"),
    "identity back into the rows": ("", sql("ALTER TABLE numbered ALTER id RESTART WITH 1"), NUMBERED, "fail", "duplicate key"),
    "identity, greatest below": ("", sql("ALTER TABLE numbered ALTER id SET MAXVALUE 100"), NUMBERED, "fail", "cannot be greater than MAXVALUE"),
    "identity, generated otherwise": ("", sql("ALTER TABLE numbered ALTER id SET GENERATED BY DEFAULT"), NUMBERED, None, ""),
    "identity over rows": ("", sql("ALTER TABLE plain ALTER id ADD GENERATED BY DEFAULT AS IDENTITY"), PLAIN, "fail", "duplicate key"),
    "identity behind the rows": ("", sql("ALTER TABLE plain ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 501)"), PLAIN, None, ""),
    "identity over rows, set afterwards": ("", sql("ALTER TABLE plain ALTER id ADD GENERATED BY DEFAULT AS IDENTITY", "SELECT setval(pg_get_serial_sequence('plain', 'id'), (SELECT max(id) FROM plain))"), PLAIN, None, ""),
    "identity over rows, set by FROM": ("", sql("ALTER TABLE plain ALTER id ADD GENERATED BY DEFAULT AS IDENTITY", "SELECT setval('plain_id_seq', coalesce(max(id) + 1, 1), false) FROM plain"), PLAIN, None, ""),
    "identity whose start is out of bounds": ("", sql("ALTER TABLE plain ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 0)"), PLAIN, "fail", "cannot be less than MINVALUE"),
    "identity of a text": ("ALTER TABLE plain ALTER name SET NOT NULL", sql("ALTER TABLE plain ALTER name ADD GENERATED BY DEFAULT AS IDENTITY"), "", "fail", "must be smallint"),
    "new identity of a text": ("", sql("ALTER TABLE plain ADD n text GENERATED BY DEFAULT AS IDENTITY"), "", "fail", "must be smallint"),
    "new serial over rows": ("", sql("ALTER TABLE plain ADD n serial UNIQUE"), "", None, ""),
    "new identity with too few numbers": ("", sql("ALTER TABLE plain ADD n int GENERATED ALWAYS AS IDENTITY (MAXVALUE 100)"), "", "fail", "reached maximum value"),
    "new default with too few numbers": ("", sql("CREATE SEQUENCE few MAXVALUE 100", "ALTER TABLE plain ADD n int DEFAULT nextval('few')"), "", "fail", "reached maximum value"),
    "default of a sequence that is behind": ("", sql("ALTER TABLE plain ALTER id SET DEFAULT nextval('fresh')"), PLAIN, "fail", "duplicate key"),
    "default of a sequence with greater numbers": ("CREATE SEQUENCE great; SELECT setval('great', 3000000000)", sql("ALTER TABLE plain ALTER id SET DEFAULT nextval('great')"), PLAIN, "fail", "out of range"),
    "default, and the sequence set": ("", sql("SELECT setval('fresh', 500)", "ALTER TABLE plain ALTER id SET DEFAULT nextval('fresh')"), PLAIN, None, ""),
    "set back": ("", sql("SELECT setval('counted_id_seq', 1)"), COUNTED, "fail", "duplicate key"),
    "set forward": ("", sql("SELECT setval('counted_id_seq', 50000)"), COUNTED, None, ""),
    "set out of bounds": ("", sql("SELECT setval('counted_id_seq', 0)"), COUNTED, "fail", "out of bounds"),
    "set to the end": ("", sql(END), COUNTED, "fail", "reached maximum value"),
    "set to the rows": ("", sql("SELECT setval('counted_id_seq', (SELECT max(id) FROM counted))"), COUNTED, None, ""),
    "set to no rows": ("", sql("SELECT setval('empty_id_seq', (SELECT max(id) FROM empty))"), EMPTY, None, ""),
    "set to no rows, which is 0": ("", sql("SELECT setval('empty_id_seq', coalesce((SELECT max(id) FROM empty), 0))"), EMPTY, "fail", "out of bounds"),
    "set to no rows, which is 1": ("", sql("SELECT setval('empty_id_seq', greatest((SELECT max(id) FROM empty), 1))"), EMPTY, None, ""),
    "number of a sequence at its end": (END, sql("SELECT nextval('counted_id_seq')"), "", "fail", "reached maximum value"),
    "row of a sequence at its end": (END, sql(COUNTED), "", "fail", "reached maximum value"),
    "row by hand that the sequence comes to": ("", sql("INSERT INTO counted (id, name) VALUES (501, 'x')"), COUNTED, "warn", "duplicate key"),
    "row by hand behind it": ("DELETE FROM counted WHERE id = 7", sql("INSERT INTO counted (id, name) VALUES (7, 'x')"), COUNTED, None, ""),
    "rows of a query with their numbers": ("", sql("INSERT INTO empty (id, name) SELECT id, name FROM plain"), EMPTY, "warn", "duplicate key"),
    "rows of a query with their numbers, set afterwards": ("", sql("INSERT INTO empty (id, name) SELECT id, name FROM plain", "SELECT setval('empty_id_seq', (SELECT max(id) FROM empty))"), EMPTY, None, ""),
    "rows by hand in a new table": ("", sql("CREATE TABLE fresher (id serial PRIMARY KEY, name text)", "INSERT INTO fresher (id, name) VALUES (1, 'a'), (2, 'b')"), "INSERT INTO fresher (name) VALUES ('c')", "warn", "duplicate key"),
    "rows by hand in a new table, set afterwards": ("", sql("CREATE TABLE fresher (id serial PRIMARY KEY, name text)", "INSERT INTO fresher (id, name) VALUES (1, 'a'), (2, 'b')", "SELECT setval('fresher_id_seq', (SELECT max(id) FROM fresher))"), "INSERT INTO fresher (name) VALUES ('c')", None, ""),
    "rows by hand, the greatest first": ("", sql("INSERT INTO counted (id, name) VALUES (501, 'x')", "INSERT INTO counted (id, name) VALUES (-3, 'x')"), COUNTED, "warn", "duplicate key"),
    "rows by hand, taken away again": ("", sql("INSERT INTO empty (id, name) VALUES (1, 'x')", "DELETE FROM empty"), EMPTY, None, ""),
    "rows by hand between the numbers": ("ALTER SEQUENCE counted_id_seq INCREMENT 10 RESTART WITH 510", sql("INSERT INTO counted (id, name) VALUES (505, 'x'), (515, 'x'), (1001, 'x')"), COUNTED, None, ""),
    "rows by hand on the numbers": ("ALTER SEQUENCE counted_id_seq INCREMENT 10 RESTART WITH 510", sql("INSERT INTO counted (id, name) VALUES (505, 'x'), (510, 'x')"), COUNTED, "warn", "duplicate key"),
    "rows by hand beyond the sequence": ("ALTER TABLE counted ALTER id TYPE bigint; ALTER SEQUENCE counted_id_seq MAXVALUE 1000", sql("INSERT INTO counted (id, name) VALUES (5000, 'x')"), COUNTED, None, ""),
    "rows by hand unless they are there": ("", sql("INSERT INTO counted (id, name) SELECT 7, 'x' WHERE NOT EXISTS (SELECT FROM counted WHERE id = 7)"), COUNTED, None, ""),
    "rows by hand of a query, behind the sequence": ("DELETE FROM counted WHERE id IN (7, 8)", sql("INSERT INTO counted (id, name) SELECT 7, 'x' UNION ALL SELECT 8, 'y'"), COUNTED, None, ""),
    "rows by hand of a query of a table, behind the sequence": ("DELETE FROM counted WHERE id = 7", sql("INSERT INTO counted (id, name) SELECT 7, name FROM plain WHERE id = 1"), COUNTED, None, ""),
    "rows by hand of a query of a table, before it": ("", sql("INSERT INTO counted (id, name) SELECT 501, name FROM plain WHERE id = 1"), COUNTED, "warn", "duplicate key"),
    "rows by hand in a new table, set too low": ("", sql("CREATE TABLE fresher (id serial PRIMARY KEY, name text)", "INSERT INTO fresher (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')", "SELECT setval('fresher_id_seq', 2)"), "INSERT INTO fresher (name) VALUES ('d')", "warn", "duplicate key"),
    "new sequence whose bounds cross": ("", sql("CREATE SEQUENCE few MINVALUE 10 MAXVALUE 5"), "", "fail", "must be less than MAXVALUE"),
    "new sequence whose start is out of bounds": ("", sql("CREATE SEQUENCE few START 0"), "", "fail", "cannot be less than MINVALUE"),
    "new sequence beyond its type": ("", sql("CREATE SEQUENCE few AS smallint MAXVALUE 40000"), "", "fail", "out of range"),
    "new sequence counting down": ("", sql("CREATE SEQUENCE few INCREMENT -1", "ALTER SEQUENCE few MINVALUE -10"), "SELECT nextval('few')", None, ""),
    "new table whose identity is out of bounds": ("", sql("CREATE TABLE fresher (id smallint GENERATED ALWAYS AS IDENTITY (START 40000))"), "", "fail", "cannot be greater than MAXVALUE"),
    "emptied and begun again": ("", sql("TRUNCATE counted RESTART IDENTITY"), COUNTED, None, ""),
    "emptied, not begun again": ("", sql("TRUNCATE counted"), COUNTED, None, ""),
}  # fmt: skip
SAYS = {"definition-refused", "sequence-behind", "key-near-end", "object-missing"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, afterwards, wanted, words = CASES[name]
    for text in (TABLES, setup):
        session.execute(text or "SELECT")
    found = judged(session, texts)
    error = ended(session, [*texts, *([afterwards] if afterwards else [])])
    assert severities(found, SAYS) == ({wanted} if wanted else set()), ([item.message for item in found], error)
    assert words in error, error
    assert bool(wanted) == bool(error), error


# setup, statements, whether the sequence stays narrower than its column
WIDER: dict[str, tuple[str, list[str], bool]] = {
    "serial": ("", sql("ALTER TABLE counted ALTER id TYPE bigint"), True),
    "serial, and its sequence": ("", sql("ALTER TABLE counted ALTER id TYPE bigint", "ALTER SEQUENCE counted_id_seq AS bigint"), False),
    "its sequence first": ("", sql("ALTER SEQUENCE counted_id_seq AS bigint", "ALTER TABLE counted ALTER id TYPE bigint"), False),
    "identity": ("", sql("ALTER TABLE numbered ALTER id TYPE bigint"), False),
    "identity, and far from where it stands": ("", sql("ALTER TABLE numbered ALTER id TYPE bigint", "ALTER TABLE numbered ALTER id RESTART WITH 3000000000"), False),
    "a sequence of its own": ("", sql("ALTER TABLE fed ALTER id TYPE bigint"), False),
    "no sequence": ("", sql("ALTER TABLE plain ALTER id TYPE bigint"), False),
    "made narrower": ("ALTER TABLE counted ALTER id TYPE bigint", sql("ALTER TABLE counted ALTER id TYPE int"), False),
    "a bound of its own": ("ALTER SEQUENCE counted_id_seq MAXVALUE 5000", sql("ALTER TABLE counted ALTER id TYPE bigint"), False),
}  # fmt: skip


@pytest.mark.parametrize("name", WIDER)
def test_a_key_that_gets_wider_than_its_sequence(name: str, session: psycopg.Connection) -> None:
    setup, texts, narrow = WIDER[name]
    for text in (TABLES, setup):
        session.execute(text or "SELECT")
    found = judged(session, texts)
    assert severities(found, SAYS | {"sequence-narrow"}) == ({"warn"} if narrow else set()), [x.message for x in found]
    assert not ended(session, texts)
    column = texts[0].split()[2] if "TABLE" in texts[0] else "counted"
    key = "SELECT pg_get_serial_sequence(%s, 'id')"
    sequence = session.execute(key, (column,)).fetchone()
    if sequence and sequence[0]:
        if narrow:
            session.execute("SELECT setval(%s, 2147483647)", sequence)
        assert bool(ended(session, [f"INSERT INTO {column} (name) VALUES ('x')"])) == narrow  # noqa: S608


def test_a_sequence_that_may_not_be_read_is_not_known(session: psycopg.Connection) -> None:
    session.execute(TABLES)
    session.execute("CREATE ROLE blind; GRANT USAGE ON SCHEMA public TO blind; SET LOCAL ROLE blind")
    found = judged(session, sql("ALTER SEQUENCE far MAXVALUE 100", "ALTER SEQUENCE counted_id_seq RESTART WITH 5"))
    assert severities(found, SAYS) == {"unknown"}, [item.message for item in found]


SERVING = (
    "CREATE ROLE serving; GRANT SELECT, INSERT ON plain, counted TO serving; GRANT USAGE ON SEQUENCE far TO serving"
)
PLAIN_ROW = "INSERT INTO plain (id, name) VALUES (9999, 'x')"
# statements, what the version that serves does as its own role, whether that is refused
WRITERS: dict[str, tuple[list[str], bool]] = {
    "new serial": (sql("ALTER TABLE plain ADD n serial"), True),
    "new serial, granted": (
        sql("ALTER TABLE plain ADD n serial", "GRANT USAGE ON SEQUENCE plain_n_seq TO serving"),
        False,
    ),
    "new serial, all granted": (
        sql("ALTER TABLE plain ADD n serial", "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO serving"),
        False,
    ),
    "new serial, by default": (sql("ALTER TABLE plain ADD n int GENERATED BY DEFAULT AS IDENTITY"), False),
    "default of a sequence of its own": (
        sql("ALTER TABLE plain ADD n bigint", "ALTER TABLE plain ALTER n SET DEFAULT nextval('fresh')"),
        True,
    ),
    "default of a sequence that it may use": (
        sql("ALTER TABLE plain ADD n bigint", "ALTER TABLE plain ALTER n SET DEFAULT nextval('far')"),
        False,
    ),
    "new column": (sql("ALTER TABLE plain ADD n int"), False),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_role_that_may_not_use_the_sequence(name: str, session: psycopg.Connection) -> None:
    texts, refused = WRITERS[name]
    session.execute(TABLES)
    session.execute(SERVING)
    found = [item for item in judged(session, texts) if item.id == "write-rejected" and "sequence" in item.message]
    assert [item.severity for item in found] == (["fail"] if refused else [])
    error = ended(session, [*texts, "SET LOCAL ROLE serving", PLAIN_ROW])
    assert ("permission denied for sequence" in error) == refused, error
