"""What IF NOT EXISTS skips although it is another object: the revision is recorded as done, and nothing was made.

Pure functions over facts. Of an index that is invalid, or of another table, existing_objects.py speaks.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import (
    Finding,
    Severity,
    Where,
    finding,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql import type_changes
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ConstrType, ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.index_definitions import difference, parsed_index
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.sequences import altered
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog, Column, Table
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_relations import SequenceStateRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

# In what an object differs, and how much that weighs.
Differing = tuple[str, Severity]
_KEYS: t.Final = {ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE}
_FILLED: t.Final = {ConstrType.CONSTR_DEFAULT, ConstrType.CONSTR_IDENTITY, ConstrType.CONSTR_GENERATED}
_TABLES: t.Final = {"r", "p", "f"}
_FIELDS: t.Final = ("kind", "least", "most", "start", "increment", "cycles")


class SkippedJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, rules: TableRules, facts: DatabaseFacts) -> None:
        """:param rules: the caller updates them after this judge has seen a statement"""
        self._catalog, self._rules = catalog, rules
        places, sequences = facts.get("places"), facts.get("sequences")
        rows = places["indexes"] if places else []
        self._indexes: dict[Name, str] = {(row["schema"], row["name"]): row["definition"] for row in rows}
        states = sequences["sequences"] if sequences else []
        self._sequences: dict[Name, SequenceStateRow] = {(row["schema"], row["name"]): row for row in states}
        collations = places.get("collations", []) if places else []
        self._collations = {(row["schema"], row["name"]): row for row in collations}
        objects = places.get("statistics", []) if places else []
        self._statistics = {(row["schema"], row["name"]): row for row in objects}
        self._versions = {row["name"]: row["installed"] for row in facts["extensions"]}
        self._owners = {row["name"]: row["owner"] for row in facts["rights"]["objects"] if row["kind"] == "schema"}

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read, so that the catalogue is that before it.

        :param certain: no earlier opaque statement can have changed the objects
        """
        handler = self._HANDLERS.get(type(statement.node)) if self._rules.known else None
        found = []
        for label, differing in handler(self, statement.node) if handler else ():
            worst = [words for words, severity in differing if severity == "fail"]
            severity = "fail" if worst else differing[0][1] if differing else "info"
            if differing:
                listed = "; ".join(dict.fromkeys([*worst, *(words for words, _severity in differing)]))
                words = f"{label} exists already and is another: {listed}. IF NOT EXISTS skips it, and it stays so."
                found.append(finding("definition-differs", words, severity=severity if certain else "unknown", **where))
        return found

    def _table(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        name = relation_name(node.relation)
        table = self._there(name) if node.if_not_exists else None
        if table is None:
            return
        if table.kind not in _TABLES:
            yield dotted(table.name), [("it is no table", "fail")]
            return
        elements = node.tableElts or ()
        columns = [item for item in elements if isinstance(item, ast.ColumnDef)]
        differing = [words for item in columns for words in self._column(table, item)]
        keys = {tuple(key.sval for key in item.keys or ()) for item in elements
                if isinstance(item, ast.Constraint) and item.contype in _KEYS}  # fmt: skip
        differing += [words for key in keys for words in self._key(table, set(key))]
        # Of LIKE, INHERITS and PARTITION OF it is not read which columns they bring.
        if columns and not node.inhRelations and not any(isinstance(item, ast.TableLikeClause) for item in elements):
            wanted = {item.colname for item in columns}
            more = [key for key, column in table.columns.items() if key not in wanted and _refuses(column)]
            differing += [(f"its column {key} is NOT NULL without a default", "fail") for key in more]
            checked = any(
                item.contype == ConstrType.CONSTR_CHECK for element in elements for item in _constraints(element)
            )
            if not checked and any(item.kind == "c" for item in table.constraints):
                differing.append(("it has a check", "warn"))
        yield dotted(table.name), differing

    def _there(self, name: Name) -> Table | None:
        """What the server has in the place where something would be made."""
        full = (name[0] or self._catalog.schema, name[1])
        return None if self._catalog.is_new(full) else self._catalog.tables.get(full)

    def _column(self, table: Table, node: t.Any) -> t.Iterator[Differing]:
        name = node.colname
        column = table.columns.get(name)
        if column is None:
            if table.columns:
                yield f"it has no column {name}", "fail"
            return
        wanted, kinds = _wanted(node, self._catalog), {item.contype for item in node.constraints or ()}
        if wanted is not None and not _same_type(wanted, column):
            yield f"its column {name} is of the type {column.type}", "fail"
        serial = node.typeName is not None and node.typeName.names[-1].sval in type_changes.SERIAL
        needs = serial or bool({ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY} & kinds)
        if needs and not column.not_null:
            yield f"its column {name} is nullable", "warn"
        filled = column.has_default or bool(column.identity) or column.generated
        if (serial or _FILLED & kinds) and not filled:
            yield f"its column {name} has no default", "fail" if column.not_null else "warn"
        if (ConstrType.CONSTR_GENERATED in kinds) != column.generated:
            yield f"its column {name} is {'' if column.generated else 'not '}generated", "fail"
        if (ConstrType.CONSTR_IDENTITY in kinds) and not column.identity:
            yield f"its column {name} is no identity column", "warn"
        if _KEYS & kinds:
            yield from self._key(table, {name})
        if ConstrType.CONSTR_FOREIGN in kinds and not any(name in key.columns for key, _other in table.foreign_keys()):
            yield f"its column {name} has no foreign key", "warn"

    def _key(self, table: Table, columns: set[str]) -> t.Iterator[Differing]:
        plain = (key for key in self._rules.uniques.of(table) if key.valid and not key.partial)
        if not any(set(key.columns) == columns for key in plain):
            yield f"no unique key is on ({', '.join(sorted(columns))})", "fail"

    def _altered(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        table = self._catalog.table(relation_name(node.relation)) if node.objtype == ObjectType.OBJECT_TABLE else None
        for command in node.cmds or () if table else ():
            adds = command.subtype == Command.AT_AddColumn and command.missing_ok
            if table and adds and command.def_.colname in table.columns:
                yield f"{dotted(table.name)}.{command.def_.colname}", list(self._column(table, command.def_))

    def _index(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        table = self._catalog.table(relation_name(node.relation))
        name: Name = (table.name[0] if table else None, str(node.idxname or ""))
        definition = self._indexes.get(name) if node.if_not_exists else None
        index = self._catalog.tables.get(name)
        there = parsed_index(definition) if definition and index and index.valid else None
        if there is None or table is None or relation_name(there.relation)[1] != table.name[1]:
            return
        if node.unique and not there.unique:
            return
        if differs := difference(node, there):
            yield f"The index {dotted(name)}", [(differs[0], "fail" if differs[1] else "unknown")]

    def _sequence(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        there = self._there(relation_name(node.sequence)) if node.if_not_exists else None
        if there is None:
            return
        if there.kind != "S":
            yield dotted(there.name), [("it is no sequence", "fail")]
            return
        row = self._sequences.get(there.name)
        wanted, wrong = altered(None, node.options or ())
        if row and not wrong:
            fields: dict[str, t.Any] = {**row}
            other = [name for name in _FIELDS if fields[name] != getattr(wanted, name)]
            yield dotted(there.name), [(f"its {name} is {fields[name]}", "warn") for name in other]

    def _made_of_query(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        there = self._there(relation_name(node.into.rel)) if node.if_not_exists else None
        kind = "m" if node.objtype == ObjectType.OBJECT_MATVIEW else "r"
        if there is None:
            return
        if there.kind != kind:
            yield dotted(there.name), [(f"it is no {'materialized view' if kind == 'm' else 'plain table'}", "fail")]
        else:
            yield dotted(there.name), [("whether its query was the same is not known", "unknown")]

    def _schema(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        owner = self._owners.get(node.schemaname or "")
        role = node.authrole.rolename if node.authrole is not None else None
        if node.if_not_exists and owner is not None and role and role != owner:
            yield f"The schema {node.schemaname}", [(f"it belongs to {owner}", "warn")]

    def _collation(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        """Source: DefineCollation in src/backend/commands/collationcmds.c."""
        if node.kind != ObjectType.OBJECT_COLLATION or not node.if_not_exists:
            return
        name = qualified_name(node.defnames)
        there = self._collations.get((name[0] or self._catalog.schema, name[1]))
        if there is None:
            return
        given = {item.defname: _word(item.arg) for item in node.definition or ()}
        label = f"The collation {dotted(name)}"
        if "from" in given:
            yield label, [("whether it is a copy of the same is not known", "unknown")]
            return
        differing: list[Differing] = []
        if (given.get("deterministic") not in _NO) != there["deterministic"]:
            what = "" if there["deterministic"] else "not "
            differing.append((f"it is {what}deterministic, so that other texts are equal", "fail"))
        provider = _PROVIDERS.get(given.get("provider") or "libc")
        if provider and provider != there["provider"]:
            differing.append((f"its provider is {_PROVIDER_NAMES.get(there['provider'], there['provider'])}", "warn"))
        locale = given.get("locale") or given.get("lc_collate")
        if locale and there["locale"] and _plain(locale) != _plain(there["locale"]):
            differing.append((f"its locale is {there['locale']}", "warn"))
        yield label, differing

    def _statistics_object(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        # Without a name the server makes one of its own, which nothing has.
        if not node.defnames:
            return
        name = qualified_name(node.defnames)
        there = self._statistics.get((name[0] or self._catalog.schema, name[1]))
        if not node.if_not_exists or there is None or len(node.relations) != 1:
            return
        table = self._catalog.qualified(relation_name(node.relations[0]))
        columns = {item.name for item in node.exprs or () if item.name}
        computed = any(not item.name for item in node.exprs or ())
        differing: list[Differing] = []
        if table != (there["table_schema"], there["table"]):
            differing.append((f"they are of {dotted((there['table_schema'], there['table']))}", "warn"))
        elif columns != set(there["columns"]) or computed != there["computed"]:
            listed = ", ".join([*sorted(there["columns"]), *(["expressions"] if there["computed"] else [])])
            differing.append((f"they are on ({listed})", "warn"))
        yield f"The statistics {dotted(name)}", differing

    def _extension(self, node: t.Any) -> t.Iterator[tuple[str, list[Differing]]]:
        installed = self._versions.get(node.extname or "")
        wanted = next((option.arg for option in node.options or () if option.defname == "new_version"), None)
        if node.if_not_exists and installed and wanted is not None and wanted.sval != installed:
            yield f"The extension {node.extname}", [(f"its version is {installed}", "warn")]

    _HANDLERS: t.ClassVar[dict[type, t.Callable[[SkippedJudge, t.Any], t.Iterator[tuple[str, list[Differing]]]]]] = {
        ast.CreateStmt: _table,
        ast.AlterTableStmt: _altered,
        ast.IndexStmt: _index,
        ast.CreateSeqStmt: _sequence,
        ast.CreateTableAsStmt: _made_of_query,
        ast.DefineStmt: _collation,
        ast.CreateStatsStmt: _statistics_object,
        ast.CreateSchemaStmt: _schema,
        ast.CreateExtensionStmt: _extension,
    }


_NO: t.Final = {"false", "off", "0", "no"}
_PROVIDER_NAMES: t.Final = {"b": "builtin", "c": "libc", "i": "icu"}
_PROVIDERS: t.Final = {name: sign for sign, name in _PROVIDER_NAMES.items()}


def _word(node: t.Any) -> str | None:
    """The value of an option, however it was written."""
    if isinstance(node, ast.TypeName):
        return qualified_name(node.names or ())[1].lower()
    if isinstance(node, ast.Boolean):
        return str(bool(node.boolval)).lower()
    if isinstance(node, ast.Integer):
        return str(node.ival or 0)
    text = getattr(node, "sval", None)
    return text.lower() if isinstance(text, str) else None


def _plain(locale: str) -> str:
    """PostgreSQL writes an ICU locale as BCP 47 has it."""
    return locale.replace("_", "-").lower()


def _constraints(element: t.Any) -> t.Sequence[t.Any]:
    return [element] if isinstance(element, ast.Constraint) else getattr(element, "constraints", None) or ()


def _refuses(column: Column) -> bool:
    """Whether an INSERT that leaves the column out is refused."""
    return column.not_null and not (column.has_default or column.identity or column.generated)


@dataclasses.dataclass(frozen=True)
class _Type:
    name: str
    modifier: int | None


def _wanted(node: t.Any, catalog: Catalog) -> _Type | None:
    if node.typeName is None or node.typeName.pct_type:
        return None
    kind, modifier, array = type_changes.type_name(node.typeName)
    kind = type_changes.SERIAL.get(kind, kind)
    if domain := catalog.domains.get(kind):
        kind, modifier = domain[0], domain[1]
    return _Type(f"_{kind}" if array and not kind.startswith("_") else kind, None if array else modifier)


def _same_type(wanted: _Type, column: Column) -> bool:
    # bpchar without a length is char(1).
    modifier = 5 if wanted.name == "bpchar" and wanted.modifier == -1 else wanted.modifier
    return wanted.name == column.type and modifier in {None, column.modifier}


__all__ = ("SkippedJudge",)
