"""Rewritten revisions on real servers: the same schema and rows as the original, judged safe, and safe to run again."""

# ruff: noqa: S608 - a table; every statement is written here

from __future__ import annotations

import dataclasses
import os
import subprocess
import typing as t
from pathlib import Path
from unittest import mock

import psycopg
import pytest
from alembic import command, config
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite import CURABLE, OPAQUE
from psycopg import sql

from tests.integration.preflight.asking import BOTH_MODES, Verdict, ask, prepare
from tests.integration.preflight.conftest import CHOSEN, Prepared, Servers, copy_of
from tests.unit.plugins.module_utils._in_pod.project import Project

# As long as names may be, in characters of two bytes.
LONG, LONGER = f'"{"ü" * 31}"', f'"{"é" * 31}x"'
SCHEMA = (
    """
CREATE SCHEMA "Sales Dept";
CREATE TABLE customer (id int PRIMARY KEY, code text UNIQUE, region int, UNIQUE (region, id));
INSERT INTO customer SELECT n, 'c' || n, n % 7 FROM generate_series(1, 200) n;
CREATE TABLE "Sales Dept"."Order" (
    id bigint PRIMARY KEY, "select" text, "C""d" int, "user" int, region int, amount numeric, note varchar(40),
    code text, at timestamptz
);
INSERT INTO "Sales Dept"."Order"
    SELECT n, 's' || n, n, n % 200 + 1, (n % 200 + 1) % 7, n, 'n' || n, 'c' || (n % 200 + 1), '2026-01-01'
    FROM generate_series(1, 11000) n;
CREATE INDEX "Old Idx" ON "Sales Dept"."Order" (amount);
CREATE INDEX "Old Idx 2" ON "Sales Dept"."Order" (note);
CREATE TABLE messages (a int, b text COLLATE "C", c int, d text, PRIMARY KEY (a, b));
INSERT INTO messages SELECT n / 100, 'b' || n, n, NULL FROM generate_series(1, 12000) n;
CREATE TABLE nokey (x int, y int, z text);
INSERT INTO nokey SELECT n, n, 'z' FROM generate_series(1, 50) n;
CREATE TYPE mood AS ENUM ('sad', 'fine');
CREATE TABLE "day" (at date, n int, w int, PRIMARY KEY (at, n)) PARTITION BY RANGE (at);
CREATE TABLE day_1 PARTITION OF "day" FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO "day" SELECT '2026-01-05', n, n FROM generate_series(1, 6000) n;
CREATE TABLE "Day 2" (at date NOT NULL, n int NOT NULL, w int, PRIMARY KEY (at, n));
INSERT INTO "Day 2" SELECT '2026-02-05', n, n FROM generate_series(1, 300) n;
CREATE TABLE kind (k text, n int) PARTITION BY LIST (k);
CREATE TABLE "kind a" (k text, n int);
INSERT INTO "kind a" SELECT 'a''b', n FROM generate_series(1, 300) n;
CREATE TABLE "a:b%c" (k uuid, "c h" char(5), m mood, "p%q:r" text, ":x" int, PRIMARY KEY (m, "c h", k));
INSERT INTO "a:b%c" SELECT md5(n::text)::uuid, 'c' || n % 50, (ARRAY['sad', 'fine'])[1 + n % 2]::mood, 'v' || n, n
    FROM generate_series(1, 11000) n;
CREATE TABLE times (t timestamptz PRIMARY KEY, v int, f float8);
INSERT INTO times SELECT '2026-01-01'::timestamptz + n * interval '1.000001 s', n, n / 3.0
    FROM generate_series(1, 10500) n;
CREATE TABLE """
    + f"""{LONG} (id bigint PRIMARY KEY, {LONGER} text);
INSERT INTO {LONG} SELECT n, 'v' || n FROM generate_series(1, 100) n;
"""
)
ORDER = '"Sales Dept"."Order"'
TEMPLATE = "rewrites"


