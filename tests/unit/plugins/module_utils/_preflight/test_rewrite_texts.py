"""Rewritten revisions, without a server: texts that SQLAlchemy takes as they are meant, names, ids, what is kept."""

from __future__ import annotations

import ast
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import rewrite_original
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_batch import escaped, with_binds
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_file import (
    Place,
    Session,
    quoted,
    text,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_names import (
    first_free,
    passing,
    revision_ids,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_print import printed, template
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import (
    Step,
    Uncurable,
    ordered,
    parts,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.default_names import joined, object_name
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sqlalchemy_text
from sqlalchemy.dialects import postgresql

DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


def rendered(sql: str) -> str:
    return str(sqlalchemy_text(sql).compile(dialect=DIALECT))


@settings(deadline=None)
@given(st.text(alphabet=":\\aé1_$ '\"%(", max_size=12))
def test_text_takes_what_is_escaped_as_it_is(sql: str) -> None:
    try:
        text_of_it = escaped(sql)
    except Uncurable:
        return
    assert rendered(text_of_it) == sql


@pytest.mark.parametrize(
    "sql",
    [
        "' :12:30'",
        # One version of SQLAlchemy drops this backslash, and another one does not.
        "'\\:$:'",
    ],
)
def test_what_text_cannot_hold_is_refused(sql: str) -> None:
    with pytest.raises(Uncurable, match="colons"):
        escaped(sql)


@pytest.mark.parametrize(
    "sql", ["a ':x'", "'12:30'::time", "a[1:b]", "E'\\\\:x'", "x::int", "'%(a)s' ':é'", "a ::b", ":"]
)
def test_colons(sql: str) -> None:
    assert rendered(escaped(sql)) == sql


def test_parameters_become_names_and_texts_do_not() -> None:
    sql = with_binds("UPDATE t SET a = '$1 :x' WHERE (a, b) >= ($1, $2) AND (a, b) <= ($3, $4)", 2)
    assert sql.endswith("(a, b) >= (:start0, :start1) AND (a, b) <= (:last0, :last1)")
    assert "'$1 \\:x'" in sql


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_quoted_text_is_the_same_in_python(value: str) -> None:
    assert ast.literal_eval(quoted(value)) == value


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("t", "a_b", "key"), "t_a_b_key"),
        (("t", None, "pkey"), "t_pkey"),
        (("t" * 63, None, "pkey"), "t" * 58 + "_pkey"),
        (("t" * 60, "c" * 60, "fkey"), "t" * 29 + "_" + "c" * 28 + "_fkey"),
        (("é" * 31, None, "idx"), "é" * 29 + "_idx"),
    ],
)
def test_names_are_cut_as_postgresql_cuts_them(arguments: tuple[str, str | None, str], name: str) -> None:
    assert object_name(*arguments) == name


def test_columns_that_come_twice_are_told_apart() -> None:
    assert joined(["a", "b", "a"]) == "a_b_a1"


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert first_free(lambda number: f"c{number}", {"c", "c1"}) == "c2"
    one = passing("0002", "s.t", "c", set())
    assert one == passing("0002", "s.t", "c", set())
    assert passing("0002", "s.t", "c", {one}) != one
    assert len(passing("0002", "s.t", "é" * 63, set()).encode()) <= 63


def test_the_last_id_is_the_originals_and_all_fit() -> None:
    assert revision_ids("0002", 3, {"0001", "0002_1"}, 32) == ["0002_1_1", "0002_2", "0002"]
    assert revision_ids("a" * 32, 2, {"a" * 32}, 32)[0] == "a" * 30 + "_1"
    assert revision_ids("abcdef", 2, set(), 4)[0] == "ab_1"


def own(sql: str) -> Step:
    return Step(sql, "own")


def test_a_revision_ends_where_it_could_not_run_again() -> None:
    kept, built, batch = Step("kept"), own("built"), Step("rows", "batch")
    assert parts([built, kept]) == [[built, kept]]
    assert parts([kept, built, kept]) == [[kept], [built, kept]]
    assert parts([built, batch, built]) == [[built], [batch], [built]]
    locks, long = Step("locks", locks=True), Step("long", long=True)
    assert parts([locks, long, locks]) == [[locks], [long], [locks]]
    assert parts([long]) == [[long]]


def test_what_is_proven_comes_after_all_that_is_added() -> None:
    late = Step("proof", "own", late=True)
    groups = [[Step("a"), late], [Step("b"), late], [Step("c")]]
    assert [step.sql for step in ordered(groups)] == ["a", "b", "proof", "proof", "c"]


