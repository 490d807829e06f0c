"""Whether a condition of a DO block holds where the upgrade comes to it: pure functions over facts.

A condition that is not known is never taken for either. Names of one IF are looked for once, before its statements.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.conditions import Look
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType, ast
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.new_tables import NewTables
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import relation_name, walk

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_objects import ObjectJudge
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.conditions import Condition
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import TableFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import LookedRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

# A relation of this upgrade that is neither an index nor a view.
_TABLES: t.Final = frozenset("rp")


class BlockConditions:
    """Follows each statement of the upgrade, in order. `objects` is moved on by the caller."""

    def __init__(self, catalog: Catalog, objects: ObjectJudge, facts: TableFacts) -> None:
        self._catalog, self._objects = catalog, objects
        places = facts.get("places")
        rows = places.get("looked") if places else None
        # None: nobody was asked what other schemas hold.
        self._looked: dict[Name, LookedRow] | None = (
            None if rows is None else {(row["schema"], row["name"]): row for row in rows}
        )
        self._path = places.get("path") if places else None
        self._new = NewTables(catalog)
        # Constraints of tables of this upgrade, as far as it names them.
        self._constraints: dict[Name, set[str]] = {}
        # By id(), which the statements keep alive.
        self._decided: dict[int, bool | None] = {}

    def holds(self, condition: Condition) -> bool | None:
        """Whether it holds, None where that is not known. Asked again it says what it said first."""
        if id(condition) not in self._decided:
            self._decided[id(condition)] = self._value(condition)
        return self._decided[id(condition)]

    def _value(self, condition: Condition) -> bool | None:
        if isinstance(condition, Look):
            return self._found(condition)
        values = [self.holds(part) for part in condition.parts]
        if condition.operator == "not":
            return None if values[0] is None else not values[0]
        decides = condition.operator == "or"
        return decides if decides in values else None if None in values else not decides

    def _found(self, look: Look) -> bool | None:
        if look.kind == "type":
            return self._type(look)
        if look.kind == "label":
            return self._label(look)
        if look.kind in {"function", "extension", "role", "schema"}:
            return self._objects.named(look.kind, look.name)
        answers: list[bool | None] = []
        for full in self._relations(look):
            if look.kind == "relation":
                answers.append(self._relation(full, look))
            elif look.kind == "column":
                answers.append(_all(self._exists(full), self._shown(full, look), self._column(full, look.name)))
            else:
                answers.append(_all(self._exists(full), self._shown(full, look), self._constraint(full, look.name)))
        # What is found is found, whatever else there may be.
        return True if True in answers else None if None in answers or not self._complete(look) else False

    def _type(self, look: Look) -> bool | None:
        types = self._objects.types
        places = types.places(look.name)
        if look.scope == "all":
            return bool(places)
        if look.scope == "path":
            return types.there((None, look.name))
        return (look.schema or self._catalog.schema, look.name) in places

    def _label(self, look: Look) -> bool | None:
        """A value of an enum type. Several types of the name are more than a query for one oid takes."""
        types, name = self._objects.types, look.table or ""
        places = types.places(name)
        if look.scope == "path":
            first = types.meant((None, name))
            places = [first] if first else [] if types.there((None, name)) is False else [*places, *places]
        elif look.scope != "all":
            places = [full for full in places if full[0] == (look.schema or self._catalog.schema)]
        if not places:
            return None if look.wanted else False
        labels = types.known(places[0]).labels if len(places) == 1 else None
        return None if labels is None else look.name in labels

    def _complete(self, look: Look) -> bool:
        """Whether every schema in which it is looked for was looked into."""
        if self._looked is not None:
            return look.scope != "path" or self._path is not None
        # A column or an own constraint of a table that the upgrade names.
        return False

    def _relations(self, look: Look) -> list[Name]:
        """The relations in question: of the look's own name, or of its table's; of a constraint of any all."""
        known = [*(self._looked or ()), *self._catalog.created, *self._catalog.tables]
        name = look.name if look.kind == "relation" else look.table
        found = [full for full in dict.fromkeys(known) if name is None or full[1] == name]
        if look.scope == "one":
            return [full for full in found if full[0] == look.schema]
        if look.scope == "current":
            return [full for full in found if full[0] == self._catalog.schema]
        if look.scope == "path":
            first = self._catalog.qualified((None, name or ""))
            return [first] if first in found else []
        return found

    def _exists(self, full: Name) -> bool | None:
        if self._catalog.known(full):
            return True
        return full not in self._catalog.dropped and full in (self._looked or ())

    def _shown(self, full: Name, look: Look) -> bool | None:
        """Whether information_schema shows it to the role."""
        row = (self._looked or {}).get(full)
        return True if not look.privileged or row is None or row["shown"] else None

    def _relation(self, full: Name, look: Look) -> bool | None:
        there = _all(self._exists(full), self._shown(full, look))
        if there and look.kinds:
            there = self._is_kind(full, look.kinds)
        if there and look.table is not None:
            there = self._belongs(full, look.table)
        return there

    def _is_kind(self, full: Name, kinds: frozenset[str]) -> bool | None:
        known = self._catalog.tables.get(full)
        row = (self._looked or {}).get(full)
        if known or row:
            return (known.kind if known else row["kind"] if row else "") in kinds
        if full in self._catalog.views:
            return None if kinds & {"v", "m"} else False
        if full in self._catalog.indexes:
            return bool(kinds & {"i", "I"})
        return True if kinds >= _TABLES else None

    def _belongs(self, index: Name, table: str) -> bool | None:
        known, row = self._catalog.tables.get(index), (self._looked or {}).get(index)
        own = known.table if known else self._catalog.indexes.get(index)
        if own is not None:
            return own[1] == table
        return row["table"] == table if row else None

    def _column(self, full: Name, column: str) -> bool | None:
        new = self._new.of(full)
        if self._catalog.is_new(full):
            return column in new.columns if new else None
        known = self._catalog.tables.get(full)
        if known is not None and known.columns:
            return column in known.columns
        row = (self._looked or {}).get(full)
        return column in row["columns"] if row else None

    def _constraint(self, full: Name, name: str) -> bool | None:
        if self._catalog.is_new(full):
            if name in self._constraints.get(full, ()):
                return True
            # The server names what has no name after its table.
            return None if name.startswith(f"{full[1]}_") or self._new.of(full) is None else False
        known = self._catalog.tables.get(full)
        if known is not None and known.columns:
            named = self._objects.parts("constraint", known.name)
            return None if name not in named and self._objects.has_unnamed(known.name) else name in named
        row = (self._looked or {}).get(full)
        return name in row["constraints"] if row else None

    def after(self, node: t.Any) -> None:
        """Move on. Called before the catalogue is, so that names are those that the statement uses."""
        self._new.after(node)
        if isinstance(node, (ast.CreateStmt, ast.AlterTableStmt)) and node.relation is not None:
            full = self._catalog.qualified(relation_name(node.relation))
            names = {str(part.conname) for part in walk(node) if isinstance(part, ast.Constraint) and part.conname}
            self._constraints.setdefault(full, set()).update(names)
            for command in (node.cmds or ()) if isinstance(node, ast.AlterTableStmt) else ():
                if getattr(getattr(command, "subtype", None), "name", "") == "AT_DropConstraint":
                    self._constraints[full].discard(str(command.name))
        elif isinstance(node, ast.RenameStmt) and node.renameType == ObjectType.OBJECT_TABCONSTRAINT and node.relation:
            full = self._catalog.qualified(relation_name(t.cast("t.Any", node.relation)))
            self._constraints.setdefault(full, set()).discard(str(node.subname))
            self._constraints[full].add(str(node.newname))


def _all(*answers: bool | None) -> bool | None:
    return False if False in answers else None if None in answers else True


__all__ = ("BlockConditions",)