@dataclasses.dataclass(frozen=True)
class Case:
    """An original's statements.

    :param since: the first major version that takes them
    :param volatile: columns whose values differ from run to run
    """

    statements: tuple[str, ...]
    since: int = 14
    volatile: tuple[str, ...] = ()


def case(*statements: str, **more: t.Any) -> Case:
    return Case(statements, **more)


CASES: dict[str, Case] = {
    # CREATE INDEX
    "index": case('CREATE INDEX "My Idx" ON customer (code)'),
    "index, schema and odd names": case(f'CREATE INDEX "a""b c" ON {ORDER} ("select", "C""d")'),
    "index, partial": case(f"CREATE INDEX i ON {ORDER} (note) WHERE \"user\" > 5 AND note <> 'a:b%c'"),
    "index, expressions": case(f'CREATE INDEX i ON {ORDER} (lower("select"), ("C""d" + 1), (note || \'a:x\'))'),
    "index, INCLUDE": case(f"CREATE UNIQUE INDEX i ON {ORDER} (id) INCLUDE (note, amount)"),
    "index, order": case(f'CREATE INDEX i ON {ORDER} (amount DESC NULLS LAST, "select" ASC NULLS FIRST, id DESC)'),
    "index, collation and class": case(f'CREATE INDEX i ON {ORDER} ("select" COLLATE "POSIX" text_pattern_ops)'),
    "index, collation with a schema": case(f'CREATE INDEX i ON {ORDER} ("select" COLLATE pg_catalog."C")'),
    "index, options": case(f"CREATE INDEX i ON {ORDER} USING hash (note) WITH (fillfactor = 70)"),
    "index, nulls": case(f"CREATE UNIQUE INDEX i ON {ORDER} (id, note) NULLS NOT DISTINCT", since=15),
    "index without a name": case("CREATE INDEX ON customer (region, code)"),
    "index without a name, schema": case(f'CREATE INDEX ON {ORDER} ("C""d") INCLUDE (note)'),
    "unique index": case(f'CREATE UNIQUE INDEX "order" ON {ORDER} ("C""d", note)'),
    "concurrently in a transaction": case("CREATE INDEX CONCURRENTLY i ON customer (code)"),
    "several indexes": case("CREATE INDEX i1 ON customer (code)", "CREATE INDEX i2 ON customer (region)"),
    # DROP INDEX, REINDEX
    "index and a drop": case("CREATE INDEX i ON customer (code)", 'DROP INDEX "Sales Dept"."Old Idx"'),
    "drop of two": case(
        "CREATE INDEX i ON customer (code)", 'DROP INDEX "Sales Dept"."Old Idx", "Sales Dept"."Old Idx 2"'
    ),
    "reindex an index": case('REINDEX INDEX "Sales Dept"."Old Idx"'),
    "reindex a table": case(f"REINDEX TABLE {ORDER}"),
    # SET NOT NULL
    "not null": case(f'ALTER TABLE {ORDER} ALTER COLUMN "select" SET NOT NULL'),
    "not null, several": case(f'ALTER TABLE {ORDER} ALTER "C""d" SET NOT NULL, ALTER note SET NOT NULL'),
    "not null of a partitioned table": case('ALTER TABLE "day" ALTER w SET NOT NULL'),
    "not null after a default": case(f"ALTER TABLE {ORDER} ALTER note SET DEFAULT 'x:y', ALTER note SET NOT NULL"),
    # Foreign keys and checks
    "foreign key": case(f'ALTER TABLE {ORDER} ADD CONSTRAINT "of user" FOREIGN KEY ("user") REFERENCES customer'),
    "foreign key without a name": case(f'ALTER TABLE {ORDER} ADD FOREIGN KEY ("user") REFERENCES customer (id)'),
    "foreign key, actions": case(
        f'ALTER TABLE {ORDER} ADD CONSTRAINT f FOREIGN KEY ("user") REFERENCES customer (id)'
        " ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED"
    ),
    "foreign key, several columns": case(
        f'ALTER TABLE {ORDER} ADD FOREIGN KEY (region, "user") REFERENCES customer (region, id) MATCH FULL'
    ),
    "foreign key, set null of one": case(
        f'ALTER TABLE {ORDER} ADD CONSTRAINT f FOREIGN KEY (region, "user") REFERENCES customer (region, id)'
        ' ON DELETE SET NULL ("user")',
        since=15,
    ),
    "two foreign keys": case(
        f'ALTER TABLE {ORDER} ADD CONSTRAINT f FOREIGN KEY ("user") REFERENCES customer (id)',
        f"ALTER TABLE {ORDER} ADD CONSTRAINT g FOREIGN KEY (code) REFERENCES customer (code)",
    ),
    "check": case(f"ALTER TABLE {ORDER} ADD CONSTRAINT \"is 'it'\" CHECK (amount > 0 AND note <> 'b:a')"),
    "check without a name": case(f"ALTER TABLE {ORDER} ADD CHECK (amount > 0)"),
    "check of two columns": case(f'ALTER TABLE {ORDER} ADD CHECK (amount > 0 OR "C""d" > 0)'),
    "check, no inherit": case(f"ALTER TABLE {ORDER} ADD CONSTRAINT c CHECK (amount > 0) NO INHERIT"),
    "check and an index": case(
        f"ALTER TABLE {ORDER} ADD CONSTRAINT c CHECK (amount > 0)", f"CREATE INDEX i ON {ORDER} (amount, id)"
    ),
    "named not null": case(f"ALTER TABLE {ORDER} ADD CONSTRAINT nn NOT NULL note", since=18),
    "validate after another lock": case(
        f"ALTER TABLE {ORDER} ADD CONSTRAINT c CHECK (amount > 0) NOT VALID",
        f"ALTER TABLE {ORDER} VALIDATE CONSTRAINT c",
    ),
    # Keys
    "unique": case(f'ALTER TABLE {ORDER} ADD CONSTRAINT "u 1" UNIQUE ("select")'),
    "unique without a name": case(f'ALTER TABLE {ORDER} ADD UNIQUE ("C""d", note)'),
    "unique, deferred": case(f"ALTER TABLE {ORDER} ADD CONSTRAINT u UNIQUE (note) DEFERRABLE INITIALLY DEFERRED"),
    "unique, INCLUDE": case(f"ALTER TABLE {ORDER} ADD UNIQUE (note) INCLUDE (amount)"),
    "unique, options": case(f"ALTER TABLE {ORDER} ADD CONSTRAINT u UNIQUE (note) WITH (fillfactor = 60)"),
    "unique, nulls": case(f"ALTER TABLE {ORDER} ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (note)", since=15),
    "primary key": case('ALTER TABLE nokey ADD CONSTRAINT "p k" PRIMARY KEY (x)'),
    "primary key without a name": case("ALTER TABLE nokey ADD PRIMARY KEY (y, x)"),
    "primary key of an index": case(
        "CREATE UNIQUE INDEX CONCURRENTLY nk ON nokey (y)",
        "ALTER TABLE nokey ADD CONSTRAINT nk PRIMARY KEY USING INDEX nk",
    ),
    # ADD COLUMN
    "volatile default": case(f"ALTER TABLE {ORDER} ADD COLUMN made uuid DEFAULT gen_random_uuid()", volatile=("made",)),
    "volatile default, not null": case(
        f'ALTER TABLE {ORDER} ADD COLUMN "Made At" timestamptz DEFAULT clock_timestamp() NOT NULL',
        volatile=("Made At",),
    ),
    "volatile default, unique": case(
        f"ALTER TABLE {ORDER} ADD made uuid DEFAULT gen_random_uuid() NOT NULL UNIQUE", volatile=("made",)
    ),
    "volatile default, composite key": case(
        "ALTER TABLE messages ADD COLUMN made uuid DEFAULT gen_random_uuid() NOT NULL", volatile=("made",)
    ),
    "volatile default of a partitioned table": case(
        'ALTER TABLE "day" ADD COLUMN made uuid DEFAULT gen_random_uuid() NOT NULL', volatile=("made",)
    ),
    "serial": case(f"ALTER TABLE {ORDER} ADD COLUMN number serial", volatile=("number",)),
    "bigserial, unique": case(f'ALTER TABLE {ORDER} ADD COLUMN "N r" bigserial UNIQUE', volatile=("N r",)),
    "column with a check": case(f"ALTER TABLE {ORDER} ADD COLUMN c int DEFAULT 5 NOT NULL CHECK (c > 0)"),
    "column with a key": case(f"ALTER TABLE {ORDER} ADD COLUMN c int DEFAULT 5 REFERENCES customer ON DELETE CASCADE"),
    "column with a deferred key": case(
        f"ALTER TABLE {ORDER} ADD COLUMN c int DEFAULT 5 REFERENCES customer DEFERRABLE INITIALLY DEFERRED"
    ),
    "unique column": case(f"ALTER TABLE {ORDER} ADD COLUMN c int UNIQUE DEFERRABLE"),
    "columns keep their order": case(
        f"ALTER TABLE {ORDER} ADD a1 int, ADD a2 uuid DEFAULT gen_random_uuid(), ADD a3 text DEFAULT 'x' NOT NULL",
        volatile=("a2",),
    ),
    # Rows
    "update of all": case(f'UPDATE {ORDER} SET note = \'x:y\', amount = "C""d" * 2'),
    "update of some": case(f"UPDATE {ORDER} SET note = 'x%' WHERE \"user\" > 50 OR note LIKE 'n1%'"),
    "update from another": case(
        f'UPDATE {ORDER} AS o SET note = c.code FROM customer c WHERE c.id = o."user" AND c.region < 5'
    ),
    "update, composite key": case("UPDATE messages SET d = 'c' || c WHERE d IS NULL"),
    "update of a partitioned table": case('UPDATE "day" SET w = 1'),
    "delete": case(f"DELETE FROM {ORDER} WHERE amount > 100"),
    "delete using another": case(f'DELETE FROM {ORDER} USING customer c WHERE c.id = "user" AND c.region = 3'),
    "add, fill, not null": case(
        f"ALTER TABLE {ORDER} ADD COLUMN full_note text",
        f"UPDATE {ORDER} SET full_note = note || '!'",
        f"ALTER TABLE {ORDER} ALTER COLUMN full_note SET NOT NULL",
    ),
    # Names and keys of any kind
    "signs": case('CREATE INDEX "i%s:y" ON "a:b%c" ("p%q:r") WHERE "p%q:r" <> \'%s\''),
    "signs in rows": case("UPDATE \"a:b%c\" SET \"p%q:r\" = '50%' || 'a' WHERE k IS NOT NULL"),
    "a time as key": case("UPDATE times SET v = 1 WHERE f > 2"),
    "long names": case(
        f"ALTER TABLE {LONG} ADD UNIQUE ({LONGER})",
        f"ALTER TABLE {LONG} ALTER {LONGER} SET NOT NULL",
        f"CREATE INDEX ON {LONG} ({LONGER}, id)",
        f"ALTER TABLE {LONG} ADD FOREIGN KEY (id) REFERENCES {LONG}",
        f"ALTER TABLE {LONG} ADD CHECK ({LONGER} <> 'x')",
    ),
    # Several
    "kept, index, kept": case(
        "CREATE TABLE made (id int PRIMARY KEY)",
        f"CREATE INDEX i ON {ORDER} (note)",
        f"ALTER TABLE {ORDER} ADD COLUMN more int, ALTER COLUMN at SET DEFAULT now()",
        "COMMENT ON INDEX \"Sales Dept\".i IS 'it''s: 100%'",
    ),
    "enum value": case("ALTER TYPE mood ADD VALUE 'glad' BEFORE 'fine'", "CREATE TABLE m (v mood DEFAULT 'glad')"),
    "a query after a lock": case(
        f"ALTER TABLE {ORDER} ADD COLUMN more int", f'CREATE TABLE few AS SELECT id FROM {ORDER} WHERE "user" = 3'
    ),
    "drops and adds in one": case(
        f"ALTER TABLE {ORDER} ADD CONSTRAINT c CHECK (a_new > 0), ADD a_new int DEFAULT 1, ALTER note DROP DEFAULT"
    ),
    "attach, range": case(
        "ALTER TABLE \"day\" ATTACH PARTITION \"Day 2\" FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')"
    ),
    "attach, list": case("ALTER TABLE kind ATTACH PARTITION \"kind a\" FOR VALUES IN ('a''b', 'c')"),
}
# The original cannot be run by Alembic, which is why it is cured.
REFUSED_IN_A_TRANSACTION = {"concurrently in a transaction", "primary key of an index", "enum value"}
STOPPING = BOTH_MODES.replace(
    "        context.configure(connection=connection",
    """        left = [int(os.environ.get("STOP_AFTER", "-1"))]

        @event.listens_for(connection, "before_cursor_execute")
        def stop(connection, cursor, statement, *_more):
            if left[0] == 0:
                raise InterruptedError
            left[0] -= 1
            os.environ["STATEMENTS"] = str(int(os.environ.get("STATEMENTS", "0")) + 1)

        context.configure(connection=connection""",
).replace("import create_engine, pool", "import create_engine, event, pool")


