"""Partitions, inheritance and row-level security: what is said of a change, and whether the server takes it."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, severities, sql

TABLES = """
CREATE SCHEMA bonds; SET LOCAL search_path = bonds;
CREATE TABLE log (id int NOT NULL, at date NOT NULL, note text, CONSTRAINT kept CHECK (id > 0)) PARTITION BY RANGE (at);
CREATE TABLE log_26 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX log_note ON log (note);
CREATE TABLE bare (id int, at date) PARTITION BY LIST (id);
CREATE TABLE odd (id int, at timestamp) PARTITION BY RANGE (date_trunc('day', at));
CREATE TABLE base (a int NOT NULL, b text);
CREATE TABLE heir (c int) INHERITS (base);
CREATE TABLE alike (id int NOT NULL, at date NOT NULL, note text, CONSTRAINT kept CHECK (id > 0));
CREATE TABLE unchecked (id int NOT NULL, at date NOT NULL, note text);
CREATE TABLE nullable (id int NOT NULL, at date, note text, CONSTRAINT kept CHECK (id > 0));
CREATE TABLE narrow (id int NOT NULL, at date NOT NULL);
CREATE TABLE wide (id int NOT NULL, at date NOT NULL, note text, more int, CONSTRAINT kept CHECK (id > 0));
CREATE TABLE other (id bigint NOT NULL, at date NOT NULL, note text, CONSTRAINT kept CHECK (id > 0));
CREATE TABLE single (a int NOT NULL, b text, c int);
"""
FULL = "DO $$ BEGIN EXECUTE 'CREATE TABLE full_up (' || (SELECT string_agg('c' || n || ' bool', ',') FROM generate_series(1, 1599) n) || ')'; END $$"
HASHED = "CREATE TABLE hashed (a int) PARTITION BY HASH (a); CREATE TABLE h1 PARTITION OF hashed FOR VALUES WITH (MODULUS 4, REMAINDER 1)"
TWO = "CREATE TABLE two (a int, b text) PARTITION BY RANGE (a, b); CREATE TABLE w1 PARTITION OF two FOR VALUES FROM (1, 'a') TO (1, 'm')"
ZONED = "CREATE TABLE zoned (at timestamptz) PARTITION BY RANGE (at); CREATE TABLE z1 PARTITION OF zoned FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')"
BOUNDS = "FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')"

# setup, statements, what is said (fail, None: nothing), a word of the server's error
BONDS: dict[str, tuple[str, list[str], str | None, str]] = {
    "column of a partition": ("", sql("ALTER TABLE log_26 ADD more int"), "fail", "partition"),
    "column of the parent": ("", sql("ALTER TABLE log ADD more int"), None, ""),
    "column that a partition has": ("", sql("ALTER TABLE log_26 ADD COLUMN IF NOT EXISTS note text"), "fail", "partition"),
    "column of the parent alone": ("", sql("ALTER TABLE ONLY log ADD more int"), "fail", "child tables"),
    "inherited column dropped": ("", sql("ALTER TABLE log_26 DROP note"), "fail", "inherited"),
    "inherited column dropped, of a plain table": ("", sql("ALTER TABLE heir DROP b"), "fail", "inherited"),
    "own column of an heir dropped": ("", sql("ALTER TABLE heir DROP c"), None, ""),
    "inherited column of another type": ("", sql("ALTER TABLE log_26 ALTER note TYPE varchar(9)"), "fail", "inherited"),
    "inherited column renamed": ("", sql("ALTER TABLE log_26 RENAME note TO remark"), "fail", "inherited"),
    "column renamed in the parent": ("", sql("ALTER TABLE log RENAME note TO remark"), None, ""),
    "inherited check dropped": ("", sql("ALTER TABLE log_26 DROP CONSTRAINT kept"), "fail", "inherited"),
    "check dropped in the parent": ("", sql("ALTER TABLE log DROP CONSTRAINT kept"), None, ""),
    "NOT NULL of a partition dropped": ("", sql("ALTER TABLE log_26 ALTER id DROP NOT NULL"), "fail", "NOT NULL"),
    "key of another type": ("", sql("ALTER TABLE log ALTER at TYPE timestamp"), "fail", "partition key"),
    "key dropped": ("", sql("ALTER TABLE log DROP at"), "fail", "partition key"),
    "another column of another type": ("", sql("ALTER TABLE log ALTER note TYPE varchar(9)"), None, ""),
    "unique without the key": ("", sql("ALTER TABLE log ADD CONSTRAINT once UNIQUE (id)"), "fail", "partition"),
    "primary key without the key": ("", sql("ALTER TABLE bare ADD PRIMARY KEY (at)"), "fail", "partition"),
    "unique index without the key": ("", sql("CREATE UNIQUE INDEX ON log (id)"), "fail", "partition"),
    "unique with the key": ("", sql("ALTER TABLE log ADD CONSTRAINT once UNIQUE (id, at)", "CREATE UNIQUE INDEX ON log (at)"), None, ""),
    "index without the key": ("", sql("CREATE INDEX ON log (id)"), None, ""),
    "unique beside an expression": ("", sql("CREATE UNIQUE INDEX ON odd (id, at)"), "fail", "partition key"),
    "unique column added": ("", sql("ALTER TABLE log ADD code int UNIQUE"), "fail", "partition"),
    "new table without the key": ("", sql("CREATE TABLE fresh (id int PRIMARY KEY, at date) PARTITION BY RANGE (at)"), "fail", "partition"),
    "new table with the key": ("", sql("CREATE TABLE fresh (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)"), None, ""),
    "NOT NULL of the parent alone": ("", sql("ALTER TABLE ONLY log ALTER note SET NOT NULL"), "fail", "child tables"),
    "NOT NULL of the parent alone, known": ("", sql("ALTER TABLE log_26 ALTER note SET NOT NULL", "ALTER TABLE ONLY log ALTER note SET NOT NULL"), None, ""),
    "NOT NULL of a parent without partitions": ("", sql("ALTER TABLE ONLY bare ALTER at SET NOT NULL"), None, ""),
    "index of a partition dropped": ("", sql("DROP INDEX log_26_note_idx"), "fail", "requires it"),
    "index of the parent dropped": ("", sql("DROP INDEX log_note"), None, ""),
    "attached": ("", sql(f"ALTER TABLE log ATTACH PARTITION alike {BOUNDS}"), None, ""),
    "attached without the check": ("", sql(f"ALTER TABLE log ATTACH PARTITION unchecked {BOUNDS}"), "fail", "missing constraint"),
    "attached, nullable": ("", sql(f"ALTER TABLE log ATTACH PARTITION nullable {BOUNDS}"), "fail", "NOT NULL"),
    "attached without a column": ("", sql(f"ALTER TABLE log ATTACH PARTITION narrow {BOUNDS}"), "fail", "missing column"),
    "attached with another column": ("", sql(f"ALTER TABLE log ATTACH PARTITION wide {BOUNDS}"), "fail", "not found in parent"),
    "attached with another type": ("", sql(f"ALTER TABLE log ATTACH PARTITION other {BOUNDS}"), "fail", "type"),
    "attached after it was mended": ("", sql("ALTER TABLE nullable ALTER at SET NOT NULL", f"ALTER TABLE log ATTACH PARTITION nullable {BOUNDS}"), None, ""),
    "bounds that overlap": ("", sql("CREATE TABLE log_b PARTITION OF log FOR VALUES FROM ('2026-06-01') TO ('2026-07-01')"), "fail", "would overlap"),
    "bounds around another": ("", sql("CREATE TABLE log_b PARTITION OF log FOR VALUES FROM (MINVALUE) TO (MAXVALUE)"), "fail", "would overlap"),
    "bounds that meet": ("", sql("CREATE TABLE log_b PARTITION OF log FOR VALUES FROM (date '2025-01-01') TO ('2026-01-01')"), None, ""),
    "bounds of nothing": ("", sql("CREATE TABLE log_b PARTITION OF log FOR VALUES FROM ('2030-01-01') TO ('2030-01-01')"), "fail", "empty range"),
    "bounds, attached": ("", sql("ALTER TABLE log ATTACH PARTITION alike FOR VALUES FROM ('2026-12-31') TO ('2028-01-01')"), "fail", "would overlap"),
    "bounds of one that is dropped before": ("", sql("DROP TABLE log_26", "CREATE TABLE log_26 PARTITION OF log FOR VALUES FROM ('2026-06-01') TO ('2026-07-01')"), None, ""),
    "bounds of one that is detached before": ("", sql("ALTER TABLE log DETACH PARTITION log_26", "CREATE TABLE log_b PARTITION OF log FOR VALUES FROM ('2026-06-01') TO ('2026-07-01')"), None, ""),
    "bounds of one that is renamed before": ("", sql("ALTER TABLE log_26 RENAME TO older", "CREATE TABLE log_b PARTITION OF log FOR VALUES FROM ('2026-06-01') TO ('2026-07-01')"), "fail", "would overlap"),
    "bounds of one of this upgrade": ("", sql("CREATE TABLE b1 PARTITION OF bare FOR VALUES IN (1, 2)", "CREATE TABLE b2 PARTITION OF bare FOR VALUES IN (2, 3)"), "fail", "would overlap"),
    "bounds that are there, IF NOT EXISTS": ("", sql("CREATE TABLE IF NOT EXISTS log_26 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"), None, ""),
    "list beside another": ("CREATE TABLE b1 PARTITION OF bare FOR VALUES IN (1, NULL)", sql("CREATE TABLE b2 PARTITION OF bare FOR VALUES IN (2, 3)"), None, ""),
    "list with the same value": ("CREATE TABLE b1 PARTITION OF bare FOR VALUES IN (1, NULL)", sql("CREATE TABLE b2 PARTITION OF bare FOR VALUES IN (NULL)"), "fail", "would overlap"),
    "range for a list": ("", sql("CREATE TABLE b2 PARTITION OF bare FOR VALUES FROM (1) TO (2)"), "fail", "bound specification"),
    "a second default": ("CREATE TABLE b1 PARTITION OF bare DEFAULT", sql("CREATE TABLE b2 PARTITION OF bare DEFAULT"), "fail", "conflicts with existing default"),
    "the first default": ("CREATE TABLE b1 PARTITION OF bare FOR VALUES IN (1)", sql("CREATE TABLE b2 PARTITION OF bare DEFAULT"), None, ""),
    "hash with the same remainder": (HASHED, sql("CREATE TABLE h2 PARTITION OF hashed FOR VALUES WITH (MODULUS 8, REMAINDER 5)"), "fail", "would overlap"),
    "hash with another remainder": (HASHED, sql("CREATE TABLE h2 PARTITION OF hashed FOR VALUES WITH (MODULUS 8, REMAINDER 6)"), None, ""),
    "hash with a modulus that does not fit": (HASHED, sql("CREATE TABLE h2 PARTITION OF hashed FOR VALUES WITH (MODULUS 6, REMAINDER 0)"), "fail", "modulus"),
    "range of two columns": (TWO, sql("CREATE TABLE w2 PARTITION OF two FOR VALUES FROM (1, 'm') TO (1, MAXVALUE)", "CREATE TABLE w3 PARTITION OF two FOR VALUES FROM (2, MINVALUE) TO (9, 'a')"), None, ""),
    "range of two columns that overlaps": (TWO, sql("CREATE TABLE w2 PARTITION OF two FOR VALUES FROM (0, 'z') TO (2, 'a')"), "fail", "would overlap"),
    "timestamps with a zone": (ZONED, sql("CREATE TABLE z2 PARTITION OF zoned FOR VALUES FROM ('2026-02-01') TO ('2026-03-01 00:00+02')"), None, ""),
    "timestamps of another zone": (ZONED, sql("CREATE TABLE z2 PARTITION OF zoned FOR VALUES FROM ('2026-02-01 00:00+02') TO ('2026-03-01')"), "fail", "would overlap"),
    "inherits": ("", sql("ALTER TABLE single INHERIT base"), None, ""),
    "inherits without the columns": ("", sql("ALTER TABLE narrow INHERIT base"), "fail", "missing column"),
    "system column": ("", sql("ALTER TABLE single ADD xmin int"), "fail", "system column"),
    "system column of a new table": ("", sql("CREATE TABLE fresh (ctid text)"), "fail", "system column"),
    "the last column": (FULL, sql("ALTER TABLE full_up ADD a bool"), None, ""),
    "one more than the last": (FULL, sql("ALTER TABLE full_up ADD a bool", "ALTER TABLE full_up DROP c1", "ALTER TABLE full_up ADD b bool"), "fail", "1600 columns"),
    "clustered on a missing index": ("", sql("ALTER TABLE single CLUSTER ON nothing"), "fail", "does not exist"),
    "clustered on a new index": ("", sql("CREATE INDEX k ON single (a)", "ALTER TABLE single CLUSTER ON k"), None, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BONDS)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = BONDS[name]
    if name == "NOT NULL of the parent alone, known" and session.info.server_version >= 180000:
        wanted, words = "fail", "child tables"
    found, error = said_and_done(session, TABLES, setup, texts)
    assert severities(found, {"definition-refused"}) == ({wanted} if wanted else set()), (
        [item.message for item in found],
        error,
    )
    assert words in error
    assert bool(error) == (wanted == "fail")
