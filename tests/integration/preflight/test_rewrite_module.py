"""The module with rewrite_dir: what it writes, refuses and cannot rewrite; downgrades; what a trace says."""

# ruff: noqa: S608 - a table; every statement is written here

from __future__ import annotations

import ast
import os
import typing as t
from pathlib import Path
from unittest import mock

import psycopg
import pytest
from alembic import command, config

from tests.integration.preflight.asking import BOTH_MODES, Verdict, ask, migrate
from tests.integration.preflight.conftest import CHOSEN, Prepared, Servers, copy_of
from tests.integration.preflight.test_rewrite import (
    ORDER,
    STOPPING,
    migrated,
    prepared_template,
    rewritten,
    rows_of,
    schema_of,
    unsafe,
)
from tests.unit.plugins.module_utils._in_pod.project import Project

LARGE: dict[str, t.Any] = {"thresholds": {"small_table_bytes": 0}, "environment": "dev"}
UNCURED = {
    "another type": (f'ALTER TABLE {ORDER} ALTER "C""d" TYPE bigint', "table-rewrite", "add a new column"),
    "exclusion": (
        f"ALTER TABLE {ORDER} ADD EXCLUDE USING btree (id WITH =)", "lock-blocks-reads", "exclusion constraint",
    ),
    "identity": (
        f"ALTER TABLE {ORDER} ADD n int GENERATED ALWAYS AS IDENTITY", "table-rewrite", "before it can be an identity",
    ),
    "stored": (
        f"ALTER TABLE {ORDER} ADD n numeric GENERATED ALWAYS AS (amount + 1) STORED", "table-rewrite", "computed for",
    ),
    "twice": (f"UPDATE {ORDER} SET amount = amount + 1", "full-table-write", "changed twice"),
    "no key": ("UPDATE nokey SET z = 'a'", "full-table-write", "has no primary key"),
    "itself": (
        f"DELETE FROM {ORDER} WHERE id NOT IN (SELECT max(id) FROM {ORDER})", "full-table-write", "reads",
    ),
    "the key": (f"UPDATE {ORDER} SET id = id + 100000", "full-table-write", "changes the key"),
    "partitioned": ('CREATE INDEX i ON "day" (w)', "lock-blocks-writes", "is partitioned"),
    "an expression without a name": ("CREATE INDEX ON customer (lower(code))", "lock-blocks-writes", "has no name"),
    "cluster": (f"CLUSTER {ORDER} USING \"Old Idx\"", "table-rewrite", "no other way"),
    "a block": (f"DO $$ BEGIN DELETE FROM {ORDER}; END $$", "full-table-write", "stands in a DO block"),
    "a setting": (
        "SET LOCAL search_path = 'public'", "search-path-set", "holds for a session",
    ),
}  # fmt: skip


@pytest.fixture
def place(servers: Servers) -> Prepared:
    return prepared_template(servers(CHOSEN[-1]))


@pytest.fixture
def url(place: Prepared) -> t.Iterator[str]:
    with copy_of(place, "rewrites") as made:
        yield made


def project(folder: Path, *statements: str, body: str = "", down: str = "") -> Project:
    made = Project(folder / "judged", BOTH_MODES).add("0001", None).add("0002", "0001", *statements, body=body)
    if down:
        path = made.versions / "0002.py"
        path.write_text(path.read_text().replace("    op.get_bind()\n", down))
    return made


@pytest.mark.parametrize("name", UNCURED)
def test_what_has_no_rewrite_is_told_with_its_reason(name: str, url: str, tmp_path: Path) -> None:
    statement, finding, reason = UNCURED[name]
    answer, made = rewritten(tmp_path, url, project(tmp_path, statement))
    (told,) = answer.result["rewrites"]
    assert told["files"] == told["cured"] == []
    assert [path.name for path in made.versions.iterdir()] == ["0001.py"]
    assert reason in " ".join(item["reason"] for item in told["uncured"] if item["id"] == finding), told