def migrated(folder: Path, url: str, stop: int = -1, run: list[int] | None = None) -> bool:
    """The upgrade in this process, ended before the statement with that number: whether it came to its end.

    :param run: gets how many statements ran
    """
    run = [] if run is None else run
    options = config.Config(folder / "alembic.ini")
    try:
        with mock.patch.dict(os.environ, {"DATABASE_URL": url, "STOP_AFTER": str(stop), "STATEMENTS": "0"}):
            command.upgrade(options, "head")
            run.append(int(os.environ["STATEMENTS"]))
    except InterruptedError:
        return False
    return True


def prepared_template(place: Prepared) -> Prepared:
    """The same server, with a database to copy."""
    if not place.admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
        place.admin.execute(f"CREATE DATABASE {TEMPLATE}")
        prepare(place.server.url(TEMPLATE), SCHEMA, "ANALYZE", revision="0001")
    return place


def schema_of(place: Prepared, url: str) -> str:
    """What pg_dump says, without the key that differs from dump to dump."""
    program = place.server.folder / "programs" / "bin" / "pg_dump"
    done = subprocess.run(
        [program, "--schema-only", "--dbname", url], check=True, capture_output=True, text=True,
        env={"LD_LIBRARY_PATH": str(program.parents[1] / "lib")},
    )  # fmt: skip
    lines = done.stdout.splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


