"""The types of _sql/facts*.py are what the collector's queries return on a server: columns and their types."""

from __future__ import annotations

import dataclasses
import re
import types
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import (
    check_facts,
    immutable_facts,
    key_facts,
    live_facts,
    live_queries,
    object_queries,
    place_facts,
    relation_facts,
    right_facts,
    row_bounds,
    row_queries,
    row_tables,
    row_written,
    usage_facts,
    write_queries,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_rows import RowPolicy
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import (
    facts,
    facts_objects,
    facts_relations,
    facts_rights,
    facts_rows,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.conditions import Look
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_version import VersionTable, VersionTableRow
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_questions import row_questions

from tests.integration.preflight.conftest import CHOSEN, Servers
from tests.unit.plugins.module_utils._sql.claims import parsed
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
    "VERSION_TABLE": VersionTableRow,
    "DOMAIN_USES": facts_objects.DomainUseRow,
}
OBJECT_ROWS: dict[str, type] = {
    "PARTS": facts_objects.PartRow,
    "TYPES": facts_objects.ObjectTypeRow,
    "NAMED": facts_objects.NamedRow,
    "CASTS": facts_objects.CastRow,
    "DEPENDENTS": facts_objects.DependentRow,
}
RIGHT_ROWS: dict[str, type] = {
    "RELATIONS": facts_rights.RelationRightRow,
    "DEFAULTS": facts_rights.DefaultRightRow,
    **dict.fromkeys(("PLACES", "ROUTINES", "TYPES", "ROLES", "CLOSED"), facts_rights.ObjectRightRow),
}
WRITE_ROWS: dict[str, type] = {
    "UNIQUES": facts_objects.UniqueRow,
    "TRIGGERS": facts_objects.TriggerRow,
    "CASTS": facts_objects.CastRow,
    "ENUMS": facts_objects.EnumRow,
    "DEFAULT_CLASSES": facts_objects.DefaultClassRow,
    "INDEX_CLASSES": facts_objects.IndexClassRow,
    "SIGNATURES": facts_objects.SignatureRow,
    "UNPOPULATED": facts_objects.UnpopulatedRow,
}
USAGE_ROWS: dict[str, type] = {
    "VIEWS": facts_rows.UsedViewRow,
    "PARENTS": facts_rows.ParentRow,
    "OPAQUE_FUNCTIONS": facts_rows.OpaqueFunctionRow,
}
RELATION_ROWS: dict[str, type] = {
    "KEYS": facts_relations.PartitionKeyRow,
    "BOUNDS": facts_relations.BoundRow,
    "INHERITED": facts_relations.InheritedRow,
    "ATTRIBUTE_COUNTS": facts_relations.AttributeCountRow,
    "ROW_SECURITY": facts_relations.RowSecurityRow,
    "FUNCTIONS": facts_relations.FunctionUseRow,
    "SEQUENCES": facts_relations.SequenceRow,
    "EVENTS": facts_relations.EventTriggerRow,
    "PUBLICATIONS": facts_relations.PublicationRow,
}
PLACE_ROWS: dict[str, type] = {
    "HIDDEN": facts_objects.NamedRow,
    "OPERATOR_CLASSES": facts_objects.OperatorClassRow,
    "DOMAINS": facts_objects.DomainRow,
    "INDEXES": facts_objects.IndexDefinitionRow,
    "COLLATIONS": facts_objects.CollationRow,
    "STATISTICS": facts_objects.StatisticsObjectRow,
    "LOOKED": facts_objects.LookedRow,
}
# What the collector reads for itself and hands on to nobody.
INSIDE = {"REFERRERS", "BUSY", "SIZES", "VERSION_WIDTH", "USER_TABLES"}
INSIDE_ROWS = {
    "QUESTION_SETTINGS",
    "NOT_NULL",
    "LABELS",
    "TYPE_OF",
    "WIDTH",
    "PRIMARY",
    "COMPARABLE",
    "CONSTRAINT",
    "UNIQUE_INDEXES",
    "COLLATION",
    "DOMAIN_CONSTRAINT",
    "EXPRESSION",
}
# What is asked of the extension's own views is in test_evidence.py, which has it.
OF_EXTENSION = {"EXTENSION", "COUNTERS", "STATEMENTS"}
# By module: the types of its queries' rows, and the queries without one.
TYPES: dict[types.ModuleType, tuple[dict[str, type], set[str]]] = {
    live_queries: (ROWS, INSIDE),
    object_queries: (OBJECT_ROWS, set()),
    write_queries: (WRITE_ROWS, set()),
    relation_facts: (RELATION_ROWS, set()),
    place_facts: (PLACE_ROWS, {"ICU", "PATH"}),
    row_bounds: ({}, {"DEFAULT", "SIBLINGS"}),
    row_written: ({}, {"COLUMNS", "CHECKS", "DOMAINS", "PARTS", "BEFORE"}),
    row_queries: ({}, INSIDE_ROWS),
    row_tables: ({"STATISTICS": facts_rows.StatisticsRow}, {"TABLES", "WIDE"}),
    usage_facts: (USAGE_ROWS, OF_EXTENSION),
    right_facts: (RIGHT_ROWS, set()),
    key_facts: ({}, {"ORDER", "KEYS", "SEQUENCE"}),
    check_facts: ({}, {"CHECKS", "COLUMNS"}),
    immutable_facts: ({}, {"FOREIGN", "COLUMNS", "SETTINGS"}),
}
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
        "columns",
        "constraints",
        "words",
        "languages",
        "tablespaces",
    )
    values: dict[str, t.Any] = {name: [] for name in lists} | {"key": 0, "every": True, "version_table": "none"}
    values |= {"oid": 0, "inherited": False}
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
    assert {module: set(queries(module)) for module in TYPES} == {
        module: rows.keys() | inside for module, (rows, inside) in TYPES.items()
    }


