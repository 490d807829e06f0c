"""What goes is what one plain statement of SQL names, whatever the types of keys and times are."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from tests.integration.retention.conftest import Database
from tests.integration.retention.test_retention import delete

Row = dict[str, t.Any]
KEYS = ("int", "numeric", "text", "uuid", "char(40)", "timestamptz")
TIMES = ("timestamptz", "timestamp", "date", "timestamptz(0)")
# A key of each type from a number.
MADE = {
    "int": "{}",
    "numeric": "{} / 10.0",
    "text": "'k ' || {}",
    "uuid": "md5({}::text)::uuid",
    "char(40)": "'k ' || {}",
    "timestamptz": "timestamptz '2020-01-01' + {} * interval '1 us'",
}
PAIRS = list(zip(itertools.cycle(KEYS), itertools.islice(itertools.cycle(TIMES), 12), strict=False))
SCHEMA = """
CREATE TABLE roots (id {key} PRIMARY KEY, at {time});
CREATE TABLE mids (id {key} PRIMARY KEY, root {key} REFERENCES roots ON DELETE CASCADE, at {time});
CREATE TABLE leaves (id int PRIMARY KEY, mid {key} REFERENCES mids, at {time}, answers int REFERENCES leaves);
CREATE INDEX ON mids (root); CREATE INDEX ON leaves (mid);
SELECT setseed(0.5);
INSERT INTO roots SELECT {root}, {age} FROM generate_series(1, 300) n;
INSERT INTO mids SELECT {mid}, CASE WHEN n % 20 > 0 THEN {of_root} END, {age} FROM generate_series(1, 300) n;
INSERT INTO leaves SELECT n, CASE WHEN n % 20 > 0 THEN {of_mid} END, {age} FROM generate_series(1, 600) n;
UPDATE leaves SET answers = id - 1 WHERE id % 7 = 0 AND id > 1;
"""
# Old by itself, with nothing below that is young or of an unknown age.
OLD = """
SELECT r.id::text FROM roots r WHERE r.at < %(cutoff)s::timestamptz
  AND NOT EXISTS (SELECT FROM mids m WHERE m.root = r.id AND (m.at IS NULL OR m.at >= %(cutoff)s::timestamptz))
  AND NOT EXISTS (SELECT FROM mids m JOIN leaves l ON l.mid = m.id
                  WHERE m.root = r.id AND (l.at IS NULL OR l.at >= %(cutoff)s::timestamptz))
"""
# Of those, the ones that no row of another one refers to.
FREE = """
SELECT m.root::text FROM leaves a JOIN leaves l ON a.answers = l.id JOIN mids m ON m.id = l.mid
LEFT JOIN mids o ON o.id = a.mid WHERE o.root IS DISTINCT FROM m.root
"""


@pytest.mark.parametrize(("key", "time"), PAIRS)
def test_against_plain_sql(key: str, time: str, empty: Database) -> None:
    unusual = f"'infinity'::{time} WHEN n % 31 = 0 THEN '-infinity'::{time} WHEN n % 37 = 0 THEN NULL"
    age = f"CASE WHEN n % 29 = 0 THEN {unusual} ELSE (now() - random() * interval '60 d')::{time} END"
    made = MADE[key].format
    empty.run(
        SCHEMA.format(
            key=key, time=time, age=age, root=made("n"), mid=made("n"), of_root=made("(n % 300 + 1)"),
            of_mid=made("(n % 299 + 1)"),
        )
    )  # fmt: skip
    tables: list[Row] = [
        {"table": "roots", "key": "id", "time": "at"},
        {"table": "mids", "key": "id", "time": "at", "parent": "roots", "parent_column": "root"},
        {"table": "leaves", "key": "id", "time": "at", "parent": "mids", "parent_column": "mid"},
    ]
    empty.run("SET TimeZone = 'UTC'")
    before = {name for (name,) in empty.run("SELECT id::text FROM roots")}
    dry = delete(empty, tables=tables, check_mode=True)
    cursor = empty.connection.execute(OLD, {"cutoff": dry["cutoff"]})
    old = {name for (name,) in cursor.fetchall()}
    kept = {name for (name,) in empty.run(FREE)}
    assert dry["sessions"] == len(old)
    result = delete(empty, tables=tables, batch=7)
    left = {name for (name,) in empty.run("SELECT id::text FROM roots")}
    gone = before - left
    # A session to which a young one refers stays; one that goes with those that refer to it may go.
    assert old - kept <= gone <= old
    assert result["sessions"] == len(gone)
    # Nothing below is without what it belonged to, and nothing that belonged to nobody went.
    assert empty.run("SELECT count(*) FROM mids WHERE root IS NULL") == [(15,)]
    assert empty.run("SELECT count(*) FROM leaves WHERE mid IS NULL") == [(30,)]
    assert result["rows"]["mids"] == 300 - empty.run("SELECT count(*) FROM mids")[0][0]
    assert result["rows"]["leaves"] == 600 - empty.run("SELECT count(*) FROM leaves")[0][0]