ORIGINAL = '''"""Title, with "quotes" and \\\\.

Revision ID: 0002
preflight-accept contract-phase: nobody writes it
"""
from __future__ import annotations

import os  # only upgrade needs it
from alembic import op
import sqlalchemy as sa

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels = ("branch",)
depends_on = None

# What the helper has.
NAMES = ["a", "b"]
UNUSED = os.sep


def helper() -> None:
    for name in NAMES:
        op.drop_index(name)


def upgrade() -> None:
    op.create_index("a", "t", ["a"])


def downgrade() -> None:
    """Undo."""
    helper()
'''


def place(number: int, *ids: str) -> Place:
    return Place(ids, number, "0002.py", '"0001"', "None", '("branch",)', ["index-not-concurrent"])


def test_the_downgrade_is_kept_with_what_it_needs() -> None:
    kept = rewrite_original.read(ORIGINAL)
    first = text([Step("SELECT 1")], place(0, "0002_1", "0002"), kept, Session())
    last = text([Step("SELECT 1")], place(1, "0002_1", "0002"), kept, Session())
    tree = ast.parse(first)
    module: dict[str, t.Any] = {}
    exec(compile(first, "first", "exec"), module)  # noqa: S102 - our own text
    assert (ast.get_docstring(tree) or "").startswith('Title, with "quotes" and \\.\n')
    assert "preflight-accept contract-phase" in module["__doc__"]
    assert "Revision ID: 0002" not in first
    assert (module["revision"], module["down_revision"], module["branch_labels"]) == ("0002_1", "0001", None)
    assert "# What the helper has.\nNAMES" in first
    assert "UNUSED" not in first
    assert "import os" not in first
    assert first.count("from alembic import op\n") == 1
    assert "helper()" not in last
    assert 'branch_labels = ("branch",)' in last
    assert 'down_revision = "0002_1"' in last


def test_a_file_without_a_downgrade_gets_none() -> None:
    kept = rewrite_original.read("from alembic import op\nrevision = '1'\ndown_revision = None\ndef upgrade(): pass\n")
    assert "downgrade" not in text([Step("SELECT 1")], place(0, "1"), kept, Session()).partition("def upgrade")[2]


def test_settings_hold_in_each_transaction_and_no_longer() -> None:
    kept = rewrite_original.read("")
    steps = [Step("CREATE", "own", waits=True), Step("ADD", "own", locks=True), Step("LAST", locks=True)]
    session = Session("'3s'", (("work_mem", "'1GB'"),))
    lines = [line.strip() for line in text(steps, place(0, "1"), kept, session).splitlines() if "execute" in line]
    assert [line.removeprefix('op.execute("').removesuffix('")') for line in lines] == [
        "SET work_mem = '1GB'", "SET lock_timeout = 0", "CREATE", "SET lock_timeout = '3s'", "ADD",
        "RESET lock_timeout", "RESET work_mem", "SET LOCAL lock_timeout = '3s'", "SET LOCAL work_mem = '1GB'", "LAST",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sql",
    [
        'CREATE UNIQUE INDEX "a""b" ON ONLY "S p"."T" ("x y" COLLATE pg_catalog."C" text_ops DESC NULLS LAST)',
        "CREATE INDEX i ON t USING gist (a gist_trgm_ops (siglen = 32)) WITH (fillfactor = 50) TABLESPACE ts",
        "CREATE UNIQUE INDEX i ON t (a, lower(b)) INCLUDE (c, d) NULLS NOT DISTINCT WHERE a > 1 OR b IS NULL",
    ],
)
def test_indexes_are_printed_as_they_were_read(sql: str) -> None:
    assert template(printed(template(sql))) == template(sql)


def test_what_the_printer_makes_something_else_of_is_refused() -> None:
    node = template("CREATE INDEX i ON t (a)")
    # No statement has such a name, so nothing that is printed can be read as one.
    node.idxname = '"'
    node.indexParams[0].name = ""
    with pytest.raises(Uncurable, match="printed"):
        printed(node)


@pytest.mark.parametrize(
    "expression",
    [
        "d AT TIME ZONE 'UTC'",
        "pg_catalog.timezone('UTC', d)",
        "extract(year FROM d)",
        "substring(b FROM 1 FOR 2)",
        "trim(both 'x' FROM b)",
        "position('a' IN b)",
        "b SIMILAR TO 'x'",
        "overlay(b PLACING 'x' FROM 1 FOR 2)",
    ],
)
def test_a_call_keeps_its_form(expression: str) -> None:
    """PostgreSQL's catalogue tells them apart, and so does a dump."""
    node = template(f"ALTER TABLE t ADD CONSTRAINT c CHECK ({expression} IS NOT NULL)")
    assert (".timezone(" in printed(node)) == ("timezone" in expression)


def test_what_would_get_another_form_is_not_printed() -> None:
    node = template("CREATE INDEX i ON t ((d AT TIME ZONE 'UTC'), (pg_catalog.timezone('UTC', d)))")
    with pytest.raises(Uncurable, match="cannot be printed"):
        printed(node)
