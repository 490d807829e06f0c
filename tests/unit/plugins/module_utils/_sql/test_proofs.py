"""What an upgrade has proven by itself: the key of an index it built, bounds that a check of it says."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.partial_revisions import repeatable
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import rules
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column, Table
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.default_names import relations_made
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import parse_sql
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.partition_proofs import condition_of, text_of
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name


def parsed(sql: str) -> t.Any:
    return parse_sql(sql)[0].stmt


def catalog() -> Catalog:
    columns = {"a": Column("int4"), "b": Column("int4", not_null=True)}
    tables: dict[Name, Table] = {
        ("public", name): Table(("public", name), "r", columns=dict(columns)) for name in ("t", "part")
    }
    tables["public", "p"] = Table(("public", "p"), "p")
    return Catalog(tables=tables, partition_keys={("public", "p"): ("r", ("b",)), ("public", "l"): ("l", ("a",))})


def scans(*statements: str) -> list[bool | None]:
    """Of the last statement, whether each table is read."""
    known = catalog()
    for statement in statements:
        reading = rules.read(parsed(statement), known, 18)
    return [effect.scan for effect in reading.effects]


BUILT = "CREATE UNIQUE INDEX CONCURRENTLY i ON t ({})"
TAKEN = "ALTER TABLE t ADD CONSTRAINT i PRIMARY KEY USING INDEX i"


@pytest.mark.parametrize(
    ("before", "read"),
    [
        ((BUILT.format("b"),), False),
        ((BUILT.format("a"),), True),
        ((BUILT.format("a"), "ALTER TABLE t ALTER a SET NOT NULL"), False),
        ((BUILT.format("b, a"),), True),
        ((BUILT.format("(b + 1)"),), True),
        ((BUILT.format("b"), "DROP INDEX i"), True),
        ((BUILT.format("b") + " WHERE b > 1",), True),
    ],
)
def test_the_key_of_an_index_that_was_built_before(before: tuple[str, ...], read: bool) -> None:
    assert scans(*before, TAKEN) == [read]


ATTACH = "ALTER TABLE p ATTACH PARTITION part FOR VALUES FROM (1) TO (10)"
CHECK = "ALTER TABLE part ADD CONSTRAINT c CHECK ({}) NOT VALID"
VALIDATE = "ALTER TABLE part VALIDATE CONSTRAINT c"


@pytest.mark.parametrize(
    ("before", "read"),
    [
        ((CHECK.format("b IS NOT NULL AND b >= 1 AND b < 10"), VALIDATE), False),
        ((CHECK.format("b IS NOT NULL AND b >= 1 AND b < 10"),), True),
        ((CHECK.format("b IS NOT NULL AND b >= 1 AND b < 11"), VALIDATE), True),
        ((CHECK.format("a IS NOT NULL AND a >= 1 AND a < 10"), VALIDATE), True),
    ],
)
def test_bounds_that_a_check_says(before: tuple[str, ...], read: bool) -> None:
    assert scans(*before, ATTACH) == [False, read]


@pytest.mark.parametrize(
    ("strategy", "bounds", "said"),
    [
        ("r", "FROM (1) TO (10)", "k IS NOT NULL AND k >= 1 AND k < 10"),
        ("r", "FROM (MINVALUE) TO ('x')", "k IS NOT NULL AND k < 'x'"),
        ("r", "FROM (MINVALUE) TO (MAXVALUE)", "k IS NOT NULL"),
        ("l", "IN ('a', 'b')", "k IS NOT NULL AND k IN ('a', 'b')"),
        ("l", "IN ('a', NULL)", None),
        ("h", "WITH (MODULUS 2, REMAINDER 0)", None),
        ("r", "IN ('a')", None),
    ],
)
def test_the_words_for_bounds(strategy: str, bounds: str, said: str | None) -> None:
    node = parsed(f"ALTER TABLE p ATTACH PARTITION c FOR VALUES {bounds}").cmds[0].def_.bound
    condition = condition_of(node, strategy, ("k",))
    assert (condition and text_of(condition)) == said
    assert condition_of(node, strategy, ("k", "l")) is None
    assert condition_of(node, strategy, (None,)) is None


def test_the_default_partition_has_no_words() -> None:
    node = parsed("ALTER TABLE p ATTACH PARTITION c DEFAULT").cmds[0].def_.bound
    assert condition_of(node, "r", ("k",)) is None


@pytest.mark.parametrize(
    ("sql", "made"),
    [
        ("CREATE INDEX ON t (a, b) INCLUDE (c)", ["t_a_b_c_idx"]),
        ("CREATE INDEX ON t (lower(a))", []),
        ("CREATE INDEX i ON t (a)", []),
        ("ALTER TABLE t ADD UNIQUE (a), ADD PRIMARY KEY (b), ADD CONSTRAINT c UNIQUE (d)", ["t_a_key", "t_pkey"]),
        (
            "ALTER TABLE t ADD a bigserial UNIQUE, ADD b serial4 PRIMARY KEY",
            ["t_a_key", "t_a_seq", "t_pkey", "t_b_seq"],
        ),
        ("ALTER TABLE t ADD CHECK (a > 1)", []),
        ("ALTER TYPE t ADD VALUE 'a'", []),
        ("SELECT 1", []),
    ],
)
def test_relations_that_nobody_names(sql: str, made: list[str]) -> None:
    assert list(relations_made(parsed(sql))) == made


@pytest.mark.parametrize(
    ("sql", "twice"),
    [
        ("ALTER TABLE t DROP CONSTRAINT IF EXISTS c, ADD CONSTRAINT c CHECK (a > 1) NOT VALID", True),
        ("ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 1)", False),
        ("ALTER TABLE t DROP CONSTRAINT IF EXISTS d, ADD CONSTRAINT c CHECK (a > 1)", False),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", True),
        ("CREATE INDEX i ON t (a)", False),
    ],
)
def test_what_can_be_run_twice(sql: str, twice: bool) -> None:
    assert repeatable(parsed(sql)) is twice
