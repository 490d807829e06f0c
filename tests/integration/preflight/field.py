"""What people wrote into migrations and asked about, as a table: `§` is the schema of a case.

The shapes come from issues and questions around squawk, strong_migrations, pg_ha_migrations, pgroll, Django, Alembic
and Flyway; the tables are ours.
"""

# ruff: noqa: E501 - a table: a statement a line

from __future__ import annotations

import dataclasses
import typing as t

COMMON = """
CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE);
INSERT INTO p SELECT n, 'c' || n FROM generate_series(1, 200) n;
CREATE TABLE t (id int PRIMARY KEY, a int, b text, c numeric(10, 2), d timestamptz, j jsonb, arr int[], k int);
INSERT INTO t SELECT n, n % 200 + 1, 'b' || n, n, '2026-01-01', jsonb_build_object('x', n, 'y', 'z' || n), ARRAY[n], n
    FROM generate_series(1, 300) n;
"""


NOTING = """CREATE TABLE log (n int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO §.log VALUES (1); RETURN NEW; END$$;
CREATE TRIGGER note AFTER UPDATE ON t """
FILLING = """ALTER TABLE t ADD changed timestamptz;
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.changed = '2026-01-02'; RETURN NEW; END$$;
CREATE TRIGGER fill BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION fill();
"""


@dataclasses.dataclass(frozen=True)
class Case:
    """A revision.

    :param statements: its text
    :param setup: what is there before, in the schema of the case, beside COMMON
    :param body: instead of statements, the lines of upgrade()
    :param plain: what the body comes to, for the server alone
    :param cured: there is a rewrite
    :param uncured: a part of the reason why there is none
    :param alone: the original runs in no transaction
    :param volatile: the rows differ from run to run
    """

    statements: tuple[str, ...] = ()
    setup: str = ""
    body: str = ""
    plain: tuple[str, ...] = ()
    cured: bool = True
    uncured: str | None = None
    alone: bool = False
    volatile: bool = False
    since: int = 14


def case(*statements: str, **more: t.Any) -> Case:
    return Case(statements, **more)


def body(lines: str, *plain: str, **more: t.Any) -> Case:
    text = "\n".join(f"    {line}" for line in lines.strip().splitlines())
    return Case(body=text, plain=plain, **more)