@pytest.mark.parametrize("major", sorted({CHOSEN[0], CHOSEN[-1]}))
@pytest.mark.parametrize(
    ("name", "query", "row"),
    [
        (name, queries(module)[name].replace("LIMIT {most}", "LIMIT 1"), row)
        for module, (rows, _inside) in TYPES.items()
        for name, row in rows.items()
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
def test_a_row_has_the_columns_of_its_query(name: str, query: str, row: type, major: int, servers: Servers) -> None:
    expected = {key: bare(value) for key, value in t.get_type_hints(row).items()}
    # What the collector takes away or adds.
    expected |= {"pid": int} if name == "SERVER" else {}
    expected |= {"oid": int, "name": str, "width": int} if row is facts_rows.StatisticsRow else {}
    if name == "CLASSES":
        del expected["total_bytes"]
    with servers(major).shared().transaction(force_rollback=True):
        assert columns(servers(major).shared(), query) == expected


@pytest.mark.parametrize("major", sorted({CHOSEN[0], CHOSEN[-1]}))
def test_the_answers_have_their_types(major: int, servers: Servers) -> None:
    connection = servers(major).shared()
    with connection.transaction(force_rollback=True):
        assert unlike(live_facts.server(connection, 0), facts.ServerFacts) == []
        assert unlike(live_facts.collect(connection, facts_request([])), facts.DatabaseFacts) == []
        assert unlike(live_facts.live_rows(connection, "alembic_version", None), VersionTable) == []
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        assert unlike(live_facts.live_rows(connection, "alembic_version", None), VersionTable) == []


HELD = """
CREATE TABLE keeper (id int PRIMARY KEY);
CREATE TABLE held (id serial PRIMARY KEY, parent_id int REFERENCES keeper, word text);
INSERT INTO held VALUES (1, NULL, NULL), (2, NULL, 'x');
SELECT nextval('held_id_seq');
ANALYZE held;
CREATE TABLE split (day date NOT NULL, word text) PARTITION BY RANGE (day);
CREATE TABLE split_one PARTITION OF split FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE held ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT upper($1)';
CREATE INDEX loud ON held (shout(word));
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watched ON ddl_command_end WHEN TAG IN ('CREATE SERVER') EXECUTE FUNCTION watch();
"""
UPGRADE = (
    "INSERT INTO held VALUES (1, 7, 'y')",
    "SELECT missing FROM keeper",
    "ALTER TABLE held ALTER COLUMN word SET NOT NULL",
    "CREATE UNIQUE INDEX ON held (word)",
    "DROP TABLE held",
    "ALTER TABLE split_one ADD more int",
    "CREATE INDEX ON split (lower(word))",
    "CREATE OR REPLACE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)'",
    "SET work_mem = 'much'",
)


NUMBERED = (
    "SELECT setval('held_id_seq', 7)",
    "CREATE INDEX IF NOT EXISTS loud ON held (word text_pattern_ops)",
    "ALTER TABLE held ADD COLUMN number serial",
    "ALTER TABLE held ADD COLUMN mark marked",
    "CREATE INDEX ON held (hidden(word))",
    "CREATE COLLATION IF NOT EXISTS plain (locale = 'C')",
    "CREATE STATISTICS IF NOT EXISTS together ON id, word FROM held",
)
BESIDE = """
CREATE DOMAIN marked AS int NOT NULL;
CREATE COLLATION plain (locale = 'POSIX');
CREATE STATISTICS together ON parent_id, word FROM held;
CREATE SCHEMA away;
CREATE FUNCTION away.hidden(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE ROLE scribe;
GRANT INSERT ON held TO scribe;
"""


@pytest.mark.parametrize("major", sorted({CHOSEN[0], CHOSEN[-1]}))
def test_the_answers_about_sequences_and_places_have_their_types(major: int, servers: Servers) -> None:
    connection = servers(major).shared()
    with connection.transaction(force_rollback=True):
        connection.execute(HELD)
        connection.execute(BESIDE)
        found = [parsed(text, number=number) for number, text in enumerate(NUMBERED, 1)]
        found[0] = dataclasses.replace(found[0], condition=Look("column", "word", table="held"))
        answer = live_facts.collect(connection, facts_request(found))
    assert unlike(answer, facts.DatabaseFacts) == []
    assert [(row["name"], row["columns"]) for row in answer["places"]["looked"]] == [("held", ["word"])]
    # The servers from PyPI were built without ICU.
    places = {name: rows for name, rows in answer["places"].items() if name != "icu"}
    assert all(places.values()), places
    assert all(answer["sequences"].values()), answer["sequences"]


@pytest.mark.parametrize("major", sorted({CHOSEN[0], CHOSEN[-1]}))
def test_the_answers_about_rows_have_their_types(major: int, servers: Servers) -> None:
    connection = servers(major).shared()
    found = [parsed(text, number=number) for number, text in enumerate(UPGRADE, 1)]
    with connection.transaction(force_rollback=True):
        connection.execute(HELD)
        request = facts_request(found) | {"rows": RowPolicy().request(row_questions(found))}
        answer: t.Any = live_facts.collect(connection, request)
    assert unlike(answer, facts.DatabaseFacts) == []
    # Otherwise lists without a row were compared.
    assert [row["violated"] for row in answer["rows"] if row] == [True, False, False, False]
    assert answer["rows"][0]["statistics"].keys() == {"word"}
    keys = [(key["present_keys"], key["absent_parents"]) for key in answer["keys"]]
    assert keys == [(["held_pkey"], ["held_parent_id_fkey"])]
    assert [(row["number"], row["state"]) for row in answer["refusals"]] == [(2, "42703"), (9, "22023")]
    assert [(row["number"], row["immutable"]) for row in answer["immutable"]] == [(7, True)]
    relations = answer["relations"]
    # It takes 1,000 columns, which nobody needs here.
    assert [name for name, rows in relations.items() if not rows] == ["attribute_counts", "publications"]
    assert [(row["class"], row["label"]) for row in relations["functions"]] == [("pg_class", "index loud")]
    assert [row["last"] for row in relations["sequences"]] == [1]