def rows_of_schemas(url: str, like: str) -> dict[str, t.Any]:
    """How many rows each table of these schemas has, and what is in them whatever their order."""
    query = """SELECT format('%%I.%%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
               WHERE relkind = 'r' AND nspname LIKE %s"""
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(query, [like]).fetchall()]
        rows = "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t"
        return {name: connection.execute(rows.format(name)).fetchone() for name in tables}


def rows_of(url: str, without: t.Collection[str] = ()) -> dict[str, t.Any]:
    """The rows of each table, but for these columns, of which it is told how many have a value."""
    found: dict[str, t.Any] = {}
    query = """SELECT c.oid::regclass::text, array_agg(a.attname ORDER BY a.attname) FROM pg_class c
               JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute a ON attrelid = c.oid
               WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND nspname IN ('public', 'Sales Dept')
                 AND relname <> 'alembic_version' GROUP BY c.oid"""
    with psycopg.connect(url) as connection:
        for table, columns in connection.execute(query).fetchall():
            parts = [sql.SQL("count({})" if name in without else "md5(string_agg({}::text, ',' ORDER BY {}::text))")
                     .format(*[sql.Identifier(name)] * (1 if name in without else 2)) for name in columns]  # fmt: skip
            wanted = sql.SQL("SELECT count(*), {} FROM " + table.replace("{", "{{")).format(sql.SQL(", ").join(parts))
            found[table] = connection.execute(wanted).fetchone()
    return found