CASES: dict[str, Case] = {
    # Names that PostgreSQL chooses, and that are taken
    "check without a name, twice": case(
        "ALTER TABLE §.t ADD CHECK (a > 0)", "ALTER TABLE §.t ADD CHECK (a < 100000)"
    ),
    "check whose name is taken by an index": case(
        "ALTER TABLE §.t ADD CHECK (a > 0)", setup="CREATE INDEX t_a_check ON t (k)"
    ),
    "foreign key without a name, twice": case(
        "ALTER TABLE §.t ADD FOREIGN KEY (a) REFERENCES §.p",
        "ALTER TABLE §.t ADD FOREIGN KEY (a) REFERENCES §.p ON DELETE CASCADE",
    ),
    "unique without a name beside a relation of that name": case(
        "ALTER TABLE §.t ADD UNIQUE (b)", setup="CREATE VIEW t_b_key AS SELECT 1 AS one", uncured="would choose another name"
    ),
    "unique without a name beside the same one": case("ALTER TABLE §.t ADD UNIQUE (b)", setup="ALTER TABLE t ADD UNIQUE (b)", uncured="would choose another name"),
    "index without a name, twice": case("CREATE INDEX ON §.t (a)", "CREATE INDEX ON §.t (a)", uncured="would choose another name"),
    "index without a name beside a sequence": case("CREATE INDEX ON §.t (a)", setup="CREATE SEQUENCE t_a_idx", uncured="would choose another name"),
    "serial beside a sequence of that name": case(
        "ALTER TABLE §.t ADD COLUMN n serial", setup="CREATE SEQUENCE t_n_seq", volatile=True
    ),
    "key without a name beside an index of that name": case(
        "ALTER TABLE §.u ADD PRIMARY KEY (x)",
        setup="CREATE TABLE u AS SELECT n AS x, n AS y FROM generate_series(1, 50) n; CREATE INDEX u_pkey ON u (y)",
        uncured="would choose another name",
    ),
    "check of a name that another table has": case(
        "ALTER TABLE §.t ADD CONSTRAINT positive CHECK (a > 0)",
        setup="ALTER TABLE p ADD CONSTRAINT positive CHECK (id > 0)",
    ),
    "dots and signs in names": case(
        'ALTER TABLE §."x.y%z" ADD CONSTRAINT "c:d.e" CHECK ("a b" <> \':x\')',
        'ALTER TABLE §."x.y%z" ALTER "a b" SET NOT NULL',
        setup='CREATE TABLE "x.y%z" (id int PRIMARY KEY, "a b" text); INSERT INTO "x.y%z" SELECT n, \'v\' FROM generate_series(1, 20) n',
    ),
    "names of keywords": case(
        'ALTER TABLE §."table" ADD CONSTRAINT "check" UNIQUE ("column", "order")',
        setup='CREATE TABLE "table" (id int PRIMARY KEY, "column" int, "order" int); INSERT INTO "table" VALUES (1, 1, 1)',
    ),
    # NOT NULL
    "not null that a check proves": case(
        "ALTER TABLE §.t ALTER a SET NOT NULL",
        "ALTER TABLE §.t DROP CONSTRAINT a_there",
        setup="ALTER TABLE t ADD CONSTRAINT a_there CHECK (a IS NOT NULL)", cured=False,
    ),
    "not null beside an unproven check": case(
        "ALTER TABLE §.t VALIDATE CONSTRAINT a_there", "ALTER TABLE §.t ALTER a SET NOT NULL",
        "ALTER TABLE §.t DROP CONSTRAINT a_there",
        setup="ALTER TABLE t ADD CONSTRAINT a_there CHECK (a IS NOT NULL) NOT VALID", cured=False,
    ),
    "not null that a check of two proves": case(
        "ALTER TABLE §.t ALTER a SET NOT NULL",
        setup="ALTER TABLE t ADD CONSTRAINT both_there CHECK (a IS NOT NULL AND b IS NOT NULL)", cured=False,
    ),
    "not null of one that is": case("ALTER TABLE §.t ALTER id SET NOT NULL", cured=False),
    "not null and dropped": case("ALTER TABLE §.t ALTER a SET NOT NULL", "ALTER TABLE §.t ALTER a DROP NOT NULL"),
    "not null of a parent": case(
        "ALTER TABLE §.t ALTER a SET NOT NULL", setup="CREATE TABLE child (x int) INHERITS (t); INSERT INTO child (id, a) VALUES (999, 1)"
    ),
    "not null, filled before": case(
        "UPDATE §.t SET b = 'none' WHERE b IS NULL", "ALTER TABLE §.t ALTER b SET NOT NULL", "ALTER TABLE §.t ALTER b SET DEFAULT 'none'",
        setup="UPDATE t SET b = NULL WHERE id % 3 = 0",
    ),
    "not null, not valid": case("ALTER TABLE §.t ADD CONSTRAINT nn NOT NULL a NOT VALID", cured=False, since=18),
    "not null, not valid, then proven": case(
        "ALTER TABLE §.t ADD CONSTRAINT nn NOT NULL a NOT VALID", "ALTER TABLE §.t VALIDATE CONSTRAINT nn", since=18
    ),
    "not null without a name": case("ALTER TABLE §.t ADD NOT NULL a", since=18),
    "not null without a name, no inherit": case("ALTER TABLE §.t ADD CONSTRAINT nn NOT NULL a NO INHERIT", since=18),
    "a column of a domain": case(
        "ALTER TABLE §.t ALTER dom SET NOT NULL", setup="CREATE DOMAIN plain AS text; ALTER TABLE t ADD dom plain DEFAULT 'x'"
    ),
    # Checks
    "check with a function": case(
        "ALTER TABLE §.t ADD CONSTRAINT even CHECK (§.even(id) IN (0, 1))",
        setup="CREATE FUNCTION even(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n % 2'",
    ),
    "check, not enforced": case("ALTER TABLE §.t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED", cured=False, since=18),
    "check with odd texts": case(
        r"ALTER TABLE §.t ADD CONSTRAINT c CHECK (b !~ E'\\d{9}\\x3a' AND b <> 'it''s :x' AND b NOT LIKE '%\%%' ESCAPE '\')"
    ),
    "check with JSON": case(
        "ALTER TABLE §.t ADD CONSTRAINT c CHECK (j ? 'x' AND (j #>> '{y}') <> '' AND j @> '{}'::jsonb AND (j -> 'x')::int > 0)"
    ),
    "check with rows and ranges": case(
        "ALTER TABLE §.t ADD CONSTRAINT c CHECK ((id, k) = (k, id) AND d BETWEEN SYMMETRIC '2027-01-01' AND '2025-01-01'"
        " AND a = ANY (ARRAY[1, a]) AND b IS DISTINCT FROM c::text AND (arr[1] > 0) IS TRUE)"
    ),
    "check with a case and a zone": case(
        "ALTER TABLE §.t ADD CONSTRAINT c CHECK (CASE WHEN a > 5 THEN d AT TIME ZONE 'UTC' > '2020-01-01' ELSE true END"
        " AND extract(year FROM d AT TIME ZONE 'UTC') > 2000 AND b COLLATE \"C\" > '' AND length(b) < 1e3)"
    ),
    "check with precedence": case(
        "ALTER TABLE §.t ADD CONSTRAINT c CHECK (NOT (a < 0 OR k < 0) AND (a + 1) * 2 > -(-a) AND (a IS NULL) = (a IS NULL)"
        " AND - a < (2 - (3 - 1)) AND (b || 'x') || 'y' > '')"
    ),
    "check of a whole row": case("ALTER TABLE §.t ADD CONSTRAINT c CHECK (num_nonnulls(a, b, c) > 0 AND t IS NOT NULL OR true)"),
    "two checks in one command": case("ALTER TABLE §.t ADD CONSTRAINT c1 CHECK (a > 0), ADD CONSTRAINT c2 CHECK (k > 0)"),
    "check of a parent": case(
        "ALTER TABLE §.t ADD CONSTRAINT c CHECK (a > 0)", setup="CREATE TABLE child (x int) INHERITS (t); INSERT INTO child (id, a) VALUES (999, 1)"
    ),
    "check of a partitioned table": case(
        "ALTER TABLE §.d ADD CONSTRAINT c CHECK (v >= 0)",
        setup="CREATE TABLE d (at date, v int) PARTITION BY RANGE (at); CREATE TABLE d1 PARTITION OF d DEFAULT;"
              "INSERT INTO d SELECT '2026-01-01', n FROM generate_series(1, 40) n",
    ),
    "a check in place of another": case(
        "ALTER TABLE §.t DROP CONSTRAINT c", "ALTER TABLE §.t ADD CONSTRAINT c CHECK (a > 0)",
        setup="ALTER TABLE t ADD CONSTRAINT c CHECK (a > -5)",
    ),
    "a check in place of another, in one command": case(
        "ALTER TABLE §.t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0)",
        setup="ALTER TABLE t ADD CONSTRAINT c CHECK (a > -5)",
    ),
    "a check and its comment": case(
        "ALTER TABLE §.t ADD CONSTRAINT c CHECK (a > 0)", "COMMENT ON CONSTRAINT c ON §.t IS 'positive: 100%'"
    ),
    "a check, renamed": case("ALTER TABLE §.t ADD CONSTRAINT c CHECK (a > 0)", "ALTER TABLE §.t RENAME CONSTRAINT c TO positive"),
    "a check, dropped again": case("ALTER TABLE §.t ADD CONSTRAINT c CHECK (a > 0)", "ALTER TABLE §.t DROP CONSTRAINT c"),
    # Foreign keys
    "key to itself": case("ALTER TABLE §.t ADD CONSTRAINT up FOREIGN KEY (k) REFERENCES §.t (id)"),
    "key of another type": case("ALTER TABLE §.t ADD CONSTRAINT f FOREIGN KEY (big) REFERENCES §.p", setup="ALTER TABLE t ADD big bigint"),
    "key to a partitioned table": case(
        "ALTER TABLE §.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES §.q",
        setup="CREATE TABLE q (id int PRIMARY KEY) PARTITION BY HASH (id); CREATE TABLE q0 PARTITION OF q FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
              "CREATE TABLE q1 PARTITION OF q FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO q SELECT n FROM generate_series(1, 300) n",
    ),
    "key of a partition alone": case(
        "ALTER TABLE §.d1 ADD CONSTRAINT f FOREIGN KEY (v) REFERENCES §.p",
        setup="CREATE TABLE d (at date, v int) PARTITION BY RANGE (at); CREATE TABLE d1 PARTITION OF d DEFAULT;"
              "INSERT INTO d SELECT '2026-01-01', n FROM generate_series(1, 40) n",
    ),
    "key in place of another, in one command": case(
        "ALTER TABLE §.t DROP CONSTRAINT f, ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES §.p ON DELETE SET NULL",
        setup="ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES p",
    ),
    "key in a new column without a value": case("ALTER TABLE §.t ADD COLUMN p_id int REFERENCES §.p", cured=False),
    "key, not enforced": case("ALTER TABLE §.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES §.p NOT ENFORCED", cured=False, since=18),
    "key by a unique index": case(
        "ALTER TABLE §.t ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES §.o (n)",
        setup="CREATE TABLE o (n text); CREATE UNIQUE INDEX o_n ON o (n); INSERT INTO o SELECT 'b' || n FROM generate_series(1, 300) n",
    ),
    "column, key and index": case(
        "ALTER TABLE §.t ADD COLUMN p_id int", "CREATE INDEX ON §.t (p_id)",
        "ALTER TABLE §.t ADD CONSTRAINT f FOREIGN KEY (p_id) REFERENCES §.p (id) ON DELETE CASCADE",
    ),
    # Keys
    "primary key for another": case(
        "ALTER TABLE §.t DROP CONSTRAINT t_pkey", "ALTER TABLE §.t ADD PRIMARY KEY (k)"
    ),
    "primary key for another, in one command": case(
        "ALTER TABLE §.t DROP CONSTRAINT t_pkey, ADD CONSTRAINT t_pkey PRIMARY KEY (k)"
    ),
    "unique for an index": case(
        "CREATE UNIQUE INDEX t_b ON §.t (b)", "ALTER TABLE §.t ADD CONSTRAINT t_b_unique UNIQUE USING INDEX t_b"
    ),
    "unique that takes over an index": case(
        "ALTER TABLE §.t ADD CONSTRAINT other UNIQUE USING INDEX t_b", setup="CREATE UNIQUE INDEX t_b ON t (b)", cured=False
    ),
    "primary key that takes over an index": case(
        "ALTER TABLE §.u ADD CONSTRAINT other PRIMARY KEY USING INDEX u_x",
        setup="CREATE TABLE u AS SELECT n AS x, n AS y FROM generate_series(1, 50) n; CREATE UNIQUE INDEX u_x ON u (x)",
        uncured="SET NOT NULL first",
    ),
    "unique in place of an index": case(
        "DROP INDEX §.t_b", "ALTER TABLE §.t ADD CONSTRAINT t_b UNIQUE (b)", setup="CREATE UNIQUE INDEX t_b ON t (b)",
    ),
    "unique in place of another, in one command": case(
        "ALTER TABLE §.t DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE (b, k)", setup="ALTER TABLE t ADD CONSTRAINT u UNIQUE (b)",
    ),
    "unique and a foreign key to it": case(
        "ALTER TABLE §.t ADD CONSTRAINT u UNIQUE (k)", "CREATE TABLE §.n (k int REFERENCES §.t (k))"
    ),
    "unique of a parent": case("ALTER TABLE §.t ADD CONSTRAINT u UNIQUE (b)", setup="CREATE TABLE child (x int) INHERITS (t)"),
    "unique of a materialized view": case(
        "CREATE UNIQUE INDEX mv_id ON §.mv (id)", setup="CREATE MATERIALIZED VIEW mv AS SELECT id, b FROM t"
    ),
    "two uniques in one command": case("ALTER TABLE §.t ADD CONSTRAINT u1 UNIQUE (b), ADD CONSTRAINT u2 UNIQUE (k)"),
    "exclusion": case("ALTER TABLE §.t ADD CONSTRAINT e EXCLUDE (b WITH =)", uncured="exclusion constraint"),
    "without overlaps": case(
        "ALTER TABLE §.w ADD CONSTRAINT e UNIQUE (room, span WITHOUT OVERLAPS)",
        setup="CREATE TABLE w (room int4range, span daterange); INSERT INTO w VALUES ('[1,2)', '[2026-01-01,2026-02-01)')",
        uncured="WITHOUT OVERLAPS", since=18,
    ),
    "unique of a table without rows": case("ALTER TABLE §.e ADD UNIQUE (x)", setup="CREATE TABLE e (x int)"),
    # Indexes
    "index by gin with options": case("CREATE INDEX i ON §.t USING gin (j jsonb_path_ops) WITH (fastupdate = off)"),
    "index by brin": case("CREATE INDEX i ON §.t USING brin (d) WITH (pages_per_range = 8, autosummarize = on)"),
    "index by gist with parameters": case(
        "CREATE INDEX i ON §.t USING gist (to_tsvector('english', b) tsvector_ops (siglen = 100))"
    ),
    "index of expressions": case(
        "CREATE INDEX i ON §.t ((j ->> 'y'), (b || '%:x'), lower(b) DESC, (CASE WHEN a > 1 THEN 1 ELSE 0 END), (a::text))"
    ),
    "index where many things hold": case(
        r"""CREATE INDEX i ON §.t (a) WHERE b LIKE E'b\\_%' AND NOT (a IN (1, 2, NULL)) AND j @> '{"a": ":b"}' AND d IS NOT NULL"""
        " AND (arr && '{1,2}'::int[]) IS NOT TRUE AND c <> 1e-2"
    ),
    "index, if not there": case("CREATE INDEX IF NOT EXISTS i ON §.t (a)"),
    "index, if not there, and it is": case("CREATE INDEX IF NOT EXISTS i ON §.t (a)", setup="CREATE INDEX i ON t (a)", cured=False),
    "index, if not there, and is another": case("CREATE INDEX IF NOT EXISTS i ON §.t (a)", setup="CREATE INDEX i ON t (k)", cured=False),
    "index of a partition alone": case(
        "CREATE INDEX i ON §.d1 (v)",
        setup="CREATE TABLE d (at date, v int) PARTITION BY RANGE (at); CREATE TABLE d1 PARTITION OF d DEFAULT;"
              "INSERT INTO d SELECT '2026-01-01', n FROM generate_series(1, 40) n",
    ),
    "index of a partitioned table": case(
        "CREATE INDEX i ON §.d (v)",
        setup="CREATE TABLE d (at date, v int) PARTITION BY RANGE (at); CREATE TABLE d1 PARTITION OF d DEFAULT;"
              "INSERT INTO d SELECT '2026-01-01', n FROM generate_series(1, 40) n",
        uncured="is partitioned",
    ),
    "index of the parent only": case(
        "CREATE INDEX i ON ONLY §.d (v)",
        setup="CREATE TABLE d (at date, v int) PARTITION BY RANGE (at); CREATE TABLE d1 PARTITION OF d DEFAULT;"
              "INSERT INTO d SELECT '2026-01-01', n FROM generate_series(1, 40) n",
        cured=False,
    ),
    "index in place of another": case("DROP INDEX §.i", "CREATE INDEX i ON §.t (a, b)", setup="CREATE INDEX i ON t (a)"),
    "index under another name": case(
        "CREATE INDEX i_new ON §.t (a, b)", "DROP INDEX §.i", "ALTER INDEX §.i_new RENAME TO i", setup="CREATE INDEX i ON t (a)"
    ),
    "drop of an index, if there": case("DROP INDEX IF EXISTS §.nosuch", cured=False),
    "drop of an index that is large": case("DROP INDEX §.i", setup="CREATE INDEX i ON t (a)", cured=False),
    "drop of indexes of two tables": case("DROP INDEX §.i, §.i2", setup="CREATE INDEX i ON t (a); CREATE INDEX i2 ON p (code)", cured=False),
    "drop of an index with its view": case(
        "DROP INDEX IF EXISTS §.i CASCADE", setup="CREATE INDEX i ON t (a)", cured=False
    ),
    "index that was left invalid": case(
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON §.t (a)",
        setup="CREATE INDEX i ON t (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
        alone=True, plain=("DROP INDEX §.i", "CREATE INDEX i ON §.t (a)"),
    ),
    "reindex of a table, concurrently": case("REINDEX TABLE CONCURRENTLY §.t", alone=True),
    "index, then clustered on": case("CREATE INDEX i ON §.t (a)", "ALTER TABLE §.t CLUSTER ON i"),
    "index and its statistics": case("CREATE INDEX i ON §.t ((a + k))", "ALTER INDEX §.i ALTER COLUMN 1 SET STATISTICS 500"),
    "replica identity by an index": case(
        "CREATE UNIQUE INDEX i ON §.t (id, a)", "ALTER TABLE §.t ALTER a SET NOT NULL", "ALTER TABLE §.t REPLICA IDENTITY USING INDEX i"
    ),
    # Columns
    "column with a constant, not null": case("ALTER TABLE §.t ADD COLUMN n int NOT NULL DEFAULT 0", cured=False),
    "column with now()": case("ALTER TABLE §.t ADD COLUMN n timestamptz NOT NULL DEFAULT now()", cured=False, volatile=True),
    "column that is there": case("ALTER TABLE §.t ADD COLUMN IF NOT EXISTS b uuid DEFAULT gen_random_uuid()", cured=False),
    "column, if not there, with a volatile default": case(
        "ALTER TABLE §.t ADD COLUMN IF NOT EXISTS n uuid DEFAULT gen_random_uuid()", volatile=True
    ),
    "column, filled and its default dropped": case(
        "ALTER TABLE §.t ADD COLUMN n varchar(20) DEFAULT 'x' NOT NULL", "ALTER TABLE §.t ALTER n DROP DEFAULT", cured=False
    ),
    "volatile column, its default dropped": case(
        "ALTER TABLE §.t ADD COLUMN n uuid DEFAULT gen_random_uuid() NOT NULL", "ALTER TABLE §.t ALTER n DROP DEFAULT", volatile=True
    ),
    "column with a name of its own for each": case(
        "ALTER TABLE §.t ADD COLUMN n int CONSTRAINT n_there NOT NULL DEFAULT 1 CONSTRAINT n_pos CHECK (n > 0) CONSTRAINT n_one UNIQUE",
        setup="DELETE FROM t WHERE id > 1",
    ),
    "column with a collation and storage": case(
        "ALTER TABLE §.t ADD COLUMN n text COLLATE \"C\" DEFAULT random()::text, ALTER n SET STORAGE EXTERNAL", volatile=True
    ),
    "column of an enum": case(
        "CREATE TYPE §.e AS ENUM ('a', 'b')", "ALTER TABLE §.t ADD COLUMN n §.e DEFAULT 'a' NOT NULL", cured=False
    ),
    "column with a sequence": case(
        "CREATE SEQUENCE §.s", "ALTER TABLE §.t ADD COLUMN n bigint DEFAULT nextval('§.s') NOT NULL", volatile=True
    ),
    "column and its check in one command": case("ALTER TABLE §.t ADD COLUMN n int DEFAULT 1, ADD CONSTRAINT n_pos CHECK (n > 0)"),
    "virtual column": case("ALTER TABLE §.t ADD COLUMN n int GENERATED ALWAYS AS (a + 1) VIRTUAL", cured=False, since=18),
    "a wider varchar": case("ALTER TABLE §.v ALTER x TYPE varchar(40)", setup="CREATE TABLE v (x varchar(20)); CREATE INDEX v_x ON v (x); INSERT INTO v VALUES ('a')", cured=False),
    "a narrower varchar": case("ALTER TABLE §.v ALTER x TYPE varchar(10)", setup="CREATE TABLE v (x varchar(20)); INSERT INTO v VALUES ('a')", uncured="another type"),
    "integer to bigint": case("ALTER TABLE §.t ALTER k TYPE bigint", uncured="another type"),
    "a drop and a type": case("ALTER TABLE §.t DROP COLUMN c, ALTER b TYPE varchar", cured=False),
    # Rows
    "update with a subquery of another": case("UPDATE §.t SET b = (SELECT code FROM §.p WHERE p.id = t.a) WHERE a IS NOT NULL"),
    "update of two from a subquery": case("UPDATE §.t SET (b, c) = (SELECT code, id FROM §.p WHERE p.id = t.a)"),
    "update from itself": case("UPDATE §.t SET k = n.r FROM (SELECT id, row_number() OVER (ORDER BY b) AS r FROM §.t) n WHERE n.id = t.id", uncured="itself"),
    "update by a maximum of itself": case("UPDATE §.t SET k = (SELECT max(k) FROM §.t) + id", uncured="itself"),
    "update with a query before it": case("WITH w AS (SELECT id, code FROM §.p) UPDATE §.t SET b = w.code FROM w WHERE w.id = t.a"),
    "update of JSON": case("""UPDATE §.t SET j = jsonb_set(j, '{z}', '":x"', true) WHERE j ->> 'y' LIKE 'z%' AND NOT j ? 'z'""", uncured="twice"),
    "update of JSON without itself": case("UPDATE §.t SET j = jsonb_build_object('b', b, 'c', '%s:d')"),
    "update with a default": case("UPDATE §.t SET a = DEFAULT WHERE k % 2 = 0", setup="ALTER TABLE t ALTER a SET DEFAULT 7"),
    "update that swaps": case("UPDATE §.t SET a = k, k = a", uncured="twice"),
    "update that reads what another assigns": case("UPDATE §.t SET b = a::text, a = 5", uncured="twice"),
    "update where what is written": case("UPDATE §.t SET a = 5 WHERE a < 100"),
    "update where what is written, turned": case("UPDATE §.t SET a = 200 - 5 WHERE a BETWEEN 1 AND 100 OR a = 7"),
    "update with a trigger": case("UPDATE §.t SET a = 5", setup=NOTING + "FOR EACH ROW EXECUTE FUNCTION note()", uncured="would run twice for rows"),
    "update with a trigger, once": case(
        "UPDATE §.t SET a = 5", setup=NOTING + "FOR EACH STATEMENT EXECUTE FUNCTION note()", uncured="once for each range"
    ),
    "update with a trigger of another column": case("UPDATE §.t SET a = 5", setup=NOTING.replace("UPDATE ON", "UPDATE OF b ON") + "FOR EACH ROW EXECUTE FUNCTION note()"),
    "update with a trigger that fills a column": case("UPDATE §.t SET a = 5", setup=FILLING),
    "delete with a trigger": case(
        "DELETE FROM §.t WHERE a > 100", setup=NOTING.replace("UPDATE ON", "DELETE ON").replace("NEW", "OLD") + "FOR EACH ROW EXECUTE FUNCTION note()"
    ),
    "volatile column beside a trigger": case(
        "ALTER TABLE §.t ADD COLUMN n uuid DEFAULT gen_random_uuid()", setup=FILLING, uncured="as it does not for ALTER TABLE"
    ),
    "update from a view of itself": case(
        "UPDATE §.t SET k = (SELECT max(most) FROM §.seen) + id", setup="CREATE VIEW seen AS SELECT k AS most FROM t", uncured="may show"
    ),
    "update of a partition from the whole": case(
        "UPDATE §.d1 SET v = (SELECT count(*) FROM §.d)",
        setup="CREATE TABLE d (id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE TABLE d1 PARTITION OF d DEFAULT; INSERT INTO d SELECT n, n FROM generate_series(1, 40) n",
        uncured="may show",
    ),
    "delete of what another has": case("DELETE FROM §.t WHERE EXISTS (SELECT FROM §.p WHERE p.id = t.k AND p.code > 'c5')"),
    "delete of doubles": case("DELETE FROM §.t x USING §.t y WHERE x.a = y.a AND x.id > y.id", uncured="itself"),
    "delete with RETURNING into another": case("WITH gone AS (DELETE FROM §.t WHERE a > 100 RETURNING id) INSERT INTO §.old SELECT id FROM gone", setup="CREATE TABLE old (id int)", uncured="rows"),
    "delete of a cascade": case("DELETE FROM §.t WHERE a > 100", setup="CREATE TABLE n (id int REFERENCES t ON DELETE CASCADE); INSERT INTO n SELECT id FROM t"),
    "insert from a query": case("INSERT INTO §.copy SELECT * FROM §.t", setup="CREATE TABLE copy (LIKE t)", cured=False),
    "update of a schema's table by alias": case("UPDATE §.t AS \"T x\" SET b = upper(\"T x\".b) WHERE \"T x\".a > 3"),
    "update only": case("UPDATE ONLY §.t SET a = 5", setup="CREATE TABLE child (x int) INHERITS (t)", uncured="inherit"),
    # Types, partitions, rest
    "enum value, used": case("ALTER TYPE §.e ADD VALUE 'b'", "ALTER TABLE §.m ALTER x SET DEFAULT 'b'", setup="CREATE TYPE e AS ENUM ('a'); CREATE TABLE m (x e)", alone=True),
    "enum value, renamed": case("ALTER TYPE §.e RENAME VALUE 'a' TO 'b'", setup="CREATE TYPE e AS ENUM ('a')", cured=False),
    "attach beside a default": case(
        "ALTER TABLE §.d ATTACH PARTITION §.n FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
        setup="CREATE TABLE d (at date NOT NULL, v int) PARTITION BY RANGE (at); CREATE TABLE rest PARTITION OF d DEFAULT;"
              "INSERT INTO d SELECT '2020-01-01', n FROM generate_series(1, 300) n; CREATE TABLE n (at date NOT NULL, v int); INSERT INTO n SELECT '2026-01-03', n FROM generate_series(1, 40) n",
        uncured="reads all of",
    ),
    "attach, from the lowest": case(
        "ALTER TABLE §.d ATTACH PARTITION §.n FOR VALUES FROM (MINVALUE) TO (10)",
        setup="CREATE TABLE d (v int, at date) PARTITION BY RANGE (v); CREATE TABLE n (v int, at date); INSERT INTO n SELECT n FROM generate_series(-50, 9) n",
    ),
    "attach by hash": case(
        "ALTER TABLE §.d ATTACH PARTITION §.n FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        setup="CREATE TABLE d (v int) PARTITION BY HASH (v); CREATE TABLE n (v int); INSERT INTO n SELECT n FROM generate_series(1, 40) n",
        uncured="check",
    ),
    "attach of a list with NULL": case(
        "ALTER TABLE §.d ATTACH PARTITION §.n FOR VALUES IN ('a', NULL)",
        setup="CREATE TABLE d (v text) PARTITION BY LIST (v); CREATE TABLE n (v text); INSERT INTO n SELECT 'a' FROM generate_series(1, 40) n",
        uncured="NULL",
    ),
    "a setting and an index": case("SET LOCAL maintenance_work_mem = '64MB'", "CREATE INDEX i ON §.t (a)"),
    "settings of time": case("SET lock_timeout = '2s'", "SET statement_timeout = 0", "ALTER TABLE §.t ADD CONSTRAINT c CHECK (a > 0)", "RESET statement_timeout"),
    "rights after a table": case("ALTER TABLE §.t ADD CONSTRAINT c CHECK (a > 0)", "GRANT SELECT ON §.t TO PUBLIC", "ALTER TABLE §.t ENABLE ROW LEVEL SECURITY"),
    "a view over the new column": case("ALTER TABLE §.t ADD n int DEFAULT 1 CHECK (n > 0)", "CREATE VIEW §.seen AS SELECT id, n FROM §.t"),
    # Alembic's own operations
    "op: a foreign key and an index": body(
        "op.create_foreign_key('fk_t_p', 't', 'p', ['a'], ['id'], source_schema='§', referent_schema='§', ondelete='CASCADE')\n"
        "op.create_index('ix_t_a', 't', ['a', sa.text('lower(b)')], unique=False, schema='§', postgresql_where=sa.text(\"b <> '\\\\:x'\"))",
        "ALTER TABLE §.t ADD CONSTRAINT fk_t_p FOREIGN KEY (a) REFERENCES §.p (id) ON DELETE CASCADE",
        "CREATE INDEX ix_t_a ON §.t (a, lower(b)) WHERE b <> ':x'",
    ),
    "op: not null with an existing type": body(
        "op.alter_column('t', 'b', existing_type=sa.Text(), nullable=False, server_default=sa.text(\"''\"), schema='§')",
        "ALTER TABLE §.t ALTER b SET NOT NULL", "ALTER TABLE §.t ALTER b SET DEFAULT ''",
    ),
    "op: a unique key and a check": body(
        "op.create_unique_constraint('uq_t_b', 't', ['b', 'k'], schema='§')\n"
        "op.create_check_constraint('ck_t_a', 't', sa.column('a') > 0, schema='§')",
        "ALTER TABLE §.t ADD CONSTRAINT uq_t_b UNIQUE (b, k)", "ALTER TABLE §.t ADD CONSTRAINT ck_t_a CHECK (a > 0)",
    ),
    "op: rows by an expression": body(
        "t = sa.table('t', sa.column('id', sa.Integer), sa.column('b', sa.Text), sa.column('a', sa.Integer), schema='§')\n"
        "op.execute(t.update().where(t.c.a.in_([1, 2, 3])).values(b=op.inline_literal(\"it's 5%: :x\")))",
        "UPDATE §.t SET b = 'it''s 5%: :x' WHERE a IN (1, 2, 3)",
    ),
    "op: a column, filled, not null": body(
        "op.add_column('t', sa.Column('slug', sa.String(50), nullable=True), schema='§')\n"
        "op.execute(\"UPDATE §.t SET slug = lower(b)\")\n"
        "op.alter_column('t', 'slug', nullable=False, schema='§')\n"
        "op.create_index(op.f('ix_t_slug'), 't', ['slug'], unique=True, schema='§')",
        "ALTER TABLE §.t ADD COLUMN slug varchar(50)", "UPDATE §.t SET slug = lower(b)",
        "ALTER TABLE §.t ALTER slug SET NOT NULL", "CREATE UNIQUE INDEX ix_t_slug ON §.t (slug)",
    ),
}  # fmt: skip