def test_a_statement_without_a_rewrite_is_named_to_its_neighbours(url: str, tmp_path: Path) -> None:
    statements = ("CREATE INDEX i ON customer (code)", f'ALTER TABLE {ORDER} ALTER "C""d" TYPE bigint')
    answer, _made = rewritten(tmp_path, url, project(tmp_path, *statements))
    reasons = {item["id"]: item["reason"] for item in answer.result["rewrites"][0]["uncured"]}
    assert "statement 2 of the same revision" in reasons["index-not-concurrent"]
    assert "about what the revision does" in reasons["type-change"]


def test_a_revision_that_asks_the_database_has_no_rewrite(url: str, tmp_path: Path) -> None:
    body = "    if op.get_bind().execute('SELECT 1'):\n        op.execute('CREATE INDEX i ON customer (code)')"
    answer, _made = rewritten(tmp_path, url, project(tmp_path, body=body))
    assert not answer.result["rewrites"][0]["files"]
    assert "depends on the database" in answer.result["rewrites"][0]["uncured"][0]["reason"]


def test_nothing_is_overwritten_and_the_same_is_left(url: str, tmp_path: Path) -> None:
    original, out = project(tmp_path, "CREATE INDEX i ON customer (code)"), tmp_path / "out"
    out.mkdir()
    arguments = LARGE | {"rewrite_dir": str(out)}
    assert ask(original.folder, url, **arguments).result["rewrites"][0]["files"] == ["0002.py"]
    before = (out / "0002.py").stat().st_mtime_ns
    assert ask(original.folder, url, **arguments).result["rewrites"][0]["files"] == ["0002.py"]
    assert (out / "0002.py").stat().st_mtime_ns == before
    (out / "0002.py").write_text("mine")
    refused = ask(original.folder, url, **arguments)
    assert refused.ids == {"argument-invalid"}
    assert f"{out / '0002.py'} is there already" in refused.message
    assert (out / "0002.py").read_text() == "mine"
    (out / "0002.py").unlink()
    (out / "0002.py").symlink_to(tmp_path / "elsewhere")
    assert "is there already" in ask(original.folder, url, **arguments).message
    assert not (tmp_path / "elsewhere").exists()


def test_the_versions_of_the_original_are_not_written_to(url: str, tmp_path: Path) -> None:
    original = project(tmp_path, "CREATE INDEX i ON customer (code)")
    before = (original.versions / "0002.py").read_text()
    assert "is there already" in ask(original.folder, url, rewrite_dir=str(original.versions), **LARGE).message
    assert (original.versions / "0002.py").read_text() == before


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_folder_that_cannot_be_written_gets_one_sentence(kind: str, url: str, tmp_path: Path) -> None:
    path = tmp_path / "there"
    if kind == "file":
        path.touch()
    answer = ask(project(tmp_path).folder, url, rewrite_dir=str(path))
    assert answer.ids == {"argument-invalid"}
    assert answer.message.startswith(f"rewrite_dir {path} is no folder")


def test_safe_revisions_are_left_alone(url: str, tmp_path: Path) -> None:
    answer, made = rewritten(tmp_path, url, project(tmp_path, "CREATE TABLE fresh (id int PRIMARY KEY)"))
    assert answer.result["rewrites"] == []
    assert [path.name for path in made.versions.iterdir()] == ["0001.py"]


def test_without_the_option_nothing_is_told(url: str, tmp_path: Path) -> None:
    assert ask(project(tmp_path, "CREATE INDEX i ON customer (code)").folder, url, **LARGE).result["rewrites"] == []


def test_an_accepted_finding_has_no_rewrite(url: str, tmp_path: Path) -> None:
    accepted = [
        {"id": name, "reason": "at night"} for name in ("index-not-concurrent", "lock-blocks-writes", "write-rejected")
    ]
    answer, _made = rewritten(tmp_path, url, project(tmp_path, "CREATE INDEX i ON customer (code)"), accept=accepted)
    assert answer.result["rewrites"] == []


def downgraded(folder: Path, url: str, revision: str) -> None:
    with mock.patch.dict(os.environ, {"DATABASE_URL": url}):
        command.downgrade(config.Config(folder / "alembic.ini"), revision)


