"""Facts about all names of a database, for a file from which later requests are answered: see facts_asker.py.

The queries are those of the collector, each asked about a few relations or names at a time: so none of them comes near
its time-out, and what one cuts off at its limit is asked again in halves. No query about rows, statements, sessions or
locks is among them.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from . import live_facts, object_queries, relation_facts, right_facts, write_queries
from . import live_queries as queries
from .named_facts import add_sizes, busy_relations

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]
Attempt = t.Callable[..., "list[Row] | None"]

# Relations, or names, of one question.
AT_ONCE = 100
# Tables of the file by the query that fills them. Those about relations take `oids`, those about names `names`.
ABOUT_RELATIONS = {
    "columns": queries.COLUMNS,
    "descendants": queries.DESCENDANTS,
    "index_classes": write_queries.INDEX_CLASSES,
    "invalid_indexes": queries.INVALID,
    "parts": object_queries.PARTS,
    "published": queries.PUBLISHED,
    "relation_rights": right_facts.RELATIONS,
    "default_rights": right_facts.DEFAULTS,
    "triggers": write_queries.TRIGGERS,
    "uniques": write_queries.UNIQUES,
    "unpopulated": write_queries.UNPOPULATED,
    "uses": queries.USES,
}
# For these a lock may be in the way.
ABOUT_UNLOCKED_RELATIONS = {
    "attribute_counts": relation_facts.ATTRIBUTE_COUNTS,
    "bounds": relation_facts.BOUNDS,
    "inherited": relation_facts.INHERITED,
    "keys": relation_facts.KEYS,
    "row_security": relation_facts.ROW_SECURITY,
    "sequences": relation_facts.SEQUENCES,
}
ABOUT_NAMES = {
    "domain_uses": queries.DOMAIN_USES,
    "extensions": queries.EXTENSIONS,
    "function_uses": relation_facts.FUNCTIONS,
    "functions": queries.FUNCTIONS,
    "object_types": object_queries.TYPES,
    "role_rights": right_facts.ROLES,
    "routine_rights": right_facts.ROUTINES,
    "signatures": write_queries.SIGNATURES,
    "type_rights": right_facts.TYPES,
    "closed_rights": right_facts.CLOSED,
    "types": queries.TYPES,
}
ABOUT_NOTHING = {
    "casts": object_queries.CASTS,
    "default_classes": write_queries.DEFAULT_CLASSES,
    "events": relation_facts.EVENTS,
    "places": right_facts.PLACES,
    "publications": relation_facts.PUBLICATIONS,
    "write_casts": write_queries.CASTS,
}
# Others' temporary tables are gone tomorrow, and nobody names TOAST tables.
RELATIONS = """
SELECT c.oid::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_(toast|temp_)' ORDER BY 1
"""
TYPE_OIDS = "SELECT oid::bigint FROM pg_type ORDER BY 1"
NAMES = {
    "extensions": "SELECT name::text FROM pg_available_extensions ORDER BY 1",
    "functions": "SELECT DISTINCT proname::text FROM pg_proc ORDER BY 1",
    "types": "SELECT DISTINCT typname::text FROM pg_type ORDER BY 1",
    # Each table brings two types, and of those that are no domain nobody reads what TYPES says.
    "domains": "SELECT DISTINCT typname::text FROM pg_type WHERE typtype = 'd' ORDER BY 1",
    "roles": "SELECT rolname::text FROM pg_roles ORDER BY 1",
    "schemas": "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp_)' ORDER BY 1",
    "classes": "SELECT DISTINCT opcname::text FROM pg_opclass ORDER BY 1",
    "collations": "SELECT DISTINCT collname::text FROM pg_collation ORDER BY 1",
    "languages": "SELECT lanname::text FROM pg_language ORDER BY 1",
    "tablespaces": "SELECT spcname::text FROM pg_tablespace ORDER BY 1",
}
_NAMES_OF = {
    "closed_rights": "schemas", "domain_uses": "domains",
    "extensions": "extensions", "function_uses": "functions", "functions": "functions", "object_types": "types",
    "role_rights": "roles", "routine_rights": "functions", "signatures": "functions", "type_rights": "types",
    "types": "domains",
}  # fmt: skip
# How the session reads a name without a schema; to look into a closed schema is an error.
PLACE = """
SELECT current_database()::text AS database, current_schemas(true)::text[] AS search_path,
  ARRAY(SELECT nspname::text FROM pg_namespace WHERE NOT has_schema_privilege(oid, 'USAGE') ORDER BY 1)
    AS closed_schemas
