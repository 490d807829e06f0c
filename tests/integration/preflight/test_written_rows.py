"""Rows that an UPDATE or the query of an INSERT computes, and what their table refuses of them."""

# ruff: noqa: E501, S608 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import LEDGER, agree_at_worst, said_and_done, sql

DST = "CREATE TABLE dst (id int, note text NOT NULL, k varchar(3), amount int CHECK (amount > 0), g text GENERATED ALWAYS AS (k || 'x') STORED);"
# The kinds are those of public reports: apache/airflow#24566 and #18801, dockstore#2093, gpustack#5676, litellm.
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "insert select into partitions, fit": ("CREATE TABLE ev (id int, at date, c text) PARTITION BY RANGE (at); CREATE TABLE ev_24 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE raw (id int, at date); INSERT INTO raw VALUES (1,'2024-05-01');", sql("INSERT INTO ev (id, at) SELECT id, at FROM raw"), None, ""),
    "insert select into partitions, none": ("CREATE TABLE ev (id int, at date, c text) PARTITION BY RANGE (at); CREATE TABLE ev_24 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE raw (id int, at date); INSERT INTO raw VALUES (1,'2024-05-01');INSERT INTO raw VALUES (2,'2025-05-01');", sql("INSERT INTO ev (id, at) SELECT id, at FROM raw"), "fail", "no partition"),
    "insert select null key": ("CREATE TABLE ev (id int, at date, c text) PARTITION BY RANGE (at); CREATE TABLE ev_24 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE raw (id int, at date); INSERT INTO raw VALUES (1,'2024-05-01');INSERT INTO raw VALUES (2,NULL);", sql("INSERT INTO ev (id, at) SELECT id, at FROM raw"), "fail", "no partition"),
    "insert select where": ("CREATE TABLE ev (id int, at date, c text) PARTITION BY RANGE (at); CREATE TABLE ev_24 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE raw (id int, at date); INSERT INTO raw VALUES (1,'2024-05-01');INSERT INTO raw VALUES (2,'2025-05-01');", sql("INSERT INTO ev (id, at) SELECT id, at FROM raw WHERE at < '2025-01-01'"), None, ""),
    "new partition over default rows": ("CREATE TABLE ev (id int, at date, c text) PARTITION BY RANGE (at); CREATE TABLE ev_24 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE raw (id int, at date); INSERT INTO raw VALUES (1,'2024-05-01');CREATE TABLE ev_d PARTITION OF ev DEFAULT; INSERT INTO ev VALUES (1,'2026-03-03');", sql("CREATE TABLE ev_26 PARTITION OF ev FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"), "fail", "default partition"),
    "insert select on conflict": ("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE s (id int); INSERT INTO s VALUES (1),(1);", sql("INSERT INTO t SELECT id FROM s ON CONFLICT DO NOTHING"), None, ""),
    "insert select on conflict update twice": ("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE s (id int); INSERT INTO s VALUES (1),(1);", sql("INSERT INTO t SELECT id, 1 FROM s ON CONFLICT (id) DO UPDATE SET v = 2"), "unknown", "a second time"),
    "insert select nulls into not null": ("CREATE TABLE dst (id int, note text NOT NULL);", sql("INSERT INTO dst SELECT id, note FROM ledger"), "fail", "null value"),
    "insert select: null of a nullable": (DST, sql("INSERT INTO dst (id, note) SELECT id, note FROM ledger"), "fail", "null value"),
    "insert select: coalesced": (DST, sql("INSERT INTO dst (id, note) SELECT id, coalesce(note, '') FROM ledger"), None, ""),
    "insert select: where not null": (DST, sql("INSERT INTO dst (id, note) SELECT id, note FROM ledger WHERE note IS NOT NULL"), None, ""),
    "insert select: where other": (DST, sql("INSERT INTO dst (id, note) SELECT id, note FROM ledger WHERE id > 4"), "fail", "null value"),
    "insert select: a column left out": (DST, sql("INSERT INTO dst (id) SELECT id FROM ledger"), "unknown", "null value"),
    "insert select: left join gives null": (DST + "CREATE TABLE o (id int, t text NOT NULL);", sql("INSERT INTO dst (id, note) SELECT l.id, o.t FROM ledger l LEFT JOIN o ON o.id = l.id"), "unknown", "null value"),
    "insert select: null literal": (DST, sql("INSERT INTO dst (id, note) SELECT id, NULL FROM ledger"), "fail", "null value"),
    "insert select: from an empty table": (DST + "CREATE TABLE o (id int, t text);", sql("INSERT INTO dst (id, note) SELECT id, t FROM o"), None, ""),
    "insert select: too long": (DST, sql("INSERT INTO dst (id, note, k) SELECT id, 'x', repeat('y', 5) FROM ledger"), "unknown", "too long"),
    "insert select: too long of a column": (DST, sql("INSERT INTO dst (id, note, k) SELECT id, 'x', kind || '12345' FROM ledger"), "fail", "too long"),
    "insert select: check": (DST, sql("INSERT INTO dst (id, note, amount) SELECT id, 'x', amount - 3 FROM ledger"), "fail", "violates check"),
    "insert select: check fine": (DST, sql("INSERT INTO dst (id, note, amount) SELECT id, 'x', amount FROM ledger"), None, ""),
    "insert select: into generated": (DST, sql("INSERT INTO dst (id, note, g) SELECT id, 'x', 'y' FROM ledger"), "fail", "cannot insert"),
    "insert select: case without else": (DST, sql("INSERT INTO dst (id, note) SELECT id, CASE WHEN id > 2 THEN 'x' END FROM ledger"), "fail", "null value"),
    "insert select: nullif": (DST, sql("INSERT INTO dst (id, note) SELECT id, NULLIF(kind, 'a') FROM ledger"), "fail", "null value"),
    "insert select: scalar subquery many": (DST, sql("INSERT INTO dst (id, note) SELECT 1, (SELECT kind FROM ledger)"), "unknown", "more than one row"),
    "insert select: scalar subquery none": (DST, sql("INSERT INTO dst (id, note) SELECT 1, (SELECT kind FROM ledger WHERE id = 99)"), "unknown", "null value"),
    "insert select: values subquery none": (DST, sql("INSERT INTO dst (id, note) VALUES (1, (SELECT kind FROM ledger WHERE id = 99))"), "unknown", "null value"),
    "insert select: json field missing": (DST + "CREATE TABLE j (d jsonb); INSERT INTO j VALUES ('{}');", sql("INSERT INTO dst (id, note) SELECT 1, d ->> 'a' FROM j"), "fail", "null value"),
    "insert select: aggregate null": (DST, sql("INSERT INTO dst (id, note) SELECT 1, max(note) FROM ledger WHERE id = 99"), "unknown", "null value"),
    "insert select: union": (DST, sql("INSERT INTO dst (id, note) SELECT id, kind FROM ledger UNION ALL SELECT id, note FROM ledger"), "unknown", "null value"),
    "insert select: cte": (DST, sql("WITH x AS (SELECT id, note FROM ledger) INSERT INTO dst (id, note) SELECT id, note FROM x"), "unknown", "null value"),
    "insert select: cast bad": (DST, sql("INSERT INTO dst (id, note) SELECT note::int, 'x' FROM ledger"), "unknown", "invalid input syntax"),
    "insert select: star": (DST, sql("INSERT INTO dst (id, note) SELECT id, note FROM (SELECT * FROM ledger) q"), "unknown", "null value"),
    "insert select: table of the upgrade": (DST, sql("CREATE TABLE dst2 (id int PRIMARY KEY, note text NOT NULL)", "INSERT INTO dst2 SELECT id, note FROM ledger"), "unknown", "null value"),
    "insert select: fk missing": (DST + "CREATE TABLE p (id int PRIMARY KEY); ALTER TABLE dst ADD FOREIGN KEY (id) REFERENCES p;", sql("INSERT INTO dst (id, note) SELECT id, 'x' FROM ledger"), "unknown", "violates foreign key"),
    "update: set not null column from nullable": ("ALTER TABLE ledger ALTER kind SET NOT NULL;", sql("UPDATE ledger SET kind = note"), "fail", "null value"),
    "update: coalesce": ("ALTER TABLE ledger ALTER kind SET NOT NULL;", sql("UPDATE ledger SET kind = coalesce(note, kind)"), None, ""),
    "update: from with subquery none": ("ALTER TABLE ledger ALTER kind SET NOT NULL; CREATE TABLE o (id int, t text);", sql("UPDATE ledger SET kind = (SELECT t FROM o WHERE o.id = ledger.id)"), "unknown", "null value"),
    "update: check": ("ALTER TABLE ledger ADD CHECK (amount > 0);", sql("UPDATE ledger SET amount = amount - 3"), "fail", "violates check"),
    "update: too long of columns": ("UPDATE ledger SET note = repeat('z', 30);", sql("UPDATE ledger SET kind = note"), "fail", "too long"),
    "update: jsonb set on null": ("CREATE TABLE j (d jsonb NOT NULL, v jsonb); INSERT INTO j VALUES ('{}', NULL);", sql("UPDATE j SET d = jsonb_set(d, '{a}', v)"), "unknown", "null value"),
    "upsert values twice": ("CREATE TABLE t (id int PRIMARY KEY, v int);", sql("INSERT INTO t VALUES (1,1),(1,2) ON CONFLICT (id) DO UPDATE SET v = excluded.v"), "fail", "a second time"),
    "upsert values once": ("CREATE TABLE t (id int PRIMARY KEY, v int);", sql("INSERT INTO t VALUES (1,1),(2,2) ON CONFLICT (id) DO UPDATE SET v = excluded.v"), None, ""),
    "upsert select of a key": ("CREATE TABLE t (id int PRIMARY KEY, v int);", sql("INSERT INTO t SELECT id, amount FROM ledger ON CONFLICT (id) DO UPDATE SET v = excluded.v"), None, ""),
    "upsert select of a non key": ("CREATE TABLE t (id int PRIMARY KEY, v int); UPDATE ledger SET amount = 1;", sql("INSERT INTO t SELECT amount, id FROM ledger ON CONFLICT (id) DO UPDATE SET v = excluded.v"), "unknown", "a second time"),
    "upsert select of distinct on": ("CREATE TABLE t (id int PRIMARY KEY, v int); UPDATE ledger SET amount = 1;", sql("INSERT INTO t SELECT DISTINCT ON (amount) amount, id FROM ledger ON CONFLICT (id) DO UPDATE SET v = excluded.v"), None, ""),
    "upsert select group by": ("CREATE TABLE t (id int PRIMARY KEY, v int); UPDATE ledger SET amount = 1;", sql("INSERT INTO t SELECT amount, max(id) FROM ledger GROUP BY amount ON CONFLICT (id) DO UPDATE SET v = excluded.v"), "unknown", ""),
    "upsert select joined": ("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE o (lid int); INSERT INTO o VALUES (1),(1);", sql("INSERT INTO t SELECT l.id, 1 FROM ledger l JOIN o ON o.lid = l.id ON CONFLICT (id) DO UPDATE SET v = 2"), "unknown", "a second time"),
    "written: identity target": ("CREATE TABLE d (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n text NOT NULL);", sql("INSERT INTO d (n) SELECT kind FROM ledger WHERE kind IS NOT NULL"), None, ""),
    "written: not null default given null": ("CREATE TABLE d (n text NOT NULL DEFAULT 'x');", sql("INSERT INTO d (n) SELECT note FROM ledger"), "fail", "null value"),
    "written: check over two columns": ("CREATE TABLE d (a int, b int, CHECK (a < b));", sql("INSERT INTO d SELECT amount, id FROM ledger"), "fail", "violates check"),
    "written: check over two columns ok": ("CREATE TABLE d (a int, b int, CHECK (a < b));", sql("INSERT INTO d SELECT amount, id + 1 FROM ledger"), None, ""),
    "written: update check with another column": ("CREATE TABLE d (a int, b int, CHECK (a < b)); INSERT INTO d VALUES (1,2),(1,9);", sql("UPDATE d SET a = a + 1"), "fail", "violates check"),
    "written: update check ok": ("CREATE TABLE d (a int, b int, CHECK (a < b)); INSERT INTO d VALUES (1,5),(1,9);", sql("UPDATE d SET a = a + 1"), None, ""),
    "written: before trigger fills": ("CREATE TABLE d (n text NOT NULL); CREATE FUNCTION ff() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := coalesce(NEW.n, 'x'); RETURN NEW; END $$; CREATE TRIGGER t BEFORE INSERT ON d FOR EACH ROW EXECUTE FUNCTION ff();", sql("INSERT INTO d SELECT note FROM ledger"), "unknown", ""),
    "written: not null dropped before": ("CREATE TABLE d (n text NOT NULL);", sql("ALTER TABLE d ALTER n DROP NOT NULL", "INSERT INTO d SELECT note FROM ledger"), None, ""),
    "written: check dropped before": ("CREATE TABLE d (n int, CONSTRAINT c CHECK (n > 3));", sql("ALTER TABLE d DROP CONSTRAINT c", "INSERT INTO d SELECT amount FROM ledger"), None, ""),
    "written: source filled before": ("CREATE TABLE d (n text NOT NULL);", sql("UPDATE ledger SET note = 'x' WHERE note IS NULL", "INSERT INTO d SELECT note FROM ledger"), None, ""),
    "written: source emptied before": ("CREATE TABLE d (n text NOT NULL);", sql("DELETE FROM ledger WHERE note IS NULL", "INSERT INTO d SELECT note FROM ledger"), None, ""),
    "written: numeric overflow": ("CREATE TABLE s (v numeric); INSERT INTO s VALUES (12345); CREATE TABLE d (v numeric(5,2));", sql("INSERT INTO d SELECT v FROM s"), "fail", "overflow"),
    "written: int overflow": ("CREATE TABLE s (v bigint); INSERT INTO s VALUES (5000000000); CREATE TABLE d (v int);", sql("INSERT INTO d SELECT v FROM s"), "fail", "out of range"),
    "written: renamed target": ("CREATE TABLE d (n text NOT NULL);", sql("ALTER TABLE d RENAME TO e", "INSERT INTO e SELECT note FROM ledger"), "fail", "null value"),
    "written: partition direct": ("CREATE TABLE ev (at date) PARTITION BY RANGE (at); CREATE TABLE ev24 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE s (at date); INSERT INTO s VALUES ('2026-01-01');", sql("INSERT INTO ev24 SELECT at FROM s"), "fail", "violates partition"),
    "written: list partitions ok": ("CREATE TABLE ev (k text, n int) PARTITION BY LIST (k); CREATE TABLE eva PARTITION OF ev FOR VALUES IN ('a'); CREATE TABLE evn PARTITION OF ev FOR VALUES IN (NULL, 'b'); CREATE TABLE s (k text); INSERT INTO s VALUES ('a'), (NULL);", sql("INSERT INTO ev (k) SELECT k FROM s"), None, ""),
    "written: list partitions none": ("CREATE TABLE ev (k text, n int) PARTITION BY LIST (k); CREATE TABLE eva PARTITION OF ev FOR VALUES IN ('a'); CREATE TABLE s (k text); INSERT INTO s VALUES ('a'), (NULL);", sql("INSERT INTO ev (k) SELECT k FROM s"), "fail", "no partition"),
    "written: hash partitions": ("CREATE TABLE ev (k int) PARTITION BY HASH (k); CREATE TABLE ev0 PARTITION OF ev FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE ev1 PARTITION OF ev FOR VALUES WITH (MODULUS 2, REMAINDER 1); CREATE TABLE s (k int); INSERT INTO s SELECT generate_series(1, 20);", sql("INSERT INTO ev SELECT k FROM s"), None, ""),
    "written: hash partitions, one missing": ("CREATE TABLE ev (k int) PARTITION BY HASH (k); CREATE TABLE ev0 PARTITION OF ev FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE s (k int); INSERT INTO s SELECT generate_series(1, 20);", sql("INSERT INTO ev SELECT k FROM s"), "fail", "no partition"),
    "written: nested partitions": ("CREATE TABLE ev (k text, n int) PARTITION BY LIST (k); CREATE TABLE eva PARTITION OF ev FOR VALUES IN ('a') PARTITION BY RANGE (n); CREATE TABLE eva1 PARTITION OF eva FOR VALUES FROM (0) TO (10); CREATE TABLE s (k text, n int); INSERT INTO s VALUES ('a', 3), ('a', 30);", sql("INSERT INTO ev SELECT k, n FROM s"), "fail", "no partition"),
    "written: update moves to no partition": ("CREATE TABLE ev (n int) PARTITION BY RANGE (n); CREATE TABLE ev0 PARTITION OF ev FOR VALUES FROM (0) TO (10); INSERT INTO ev VALUES (1),(8);", sql("UPDATE ev SET n = n + 5"), "fail", "no partition"),
    "written: partition of this upgrade": ("CREATE TABLE ev (n int) PARTITION BY RANGE (n); CREATE TABLE ev0 PARTITION OF ev FOR VALUES FROM (0) TO (10); CREATE TABLE s (n int); INSERT INTO s VALUES (15);", sql("CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM (10) TO (20)", "INSERT INTO ev SELECT n FROM s"), "unknown", ""),
    "written: enum cast column check": ("CREATE TYPE m AS ENUM ('a','b'); CREATE TABLE d (v m CHECK (v <> 'b')); CREATE TABLE s (v text); INSERT INTO s VALUES ('b');", sql("INSERT INTO d SELECT v::m FROM s"), "unknown", "violates check"),
    "written: domain refuses": ("CREATE DOMAIN pos AS int CHECK (VALUE > 0); CREATE TABLE d (v pos); CREATE TABLE s (v int); INSERT INTO s VALUES (-1);", sql("INSERT INTO d SELECT v FROM s"), "fail", "violates check"),
    "upsert: constraint name twice": ("CREATE TABLE t (id int, v int, CONSTRAINT u UNIQUE (id));", sql("INSERT INTO t VALUES (1,1),(1,2) ON CONFLICT ON CONSTRAINT u DO UPDATE SET v = 3"), "fail", "a second time"),
    "upsert: generated ids": ("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int);", sql("INSERT INTO t (v) VALUES (1),(2) ON CONFLICT (id) DO UPDATE SET v = 3"), None, ""),
    "upsert: into a new table": ("", sql("CREATE TABLE t (id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1,1),(1,2) ON CONFLICT (id) DO UPDATE SET v = 3"), "fail", "a second time"),
    "upsert: nulls": ("CREATE TABLE t (id int UNIQUE, v int);", sql("INSERT INTO t VALUES (NULL,1),(NULL,2) ON CONFLICT (id) DO UPDATE SET v = 3"), None, ""),
    "upsert: do nothing twice": ("CREATE TABLE t (id int PRIMARY KEY, v int);", sql("INSERT INTO t VALUES (1,1),(1,2) ON CONFLICT (id) DO NOTHING"), None, ""),
    "upsert: texts that differ by case": ("CREATE TABLE t (id text PRIMARY KEY, v int);", sql("INSERT INTO t VALUES ('a',1),('A',2) ON CONFLICT (id) DO UPDATE SET v = 3"), None, ""),
}  # fmt: skip
SAYS = {"rows-violate", "rows-unknown", "data-refused", "data-unknown"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    agree_at_worst(said_and_done(session, LEDGER, setup, texts, rows=True), SAYS, wanted, words)