DOWNGRADE = f"""    for name in NAMES:
        op.drop_index(name, "Order", schema="Sales Dept")
    op.drop_constraint("f", "Order", schema="Sales Dept")
    op.execute('ALTER TABLE {ORDER} ALTER note DROP NOT NULL')
"""


def test_the_downgrade_is_the_originals(place: Prepared, url: str, tmp_path: Path) -> None:
    before = schema_of(place, url)
    original = project(
        tmp_path,
        f"CREATE INDEX i ON {ORDER} (note)",
        f'ALTER TABLE {ORDER} ADD CONSTRAINT f FOREIGN KEY ("user") REFERENCES customer',
        f"ALTER TABLE {ORDER} ALTER note SET NOT NULL",
        down=DOWNGRADE,
    )
    path = original.versions / "0002.py"
    path.write_text(path.read_text().replace("def upgrade", 'NAMES = ["i"]\ndef upgrade'))
    answer, made = rewritten(tmp_path, url, original)
    assert len(answer.result["rewrites"][0]["files"]) == 2
    made.add("0003", "0002", "ANALYZE customer")
    assert migrated(made.folder, url)
    after = schema_of(place, url)
    downgraded(made.folder, url, "0002")
    # One step down and up again: what is there already does no harm.
    downgraded(made.folder, url, "0002_1")
    assert migrated(made.folder, url)
    downgraded(made.folder, url, "0002")
    downgraded(made.folder, url, "0001")
    assert schema_of(place, url) == before
    assert migrated(made.folder, url)
    assert schema_of(place, url) == after


def test_what_a_failed_build_left_is_built_again(place: Prepared, url: str, tmp_path: Path) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE nokey SET y = 1")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON nokey (y)")
        connection.execute("UPDATE nokey SET y = x")
    answer, made = rewritten(tmp_path, url, project(tmp_path, "CREATE UNIQUE INDEX IF NOT EXISTS i ON nokey (y)"))
    assert {"id": "index-not-built", "statement": 1} in answer.result["rewrites"][0]["cured"]
    assert migrated(made.folder, url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass").fetchone() == (
            True,
        )


def test_another_index_of_that_name_stays(url: str, tmp_path: Path) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE INDEX i ON nokey (y)")
    answer, _made = rewritten(tmp_path, url, project(tmp_path, "CREATE INDEX i ON customer (code)"))
    assert not answer.result["rewrites"][0]["files"]
    assert "public.i exists already" in str(answer.result["rewrites"])


@pytest.mark.parametrize(
    "statements",
    [
        ('DROP INDEX "Sales Dept"."Old Idx"',),
        (f"ALTER TABLE {ORDER} ADD COLUMN more int", f"ALTER TABLE {ORDER} ALTER note SET NOT NULL"),
        (f"ALTER TABLE {ORDER} ADD COLUMN more int",),
        ("SET lock_timeout = '7s'", f"ALTER TABLE {ORDER} ALTER note SET NOT NULL"),
    ],
    ids=["drop", "two", "brief", "its own"],
)
def test_a_lock_timeout_is_set_where_the_session_has_none(
    statements: tuple[str, ...], place: Prepared, url: str, tmp_path: Path
) -> None:
    original = project(tmp_path, *statements)
    _answer, made = rewritten(tmp_path, url, original, migrator_sets_lock_timeout=False)
    again = ask(made.folder, url, migrator_sets_lock_timeout=False, **LARGE)
    assert unsafe(again) == []
    text = "".join(path.read_text() for path in made.versions.iterdir())
    assert ("'7s'" if "7s" in statements[0] else "'2s'") in text or "CONCURRENTLY" in text
    assert migrated(made.folder, url)
    with copy_of(place, "rewrites") as other:
        assert not migrate(original.folder, other)
        assert schema_of(place, url) == schema_of(place, other)


ONE_TRANSACTION = STOPPING.replace(", transaction_per_migration=True", "")


