"""The types of _sql/facts.py are what the collector's queries return on a server: columns and their types."""

from __future__ import annotations

import re
import types
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import (
    live_facts,
    live_queries,
    object_queries,
    write_queries,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import names

from tests.integration.preflight.conftest import CHOSEN, Servers
from tests.unit.plugins.module_utils._sql.test_facts import unlike

ROWS: dict[str, type] = {
    "SESSIONS": facts.SessionRow,
    "PREPARED": facts.PreparedRow,
    "ADVISORY": facts.AdvisoryRow,
    "REPLICAS": facts.ReplicaRow,
    "SLOTS": facts.SlotRow,
    "RESOLVE": facts.NameRow,
    "DESCENDANTS": facts.DescendantRow,
    "CLASSES": facts.ClassRow,
    "COLUMNS": facts.ColumnRow,
    "CONSTRAINTS": facts.ConstraintRow,
    "INVALID": facts.InvalidIndexRow,
    "LOCKS": facts.LockRow,
    "USES": facts.UseRow,
    "PUBLISHED": facts.PublishedRow,
    "FUNCTIONS": facts.FunctionRow,
    "TYPES": facts.TypeRow,
    "EXTENSIONS": facts.ExtensionRow,
    "SERVER": facts.ServerRow,
}
OBJECT_ROWS: dict[str, type] = {
    "PARTS": facts.PartRow,
    "TYPES": facts.ObjectTypeRow,
    "NAMED": facts.NamedRow,
    "CASTS": facts.CastRow,
    "DEPENDENTS": facts.DependentRow,
}
WRITE_ROWS: dict[str, type] = {
    "UNIQUES": facts.UniqueRow,
    "TRIGGERS": facts.TriggerRow,
    "CASTS": facts.CastRow,
    "ENUMS": facts.EnumRow,
    "DEFAULT_CLASSES": facts.DefaultClassRow,
    "SIGNATURES": facts.SignatureRow,
    "UNPOPULATED": facts.UnpopulatedRow,
}
# Columns that live_facts.py reads itself and hands on to nobody.
INSIDE = {"REFERRERS", "BUSY", "SIZES", "VERSION_WIDTH", "USER_TABLES"}
PYTHON = {
    **dict.fromkeys(("int2", "int4", "int8"), int),
    **dict.fromkeys(("text", "name"), str),
    "bool": bool,
    "float8": float,
    "json": dict,
}


def queries(module: types.ModuleType) -> dict[str, str]:
    return {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


def columns(connection: psycopg.Connection, query: str) -> dict[str, type]:
    """Column and Python's type of it, of a query without rows: one that is asked for nothing."""
    lists = (
        "oids",
        "busy",
        "schemas",
        "names",
        "relations",
        "types",
        "functions",
        "roles",
        "classes",
        "collations",
        "extensions",
    )
    values: dict[str, t.Any] = {name: [] for name in lists} | {"key": 0, "every": True, "version_table": "none"}
    asked = {name: values[name] for name in re.findall(r"%\((\w+)\)s", query)}
    description = connection.execute(query, asked or None).description or []
    found = {}
    for column in description:
        info = connection.adapters.types[column.type_code]
        found[column.name] = list if column.type_code == info.array_oid else PYTHON[info.name]
    return found


def bare(annotation: t.Any) -> type:
    """`list` of `list[str]`, `int` of `int | None`."""
    if isinstance(annotation, types.UnionType):
        (annotation,) = (part for part in t.get_args(annotation) if part is not type(None))
    found: type = t.get_origin(annotation) or annotation
    return found


def test_each_query_has_a_type() -> None:
    assert set(queries(live_queries)) == set(ROWS) | INSIDE
    assert set(queries(object_queries)) == set(OBJECT_ROWS)
    assert set(queries(write_queries)) == set(WRITE_ROWS)


@pytest.mark.parametrize("major", sorted({CHOSEN[0], CHOSEN[-1]}))
@pytest.mark.parametrize(
    ("name", "query", "row"),
    [
        *((name, queries(live_queries)[name], row) for name, row in ROWS.items()),
        *((name, queries(object_queries)[name], row) for name, row in OBJECT_ROWS.items()),
        *((name, queries(write_queries)[name], row) for name, row in WRITE_ROWS.items()),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
def test_a_row_has_the_columns_of_its_query(name: str, query: str, row: type, major: int, servers: Servers) -> None:
    expected = {key: bare(value) for key, value in t.get_type_hints(row).items()}
    # What live_facts.py takes away or adds.
    expected |= {"pid": int} if name == "SERVER" else {}
    if name == "CLASSES":
        del expected["total_bytes"]
    with servers(major).shared().transaction(force_rollback=True):
        assert columns(servers(major).shared(), query) == expected


@pytest.mark.parametrize("major", sorted({CHOSEN[0], CHOSEN[-1]}))
def test_the_answers_have_their_types(major: int, servers: Servers) -> None:
    connection = servers(major).shared()
    with connection.transaction(force_rollback=True):
        assert unlike(live_facts.server(connection, 0), facts.ServerFacts) == []
        collected = live_facts.collect(connection, names([]))
        # Other modules of _in_pod add answers of their own.
        known = {key: value for key, value in collected.items() if key in t.get_type_hints(facts.TableFacts)}
        assert unlike(known, facts.TableFacts) == []
        assert unlike(live_facts.live_rows(connection, "alembic_version", None), facts.VersionTable) == []
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        assert unlike(live_facts.live_rows(connection, "alembic_version", None), facts.VersionTable) == []