def rewritten(folder: Path, url: str, original: Project, **more: t.Any) -> tuple[Verdict, Project]:
    """What the module says of the original, and a project with the rewrite in its place."""
    out = folder / "out"
    out.mkdir()
    given = {"thresholds": {"small_table_bytes": 0}, "environment": "dev", "migrator_sets_lock_timeout": True} | more
    answer = ask(original.folder, url, rewrite_dir=str(out), **given)
    made = Project(folder / "rewritten", STOPPING).add("0001", None)
    for path in out.iterdir():
        (made.versions / path.name).write_text(path.read_text())
    return answer, made


def unsafe(answer: Verdict) -> list[dict[str, t.Any]]:
    """Findings about how something is done, and what would fail."""
    deciding = [item for item in answer.findings if item["severity"] in {"fail", "unknown", "warn"}]
    deciding = [item for item in deciding if "accepted" not in item]
    return [item for item in deciding if item["id"] in CURABLE | OPAQUE or item["severity"] == "fail"]


# All of them on the newest version, and a third, another one each, on the others: a case takes five seconds.
PAIRS = [
    (name, major)
    for major in CHOSEN
    for number, name in enumerate(CASES)
    if major >= CASES[name].since and (major == CHOSEN[-1] or number % 3 == major % 3)
]