def test_all_revisions_in_one_transaction(place: Prepared, url: str, tmp_path: Path) -> None:
    """Where env.py has one for all, a revision that works long ends the locks of those before it."""
    statements = (
        f"ALTER TABLE {ORDER} ADD COLUMN more int",
        f'CREATE TABLE few AS SELECT id FROM {ORDER} WHERE "user" = 3',
        f'ALTER TABLE {ORDER} ADD CONSTRAINT f FOREIGN KEY ("user") REFERENCES customer',
        f"CREATE INDEX i ON {ORDER} (note)",
    )
    original = Project(tmp_path / "judged", ONE_TRANSACTION)
    original.add("0001", None).add("0002", "0001", *statements)
    answer, made = rewritten(tmp_path, url, original)
    assert {"id": "lock-kept", "statement": 2} in answer.result["rewrites"][0]["cured"]
    (made.folder / "migrations" / "env.py").write_text(ONE_TRANSACTION)
    assert unsafe(ask(made.folder, url, **LARGE)) == []
    ran: list[int] = []
    assert migrated(made.folder, url, run=ran)
    with copy_of(place, "rewrites") as other:
        assert migrated(original.folder, other)
        wanted, rows = schema_of(place, other), rows_of(other)
    assert (schema_of(place, url), rows_of(url)) == (wanted, rows)
    for stop in range(3, ran[0]):
        with copy_of(place, "rewrites") as other:
            assert not migrated(made.folder, other, stop)
            assert migrated(made.folder, other)
            assert schema_of(place, other) == wanted, stop


TRACED = {
    "index": ("CREATE INDEX i ON customer (code)",),
    "foreign key": ("ALTER TABLE nokey ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES customer (id)",),
    "not null": ("ALTER TABLE messages ALTER c SET NOT NULL",),
    "volatile": ("ALTER TABLE messages ADD made uuid DEFAULT gen_random_uuid() NOT NULL UNIQUE",),
    "rows": ("UPDATE messages SET d = 'x'",),
    "key": ("ALTER TABLE nokey ADD PRIMARY KEY (x)",),
    "attach": ("ALTER TABLE kind ATTACH PARTITION \"kind a\" FOR VALUES IN ('a''b')",),
}


@pytest.mark.parametrize("name", TRACED)
def test_a_trace_sees_no_strong_lock_beside_what_is_claimed(
    name: str, place: Prepared, url: str, tmp_path: Path
) -> None:
    _answer, made = rewritten(tmp_path, url, project(tmp_path, *TRACED[name]))
    programs = str(place.server.folder / "programs" / "bin")
    (made.folder / "migrations" / "env.py").write_text(BOTH_MODES)
    again: Verdict = ask(made.folder, url, trace=True, trace_postgresql=programs, **LARGE)
    assert "trace-skipped" not in again.ids, again.said("trace-skipped")
    assert unsafe(again) == []
    seen = again.result["trace"]["revisions"]
    assert sum(item["statements"] for item in seen) > 0
    assert not any(item["rewrites"] for item in seen), seen


def test_a_longer_history_is_rewritten_as_a_whole(place: Prepared, url: str, tmp_path: Path) -> None:
    """Several unsafe revisions, one of which merges two branches."""
    original = Project(tmp_path / "judged", STOPPING).add("0001", None)
    original.add("a", "0001", "CREATE INDEX ia ON customer (code)")
    original.add("b", "0001", f"ALTER TABLE {ORDER} ADD CONSTRAINT c CHECK (amount > 0)")
    original.add("m", ("a", "b"), f"ALTER TABLE {ORDER} ALTER note SET NOT NULL", "CREATE INDEX im ON nokey (y)")
    original.add("z", "m", "CREATE TABLE last (id int)", depends_on="b")
    answer, made = rewritten(tmp_path, url, original)
    assert sorted(item["revision"] for item in answer.result["rewrites"] if item["files"]) == ["a", "b", "m"]
    (made.versions / "z.py").write_text((original.versions / "z.py").read_text())
    assert unsafe(ask(made.folder, url, **LARGE)) == []
    assert migrated(made.folder, url)
    with copy_of(place, "rewrites") as other:
        assert migrated(original.folder, other)
        assert schema_of(place, url) == schema_of(place, other)


