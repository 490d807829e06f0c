"""Answers the collector's queries from a file of facts, as the server that wrote it would have answered.

So _in_pod/named_facts.py finds out what belongs to the names in a request in one way only, whoever answers.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import (
    live_queries,
    object_queries,
    whole_facts,
    write_queries,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.facts_file import FactsFile

Row = dict[str, t.Any]
# NAMEDATALEN without the zero at the end: the server cuts longer identifiers.
_IDENTIFIER_BYTES: t.Final = 63
_KINDS: t.Final = {
    "role": "roles", "schema": "schemas", "operator class": "classes", "collation": "collations",
    "language": "languages", "tablespace": "tablespaces", "extension": "extensions",
}  # fmt: skip
# Where the name that is asked for does not stand in `name`.
_NAMED_BY: t.Final = {"function_uses": "function", "closed_rights": "schema"}
# Actions of a foreign key by which a DELETE reaches further.
_REACHING: t.Final = frozenset({"c", "n", "d"})


class FactsAsker:
    """Called with a query of the collector and its values, it returns the rows."""

    def __init__(self, file: FactsFile) -> None:
        self._file, self._tables = file, file.tables
        self._answers: dict[str, t.Callable[..., list[Row]]] = {
            live_queries.BUSY: _nothing,
            live_queries.LOCKS: _nothing,
            live_queries.CLASSES: self._about("classes"),
            live_queries.SIZES: self._sizes,
            live_queries.RESOLVE: self._resolve,
            live_queries.REFERRERS: self._referrers,
            live_queries.CONSTRAINTS: self._constraints,
            live_queries.DESCENDANTS: self._about("descendants", "root"),
            object_queries.NAMED: self._named,
            object_queries.DEPENDENTS: self._dependents,
            write_queries.ENUMS: self._enums,
        }
        relations = whole_facts.ABOUT_RELATIONS | whole_facts.ABOUT_UNLOCKED_RELATIONS
        for name, query in relations.items():
            self._answers.setdefault(query, self._about(name))
        for name, query in whole_facts.ABOUT_NAMES.items():
            self._answers[query] = self._called(name, _NAMED_BY.get(name, "name"))
        for name, query in whole_facts.ABOUT_NOTHING.items():
            self._answers[query] = functools.partial(self._all, name)

    def __call__(self, query: str, **values: t.Any) -> list[Row]:
        # Who asked may change a row that it was given.
        return [row.copy() for row in self._answers[query](**values)]

    def _all(self, table: str) -> list[Row]:
        return self._tables[table]

    def _by(self, table: str, key: str) -> dict[t.Any, list[Row]]:
        found: dict[t.Any, list[Row]] = {}
        for row in self._tables[table]:
            found.setdefault(row[key], []).append(row)
        return found

    def _about(self, table: str, key: str = "oid") -> t.Callable[..., list[Row]]:
        index = functools.cache(functools.partial(self._by, table, key))
        return lambda *, oids: [row for oid in oids for row in index().get(oid, ())]

    def _called(self, table: str, key: str) -> t.Callable[..., list[Row]]:
        index = functools.cache(functools.partial(self._by, table, key))
        return lambda *, names: [row for name in dict.fromkeys(names) for row in index().get(name, ())]

    def _sizes(self, *, oids: list[int]) -> list[Row]:
        wanted = set(oids)
        return [
            {name: row[name] for name in ("oid", "bytes", "total_bytes")}
            for row in self._tables["classes"]
            if row["oid"] in wanted and "total_bytes" in row
        ]

    @functools.cached_property
    def _oids(self) -> dict[tuple[str, str], int]:
        return {(row["schema"], row["name"]): row["oid"] for row in self._tables["classes"]}

    def _resolve(self, *, schemas: list[str | None], names: list[str]) -> list[Row]:
        return [
            {"schema": schema, "name": name, "oid": self._oid(schema, name)}
            for schema, name in zip(schemas, names, strict=True)
        ]

    def _oid(self, schema: str | None, name: str) -> int | None:
        """To which relation a name leads.

        :raises FindingError: `privilege-missing`: the role that wrote the file may not look into the schema
        """
        name = _cut(name)
        if schema is None:
            found = (self._oids.get((place, name)) for place in self._file.search_path)
            return next((oid for oid in found if oid is not None), None)
        if _cut(schema) in self._file.closed_schemas:
            words = f"The role {self._file.server['role']}, which wrote the file of facts, may not read the schema"
            raise FindingError("privilege-missing", f"{words} {schema}; have the migrating role write it.")
        return self._oids.get((_cut(schema), name))

    @functools.cached_property
    def _own_constraints(self) -> dict[int, list[Row]]:
        return self._by("constraints", "oid")

    @functools.cached_property
    def _keys(self) -> dict[int, list[Row]]:
        """Foreign keys by the table that they refer to."""
        found: dict[int, list[Row]] = {}
        for row in self._tables["constraints"]:
            if row["kind"] == "f":
                found.setdefault(row["other_oid"], []).append(row)
        return found

    def _referrers(self, *, oids: list[int], every: bool) -> list[Row]:
        reached, todo = set(oids), list(oids)
        while todo:
            for row in self._keys.get(todo.pop(), ()):
                if (every or row["on_delete"] in _REACHING) and row["oid"] not in reached:
                    reached.add(row["oid"])
                    todo.append(row["oid"])
        return [{"oid": oid} for oid in sorted(reached)]

    def _constraints(self, *, oids: list[int], busy: list[int]) -> list[Row]:
        del busy
        rows = [row for oid in oids for row in (*self._own_constraints.get(oid, ()), *self._keys.get(oid, ()))]
        return list({row["constraint_oid"]: row for row in rows}.values())

    def _named(self, **names: list[str]) -> list[Row]:
        wanted = {kind: set(names[argument]) for kind, argument in _KINDS.items()}
        return [row for row in self._tables["named"] if row["name"] in wanted.get(row["kind"], {row["name"]})]

    def _dependents(self, **asked: list[t.Any]) -> list[Row]:
        wanted = {kind: set(asked[f"{kind}s"]) for kind in ("relation", "type", "function", "schema", "extension")}
        by_oid = {"relation", "type"}
        return [
            row
            for row in self._tables["dependents"]
            if row["root" if row["kind"] in by_oid else "root_name"] in wanted.get(row["kind"], ())
        ]

    def _enums(self, *, oids: list[int]) -> list[Row]:
        """The file has them by name; a column of a domain counts as one of the domain's type."""
        wanted = set(oids)
        types = {row["type"] for row in self._tables["columns"] if row["oid"] in wanted}
        return [row for row in self._tables["enums"] if row["name"] in types]


def _nothing(**_values: t.Any) -> list[Row]:
    return []


def _cut(name: str) -> str:
    encoded = name.encode()
    return name if len(encoded) <= _IDENTIFIER_BYTES else encoded[:_IDENTIFIER_BYTES].decode(errors="ignore")


__all__ = ("FactsAsker",)