@pytest.mark.parametrize(("name", "major"), PAIRS, ids=[f"{name}-{major}" for name, major in PAIRS])
def test_the_rewrite_does_the_same(name: str, major: int, servers: Servers, tmp_path: Path) -> None:
    wanted, place = CASES[name], prepared_template(servers(major))
    original = Project(tmp_path / "original", STOPPING).add("0001", None).add("0002", "0001", *wanted.statements)
    judging = Project(tmp_path / "judged", BOTH_MODES).add("0001", None).add("0002", "0001", *wanted.statements)
    with copy_of(place, TEMPLATE) as one, copy_of(place, TEMPLATE) as other:
        answer, made = rewritten(tmp_path, other, judging)
        assert answer.result["rewrites"][0]["files"], answer.result["rewrites"]
        assert answer.result["rewrites"][0]["cured"], answer.result["rewrites"]
        again = ask(made.folder, other, thresholds={"small_table_bytes": 0}, environment="dev")
        assert unsafe(again) == []
        if name in REFUSED_IN_A_TRANSACTION:
            with psycopg.connect(one, autocommit=True) as connection:
                for statement in wanted.statements:
                    connection.execute(statement)
                connection.execute("UPDATE alembic_version SET version_num = '0002'")
        else:
            assert migrated(original.folder, one)
        ran: list[int] = []
        assert migrated(made.folder, other, run=ran)
        expected, rows = schema_of(place, one), rows_of(one, wanted.volatile)
        assert schema_of(place, other) == expected
        assert rows_of(other, wanted.volatile) == rows
    total = ran[0]
    # More places on one version than on the others.
    for stop in {total // 3, total * 2 // 3, total - 1} if major == CHOSEN[-1] else {total // 2}:
        with copy_of(place, TEMPLATE) as url:
            assert not migrated(made.folder, url, stop)
            assert migrated(made.folder, url)
            assert schema_of(place, url) == expected, stop
            assert rows_of(url, wanted.volatile) == rows, stop