@pytest.mark.parametrize(
    ("bounds", "table"), [("FROM ('2026-02-01') TO ('2026-03-01')", "Day 2"), ("IN ('a''b', 'c')", "kind a")]
)
def test_the_server_is_convinced_by_the_check(bounds: str, table: str, url: str, tmp_path: Path) -> None:
    """It says so itself; without the check it reads the rows."""
    parent = '"day"' if table == "Day 2" else "kind"
    statement = f'ALTER TABLE {parent} ATTACH PARTITION "{table}" FOR VALUES {bounds}'
    _answer, made = rewritten(tmp_path, url, project(tmp_path, statement))
    said: list[str] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        connection.execute("SET client_min_messages = debug1")
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
        implied = f'partition constraint for table "{table}" is implied by existing constraints'
        assert implied not in said
        text = next(made.versions.glob("0002*.py")).read_text()
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and len(node.args) == 1]
        for call in sorted(calls, key=lambda node: node.lineno):
            connection.execute(ast.literal_eval(call.args[0]))
    assert implied in said


BEGUN = BOTH_MODES.replace(".connect() as connection:", ".begin() as connection:")
NO_TRANSACTION = BOTH_MODES.replace("connection=connection,", "connection=connection, transactional_ddl=False,")
AUTOCOMMIT = BOTH_MODES.replace(
    ".connect() as connection:", '.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:'
)
UNFIT = {
    "a transaction of env.py's own": (BEGUN, "autocommit_block() fails"),
    "no transaction": (NO_TRANSACTION, "half-way"),
    "autocommit": (AUTOCOMMIT, "half-way"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_an_env_py_that_a_rewrite_would_fail_in(name: str, url: str, tmp_path: Path) -> None:
    env, reason = UNFIT[name]
    original = (
        Project(tmp_path / "judged", env).add("0001", None).add("0002", "0001", "CREATE INDEX i ON customer (code)")
    )
    answer, _made = rewritten(tmp_path, url, original)
    (told,) = answer.result["rewrites"]
    assert told["files"] == []
    assert reason in told["uncured"][-1]["reason"] + told["uncured"][0]["reason"], told


OPERATIONS = """
    import sqlalchemy as sa
    op.add_column("times", sa.Column("flag", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("times", sa.Column("made", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False))
    op.create_index(op.f("ix_v"), "times", ["v", sa.text("f DESC")], postgresql_where=sa.text("v > 1"))
    op.create_unique_constraint(None, "times", ["v", "f"])
    op.create_foreign_key(None, "times", "times", ["t"], ["t"], ondelete="CASCADE", initially="DEFERRED")
    op.create_check_constraint("positive", "times", "v > 0")
    with op.batch_alter_table("times") as batch_op:
        batch_op.alter_column("v", existing_type=sa.Integer(), nullable=False)
    at = sa.Column("at", sa.DateTime(timezone=True), sa.ForeignKey("times.t"))
    op.create_table("fresh", sa.Column("id", sa.Integer(), primary_key=True), at)
    op.execute(sa.update(sa.table("times", sa.column("f", sa.Float()))).values(f=1.5))
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_alembics_own_operations(encoding: str, place: Prepared, url: str, tmp_path: Path) -> None:
    original = project(tmp_path, body=OPERATIONS)
    path = original.versions / "0002.py"
    cookie = "# -*- coding: latin-1 -*-\n" if encoding == "latin-1" else ""
    text = cookie + path.read_text().replace("Revision 0002", "Über Größe")
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    answer, made = rewritten(tmp_path, url, original)
    assert answer.result["rewrites"][0]["files"], answer.result["rewrites"][0]["uncured"]
    assert unsafe(ask(made.folder, url, **LARGE)) == []
    assert migrated(made.folder, url)
    assert "Über Größe" in (made.versions / "0002.py").read_text()
    with copy_of(place, "rewrites") as other:
        assert not migrate(original.folder, other)
        assert schema_of(place, url) == schema_of(place, other)
        assert rows_of(url, {"made"}) == rows_of(other, {"made"})
