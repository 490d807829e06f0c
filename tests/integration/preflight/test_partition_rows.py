"""Rows that an upgrade writes into partitions, or moves between them: what is said, and what the server then does."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, sql, worst

TABLES = """
CREATE SCHEMA split; SET LOCAL search_path = split;
CREATE TABLE p (id int, k text, v int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
INSERT INTO p SELECT n, 'k', n FROM generate_series(0, 9) n;
CREATE TABLE d (id int, k text, v int) PARTITION BY RANGE (id);
CREATE TABLE d1 PARTITION OF d FOR VALUES FROM (0) TO (10);
CREATE TABLE dr PARTITION OF d DEFAULT;
INSERT INTO d VALUES (1, 'k', 1), (15, 'k', 1);
CREATE TABLE l (id int, k text) PARTITION BY LIST (k);
CREATE TABLE la PARTITION OF l FOR VALUES IN ('a', 'b');
INSERT INTO l VALUES (1, 'a');
CREATE TABLE h (id int) PARTITION BY HASH (id);
CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE w (id int) PARTITION BY HASH (id);
CREATE TABLE w0 PARTITION OF w FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE w1 PARTITION OF w FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE w3 PARTITION OF w FOR VALUES WITH (MODULUS 4, REMAINDER 3);
CREATE TABLE q (a int, b int) PARTITION BY LIST (a);
CREATE TABLE qr PARTITION OF q DEFAULT PARTITION BY LIST (b);
CREATE TABLE qr1 PARTITION OF qr FOR VALUES IN (1);
INSERT INTO q VALUES (7, 1);
CREATE TABLE s (id int, k text, v int);
INSERT INTO s VALUES (30, 'k', 1);
"""
NEW = "CREATE TABLE n (id int, k text DEFAULT 'a') PARTITION BY RANGE (id)"
N1 = "CREATE TABLE n1 PARTITION OF n FOR VALUES FROM (0) TO (10)"
LISTED = "CREATE TABLE n (id int, k text DEFAULT 'a') PARTITION BY LIST (k)"
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "constant out of all": ("", sql("INSERT INTO p VALUES (50)"), "fail", "no partition"),
    "constant within one": ("", sql("INSERT INTO p VALUES (5)"), None, ""),
    "rows of a query": ("", sql("INSERT INTO p SELECT * FROM s"), "unknown", "no partition"),
    "a new table without a partition": ("", sql(NEW, "INSERT INTO n VALUES (1)"), "fail", "no partition"),
    "a new table with its partition": ("", sql(NEW, N1, "INSERT INTO n VALUES (1)"), None, ""),
    "a new table with another partition": ("", sql(NEW, N1, "INSERT INTO n VALUES (11)"), "fail", "no partition"),
    "a new table, by its default": ("", sql(LISTED, "CREATE TABLE n1 PARTITION OF n FOR VALUES IN ('a')", "INSERT INTO n (id) VALUES (1)"), None, ""),
    "a new table, by another default": ("", sql(LISTED, "CREATE TABLE n1 PARTITION OF n FOR VALUES IN ('b')", "INSERT INTO n (id) VALUES (1)"), "fail", "no partition"),
    "a new table like another": ("", sql("CREATE TABLE n (LIKE s) PARTITION BY RANGE (id)", N1, "INSERT INTO n SELECT * FROM s"), "unknown", "no partition"),
    "a new table like another, constants": ("", sql("CREATE TABLE n (LIKE s) PARTITION BY RANGE (id)", N1, "INSERT INTO n VALUES (50)"), "fail", "no partition"),
    "a new table, renamed": ("", sql(NEW, "ALTER TABLE n RENAME TO m", "CREATE TABLE n1 PARTITION OF m FOR VALUES FROM (0) TO (10)", "INSERT INTO m VALUES (1)"), None, ""),
    "a new table, renamed, another partition": ("", sql(NEW, N1, "ALTER TABLE n RENAME TO m", "INSERT INTO m VALUES (11)"), "fail", "no partition"),
    "bounds of a new table that overlap": ("", sql(NEW, N1, "CREATE TABLE n2 PARTITION OF n FOR VALUES FROM (5) TO (20)"), "fail", "would overlap"),
    "two default partitions of a new table": ("", sql(NEW, "CREATE TABLE n1 PARTITION OF n DEFAULT", "CREATE TABLE n2 PARTITION OF n DEFAULT"), "fail", "default partition"),
    "a new default partition": ("", sql(NEW, "CREATE TABLE n1 PARTITION OF n DEFAULT", "INSERT INTO n VALUES (1)"), None, ""),
    "a new default partition that has rows": ("", sql(NEW, "CREATE TABLE nr PARTITION OF n DEFAULT", "INSERT INTO n VALUES (1)", N1), "unknown", "would be violated"),
    "a new default partition without rows": ("", sql(NEW, "CREATE TABLE nr PARTITION OF n DEFAULT", N1), None, ""),
    "a new partition that is partitioned": ("", sql("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY LIST (k)", "INSERT INTO p VALUES (15, 'a')"), "fail", "no partition"),
    "a new partition that is partitioned, and its part": ("", sql("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY LIST (k)", "CREATE TABLE p2a PARTITION OF p2 FOR VALUES IN ('a')", "INSERT INTO p VALUES (15, 'a')"), None, ""),
    "a remainder that nobody has": ("", sql("INSERT INTO h VALUES (1), (2), (3), (4), (5), (6), (7), (8)"), "unknown", "no partition"),
    "all remainders": ("", sql("INSERT INTO w VALUES (1), (2), (3), (4), (5), (6), (7), (8)", "UPDATE w SET id = id + 1"), None, ""),
    "a default partition that is partitioned": ("", sql("INSERT INTO q VALUES (8, 2)"), "fail", "no partition"),
    "a default partition that is partitioned, and takes it": ("", sql("INSERT INTO q VALUES (8, 1)"), None, ""),
    "rows of the new one in a partitioned default": ("", sql("CREATE TABLE q7 PARTITION OF q FOR VALUES IN (7)"), "unknown", "would be violated"),
    "key set out of all": ("", sql("UPDATE p SET id = 50"), "unknown", "no partition"),
    "key counted up": ("", sql("UPDATE p SET id = id + 100 WHERE id = 3"), "unknown", "no partition"),
    "key set to NULL": ("", sql("UPDATE p SET id = NULL"), "unknown", "no partition"),
    "key set within one": ("", sql("UPDATE p SET id = 5 WHERE id = 3", "UPDATE l SET k = 'b'"), None, ""),
    "key of a list set out of it": ("", sql("UPDATE l SET k = 'z'"), "unknown", "no partition"),
    "another column set": ("", sql("UPDATE p SET v = 50", "UPDATE p1 SET v = 50"), None, ""),
    "key set, with a default partition": ("", sql("UPDATE d SET id = 50"), None, ""),
    "key set, after the default partition went": ("", sql("ALTER TABLE d DETACH PARTITION dr", "UPDATE d SET id = 55"), "unknown", "no partition"),
    "key of a partition set out of it": ("", sql("UPDATE p1 SET id = 50"), "unknown", "violates partition constraint"),
    "key of a partition set, with a default one": ("", sql("UPDATE d1 SET id = 50"), "unknown", "violates partition constraint"),
    "key of a partition set within it": ("", sql("UPDATE p1 SET id = 4"), None, ""),
    "into a partition itself, out of its bounds": ("", sql("INSERT INTO p1 VALUES (50)"), "fail", "violates partition constraint"),
    "into a partition itself": ("", sql("INSERT INTO p1 VALUES (5)", "INSERT INTO dr VALUES (55)"), None, ""),
    "into a partition itself, by a query": ("", sql("INSERT INTO p1 SELECT * FROM s"), "unknown", "violates partition constraint"),
    "into the default partition itself, of another": ("", sql("INSERT INTO dr VALUES (5)"), "fail", "violates partition constraint"),
    "into a partition that was detached": ("", sql("ALTER TABLE p DETACH PARTITION p1", "INSERT INTO p1 VALUES (50)"), None, ""),
    "into a part of a part": ("", sql("INSERT INTO qr1 VALUES (9, 1)"), None, ""),
    "into a part of a part, out of its bounds": ("", sql("INSERT INTO qr1 VALUES (9, 2)"), "fail", "violates partition constraint"),
    "key set on conflict": ("CREATE UNIQUE INDEX ON p (id)", sql("INSERT INTO p (id) VALUES (5) ON CONFLICT (id) DO UPDATE SET id = 70"), "unknown", "invalid ON UPDATE"),
    "another column set on conflict": ("CREATE UNIQUE INDEX ON p (id)", sql("INSERT INTO p (id) VALUES (5) ON CONFLICT (id) DO UPDATE SET v = 70"), None, ""),
    "attached, and then written": ("", sql("CREATE TABLE p2 (LIKE p)", "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)", "INSERT INTO p VALUES (15)"), None, ""),
}  # fmt: skip
SAYS = {"data-refused", "data-unknown", "definition-refused", "statement-refused"}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    found, error = said_and_done(session, TABLES, setup, texts)
    said = worst(found, SAYS)
    told = [item.message for item in found]
    assert said == wanted, (told, error)
    assert words in error, error
    assert bool(error) == (wanted is not None), error


ATTACHED = "ALTER TABLE {} ATTACH PARTITION s FOR VALUES FROM ({}) TO ({})"
LIST = "CREATE TABLE x (id int, k text); INSERT INTO x VALUES (1, {})"
PAIR = "CREATE TABLE two (a int, b int) PARTITION BY RANGE (a, b); CREATE TABLE x (a int, b int); INSERT INTO x VALUES (1, 20)"
DATED = "CREATE TABLE days (at timestamptz) PARTITION BY RANGE (at); CREATE TABLE rest PARTITION OF days DEFAULT; INSERT INTO days VALUES ('2026-03-05')"
# Of rows that are there, which the collector asks: setup, statements, what is said, a word of the server's error.
ASKED: dict[str, tuple[str, list[str], str | None, str]] = {
    "attached, within its bounds": ("", sql(ATTACHED.format("p", 20, 40)), None, ""),
    "attached, out of its bounds": ("", sql(ATTACHED.format("p", 10, 20)), "fail", "violated by some row"),
    "attached without a lower bound": ("", sql(ATTACHED.format("p", 10, "MAXVALUE")), None, ""),
    "attached with a lower bound alone": ("DELETE FROM s; INSERT INTO s VALUES (-5)", sql(ATTACHED.format("p", "MINVALUE", 0)), None, ""),
    "attached, NULL": ("INSERT INTO s VALUES (NULL)", sql(ATTACHED.format("p", 20, 40)), "fail", "violated by some row"),
    "attached as the default one": ("", sql("ALTER TABLE p ATTACH PARTITION s DEFAULT"), None, ""),
    "attached as the default one, of another": ("INSERT INTO s VALUES (5)", sql("ALTER TABLE p ATTACH PARTITION s DEFAULT"), "fail", "violated by some row"),
    "attached beside a default one that has such rows": ("DELETE FROM s", sql(ATTACHED.format("d", 10, 20)), "fail", "would be violated"),
    "attached beside a default one without such rows": ("", sql(ATTACHED.format("d", 20, 40)), None, ""),
    "made beside a default one that has such rows": ("", sql("CREATE TABLE d2 PARTITION OF d FOR VALUES FROM (10) TO (20)"), "fail", "would be violated"),
    "made beside a default one without such rows": ("", sql("CREATE TABLE d2 PARTITION OF d FOR VALUES FROM (20) TO (30)"), None, ""),
    "made beside a default one whose rows were deleted": ("", sql("DELETE FROM dr WHERE id = 15", "CREATE TABLE d2 PARTITION OF d FOR VALUES FROM (10) TO (20)"), "unknown", ""),
    "made beside a default one that was written before": ("", sql("INSERT INTO d VALUES (25)", "CREATE TABLE d2 PARTITION OF d FOR VALUES FROM (20) TO (30)"), "unknown", "would be violated"),
    "made beside a default one that is partitioned": ("", sql("CREATE TABLE q7 PARTITION OF q FOR VALUES IN (7)"), "fail", "would be violated"),
    "made beside a default one by days": (DATED, sql("CREATE TABLE march PARTITION OF days FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')"), "fail", "would be violated"),
    "made beside a default one by other days": (DATED, sql("CREATE TABLE april PARTITION OF days FOR VALUES FROM ('2026-04-01') TO ('2026-05-01')"), None, ""),
    "a list, within": (LIST.format("'c'"), sql("ALTER TABLE l ATTACH PARTITION x FOR VALUES IN ('c', NULL)"), None, ""),
    "a list, NULL within": (LIST.format("NULL"), sql("ALTER TABLE l ATTACH PARTITION x FOR VALUES IN ('c', NULL)"), None, ""),
    "a list, out of it": (LIST.format("'z'"), sql("ALTER TABLE l ATTACH PARTITION x FOR VALUES IN ('c')"), "fail", "violated by some row"),
    "a list, NULL out of it": (LIST.format("NULL"), sql("ALTER TABLE l ATTACH PARTITION x FOR VALUES IN ('c')"), "fail", "violated by some row"),
    "hashes, out of the remainder": ("CREATE TABLE x (id int); INSERT INTO x SELECT generate_series(1, 20)", sql("ALTER TABLE h ATTACH PARTITION x FOR VALUES WITH (MODULUS 2, REMAINDER 1)"), "fail", "violated by some row"),
    "hashes, within the remainder": ("CREATE TABLE x (id int); INSERT INTO x SELECT n FROM generate_series(1, 20) n WHERE satisfies_hash_partition('h'::regclass, 2, 1, n)", sql("ALTER TABLE h ATTACH PARTITION x FOR VALUES WITH (MODULUS 2, REMAINDER 1)"), None, ""),
    "two columns, within": (PAIR, sql("ALTER TABLE two ATTACH PARTITION x FOR VALUES FROM (1, 10) TO (1, MAXVALUE)"), None, ""),
    "two columns, out of it": (PAIR, sql("ALTER TABLE two ATTACH PARTITION x FOR VALUES FROM (1, 10) TO (1, 20)"), "fail", "violated by some row"),
    "two columns, by the first": (PAIR, sql("ALTER TABLE two ATTACH PARTITION x FOR VALUES FROM (1, MAXVALUE) TO (2, 0)"), "fail", "violated by some row"),
    "two columns, the upper one": (PAIR, sql("ALTER TABLE two ATTACH PARTITION x FOR VALUES FROM (0, 5) TO (1, MINVALUE)"), "fail", "violated by some row"),
    "an order that a collation gives": ("CREATE TABLE named (k text) PARTITION BY RANGE (k); CREATE TABLE x (k text); INSERT INTO x VALUES ('m')", sql("ALTER TABLE named ATTACH PARTITION x FOR VALUES FROM ('a') TO ('n')"), "unknown", ""),
    "a new parent": ("", sql("CREATE TABLE n (LIKE s) PARTITION BY RANGE (id)", ATTACHED.format("n", 20, 40)), "unknown", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_rows_that_are_there_are_asked(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = ASKED[name]
    found, error = said_and_done(session, TABLES, setup, texts, rows=True)
    said = worst(found, SAYS | {"rows-violate", "rows-unknown"})
    told = [item.message for item in found]
    assert said == wanted, (told, error)
    assert words in error, error
    assert bool(error) == (wanted == "fail") or wanted == "unknown", error
