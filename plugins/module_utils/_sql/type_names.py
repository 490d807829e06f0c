"""The types of a database by schema and name, as each statement of the upgrade leaves them, and which one a name means.

Of a schema that only this upgrade speaks of it is not known whether the search path leads there. Source:
LookupTypeName in src/backend/parser/parse_type.c, TypenameGetTypid in src/backend/catalog/namespace.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import ObjectTypeRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

# The schema of temporary objects, as a statement may write it: names of types are looked for there first.
TEMPORARY: t.Final = "pg_temp"
# pg_type.typcategory of an enum; of what this upgrade makes by CREATE TYPE … AS or CREATE DOMAIN it is not followed.
ENUM: t.Final = "E"


@dataclasses.dataclass
class KnownType:
    """A type.

    :param category: pg_type.typcategory, empty where it is not known
    :param own: it is neither a table's row nor an array
    :param labels: of an enum, else None
    """

    category: str = ""
    own: bool = True
    labels: list[str] | None = None


class TypeNames:
    """The types that a name can mean; the reader applies each statement of the upgrade in order."""

    def __init__(self, catalog: Catalog, rows: t.Iterable[ObjectTypeRow], path: t.Sequence[str] | None = None) -> None:
        """:param catalog: the tables, whose rows are types as well
        :param path: current_schemas(true), None where it is not known
        """
        self._catalog, self._path = catalog, path
        self._types: dict[Name, KnownType] = {}
        # What a name without a schema meant before the upgrade.
        self._meant: dict[str, Name] = {}
        self._on_path = {catalog.schema, "pg_catalog", TEMPORARY, *(path or ())}
        for row in rows:
            full = (row["schema"], row["name"])
            labels = list(row["labels"]) if row["category"] == ENUM else None
            self._types[full] = KnownType(row["category"], row["own"], labels)
            if row["visible"]:
                self._meant[row["name"]] = full
                self._on_path.add(row["schema"])
        # Where a name is found nowhere on the path, its schemas are not on it.
        self._off_path = {full[0] for full in self._types if full[1] not in self._meant} - self._on_path

    def places(self, name: str) -> list[Name]:
        """All types of that name, whatever their schema; a table's row is one as long as the table is there."""
        found = [full for full, known in self._types.items() if full[1] == name and (known.own or self._has_rows(full))]
        new = [full for full in self._catalog.created if full[1] == name]
        return list(dict.fromkeys([*found, *new]))

    def _has_rows(self, full: Name) -> bool:
        return full not in self._catalog.dropped or self._catalog.is_new(full)

    def there(self, name: Name) -> bool | None:
        """Whether the name leads to a type; None where that is not known."""
        places = self.places(name[1])
        if name[0] is not None:
            return name in places
        schemas = {full[0] for full in places}
        if schemas & self._on_path or any(full in self._catalog.temporary for full in places):
            return True
        if schemas & self._catalog.created_schemas or (self._path is None and schemas - self._off_path):
            return None
        return False

    def meant(self, name: Name) -> Name | None:
        """The type that a name leads to; None where there is none, or it is not known."""
        places = self.places(name[1])
        if name[0] is not None:
            return name if name in places else None
        temporary = [full for full in places if full in self._catalog.temporary or full[0] == TEMPORARY]
        if self._path is not None:
            in_order = (*temporary, *((place, name[1]) for place in self._path))
            return next((full for full in in_order if full in places), None)
        before = self._meant.get(name[1])
        first = [full for full in (*temporary, before, (self._catalog.schema, name[1])) if full in places]
        if first:
            return first[0]
        on_path = [full for full in places if full[0] in self._on_path]
        return on_path[0] if len(on_path) == 1 else None

    def hidden(self, name: Name) -> Name | None:
        """The type of that name that the row of a temporary table hides; None where none is hidden."""
        first = self.meant(name)
        if name[0] is not None or first is None or first not in self._catalog.temporary or self.known(first).labels:
            return None
        others = [full for full in self.places(name[1]) if full != first and self.known(full).own]
        return others[0] if others else None

    def known(self, full: Name) -> KnownType:
        """What is known of a type by its schema and name."""
        return self._types.get(full) or KnownType(own=full not in self._catalog.created)

    def made_at(self, name: Name) -> Name:
        """Where a type of this name is made."""
        return (name[0] or self._catalog.schema, name[1])

    def make(self, name: Name, node: t.Any) -> None:
        """A type of this name is there from now on.

        :param node: the statement that makes it
        """
        enum = isinstance(node, ast.CreateEnumStmt)
        labels = [str(value.sval) for value in t.cast("t.Any", node.vals) or ()] if enum else None
        self._types[self.made_at(name)] = KnownType(ENUM if enum else "", labels=labels)

    def drop(self, name: Name) -> KnownType | None:
        """The type that the name leads to is gone; it is returned."""
        full = self.meant(name)
        return self._types.pop(full, None) if full else None

    def move(self, name: Name, new: Name) -> None:
        """ALTER TYPE … RENAME TO, or SET SCHEMA.

        :param new: its schema may be None, which is the one it has
        """
        full = self.meant(name)
        if full and (known := self._types.pop(full, None)):
            self._types[new[0] or full[0], new[1]] = known


__all__ = ("ENUM", "KnownType", "TypeNames")