"""


def collect(connection: psycopg.Connection, version_table: str, version_schema: str | None) -> dict[str, t.Any]:
    """Facts about the whole database: where names lead, the server, the version table, and `tables` of facts.

    :param version_table: Alembic's
    :param version_schema: None where the search path leads to it
    """
    ask, attempt = live_facts.asker(connection)
    version = live_facts.live_rows(connection, version_table, version_schema)
    version.pop("table", None)
    return {
        **ask(PLACE)[0],
        "server": live_facts.server_itself(connection),
        "version_table": {"name": version_table, "schema": version_schema, **version},
        "tables": _tables(ask, attempt),
    }


def _tables(ask: Ask, attempt: Attempt) -> dict[str, list[Row]]:
    def tried(query: str, **values: t.Any) -> list[Row]:
        return attempt(query, **values) or []

    oids = [row["oid"] for row in ask(RELATIONS)]
    names = {kind: [next(iter(row.values())) for row in ask(query)] for kind, query in NAMES.items()}
    found: dict[str, list[Row]] = {name: ask(query) for name, query in ABOUT_NOTHING.items()}
    found |= {name: [] for name in (*ABOUT_RELATIONS, *ABOUT_UNLOCKED_RELATIONS, "classes", "enums")}
    constraints: dict[int, Row] = {}
    enums: dict[str, Row] = {}
    for some in _parts(oids):
        classes = {row["oid"]: row for row in ask(queries.CLASSES, oids=some)}
        add_sizes(ask, tried, classes)
        found["classes"] += classes.values()
        for name, query in ABOUT_RELATIONS.items():
            found[name] += _whole(ask, query, "oids", some)
        for name, query in ABOUT_UNLOCKED_RELATIONS.items():
            found[name] += _unlocked(attempt, query, some)
        busy = busy_relations(ask, some)
        constraints |= {row["constraint_oid"]: row for row in ask(queries.CONSTRAINTS, oids=some, busy=busy)}
        for row in ask(write_queries.ENUMS, oids=some):
            labels = enums.setdefault(row["name"], {"name": row["name"], "labels": []})["labels"]
            labels += [label for label in row["labels"] if label not in labels]
    found["constraints"], found["enums"] = list(constraints.values()), list(enums.values())
    for name, query in ABOUT_NAMES.items():
        answers = (_whole(ask, query, "names", some) for some in _parts(names[_NAMES_OF[name]]))
        found[name] = [row for rows in answers for row in rows]
    kinds = ("roles", "schemas", "classes", "collations", "extensions", "languages", "tablespaces")
    found["named"] = ask(object_queries.NAMED, **{kind: names[kind] for kind in kinds})
    found["dependents"] = _dependents(ask, oids, [row["oid"] for row in ask(TYPE_OIDS)], names)
    return found


def _dependents(ask: Ask, relations: list[int], types: list[int], names: dict[str, list[str]]) -> list[Row]:
    about: dict[str, list[t.Any]] = {"relations": relations, "types": types}
    about |= {kind: names[kind] for kind in ("functions", "schemas", "extensions")}
    found: list[Row] = []
    for kind, all_of_kind in about.items():
        nothing: dict[str, t.Any] = {other: [] for other in about if other != kind}
        for some in _parts(all_of_kind):
            found += _whole(ask, object_queries.DEPENDENTS, kind, some, **nothing)
    return found


def _parts(items: t.Sequence[t.Any]) -> t.Iterator[list[t.Any]]:
    for begin in range(0, len(items), AT_ONCE):
        yield list(items[begin : begin + AT_ONCE])


def _unlocked(attempt: Attempt, query: str, oids: list[int]) -> list[Row]:
    """All rows but those of relations that somebody has locked: these keep the others from being read as well."""
    rows = attempt(query, oids=oids)
    if rows is not None and not _cut_off(query, rows):
        return rows
    if len(oids) == 1:
        return rows or []
    middle = len(oids) // 2
    return [row for half in (oids[:middle], oids[middle:]) for row in _unlocked(attempt, query, half)]


def _cut_off(query: str, rows: list[Row]) -> bool:
    limit = re.search(r"\bLIMIT (\d+)\s*$", query)
    return limit is not None and len(rows) >= int(limit.group(1))


def _whole(ask: Ask, query: str, argument: str, items: list[t.Any], **others: t.Any) -> list[Row]:
    """All rows, asked again in halves where the query's limit may have cut some off.

    What a single relation or name has beyond the limit, no request is told either.
    """
    rows = ask(query, **{argument: items}, **others)
    if not _cut_off(query, rows) or len(items) == 1:
        return rows
    middle = len(items) // 2
    halves = (_whole(ask, query, argument, half, **others) for half in (items[:middle], items[middle:]))
    return [row for half in halves for row in half]


__all__ = ("ABOUT_NAMES", "ABOUT_NOTHING", "ABOUT_RELATIONS", "ABOUT_UNLOCKED_RELATIONS", "collect")
