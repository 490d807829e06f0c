"""Facts about the names in a request, of whoever answers the catalogue's queries: a server, or the file it wrote.

Which relations belong to a name, and what of them is looked at, is the same for both.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from . import live_queries as queries
from . import object_facts, relation_facts, right_facts, write_facts

Row = dict[str, t.Any]
Ask = t.Callable[..., list[Row]]


def collect(ask: Ask, tried: Ask, request: Row) -> tuple[dict[str, t.Any], list[Row]]:
    """The facts, and the names of `request` with the relations they lead to.

    :param ask: answers a query with named values
    :param tried: the same, with no row where a lock is in the way
    :param request: as _sql/questions.py makes it
    """
    asked = request["tables"]
    resolved = ask(queries.RESOLVE, schemas=[item[0] for item in asked], names=[item[1] for item in asked])
    descendants = ask(queries.DESCENDANTS, oids=[row["oid"] for row in resolved if row["oid"]])
    wanted = {row["oid"] for row in resolved if row["oid"]} | {row["oid"] for row in descendants}
    wanted |= _referrers(ask, request, resolved)
    domains = request.get("domains")
    uses_of_domains = ask(queries.DOMAIN_USES, names=domains) if domains else []
    wanted |= {row["oid"] for row in uses_of_domains}
    classes, constraints, uses = _relations(ask, wanted)
    every = sorted(classes)
    add_sizes(ask, tried, classes)
    facts = {
        "names": resolved,
        "classes": list(classes.values()),
        "descendants": [row for row in descendants if {row["root"], row["oid"]} <= classes.keys()],
        "columns": ask(queries.COLUMNS, oids=every),
        "constraints": [row for row in constraints if row["oid"] in classes],
        "uses": [row for row in uses if {row["oid"], row["used"]} <= classes.keys()],
        "invalid_indexes": ask(queries.INVALID, oids=every),
        "locks": ask(queries.LOCKS, oids=every),
        # What is not published yet is asked of where the upgrade publishes.
        "published": [
            row
            for row in ask(queries.PUBLISHED, oids=every)
            if row["publications"] or row["listed"] or request.get("publishes")
        ],
        "functions": ask(queries.FUNCTIONS, names=request["functions"]),
        "types": ask(queries.TYPES, names=request["types"]),
        "domain_uses": uses_of_domains,
        "extensions": ask(queries.EXTENSIONS, names=request["extensions"]),
        "relations": relation_facts.collect(tried, request.get("created_functions", []), every),
        "objects": object_facts.collect(ask, request["objects"], resolved, every),
        "rights": right_facts.collect(ask, request.get("rights", {}), every),
        "writes": write_facts.collect(ask, request["functions"], every),
    }
    return facts, resolved


def _relations(ask: Ask, wanted: set[int]) -> tuple[dict[int, Row], list[Row], list[Row]]:
    """Relations by their oid with what a statement about them locks as well, their constraints, and what views read.

    Statements lock what foreign keys, partitions and indexes lead to; two steps reach all of it.
    """
    classes: dict[int, Row] = {}
    constraints: dict[int, Row] = {}
    uses: list[Row] = []
    for step in range(3):
        oids = sorted(wanted - classes.keys())
        if not oids:
            break
        found = ask(queries.CLASSES, oids=oids)
        classes |= {row["oid"]: row for row in found}
        wanted |= {row[key] for row in found for key in ("table_oid", "partition_of", "default_partition") if row[key]}
        if step == 0:
            busy = busy_relations(ask, oids)
            uses = _uses(ask, oids)
            wanted |= {row["used"] for row in uses}
            # An index may belong to a constraint of its table.
            about = oids + [row["table_oid"] for row in found if row["table_oid"]]
            constraints = {row["constraint_oid"]: row for row in ask(queries.CONSTRAINTS, oids=about, busy=busy)}
            wanted |= {row[key] for row in constraints.values() for key in ("oid", "other_oid") if row[key]}
    return classes, list(constraints.values()), uses


def _uses(ask: Ask, oids: list[int]) -> list[Row]:
    """What views read, and what the views among that read."""
    found: list[Row] = []
    todo, seen = set(oids), set(oids)
    while todo:
        more = ask(queries.USES, oids=sorted(todo))
        found += more
        todo = {row["used"] for row in more} - seen
        seen |= todo
    return found


def _referrers(ask: Ask, request: Row, resolved: list[Row]) -> set[int]:
    """Tables that statements reach over foreign keys, as far as these lead; through views, too."""
    oids = {(row["schema"], row["name"]): row["oid"] for row in resolved if row["oid"]}
    found: set[int] = set()
    for kind in ("truncated_tables", "deletion_tables"):
        named = {oids[name] for item in request.get(kind, ()) if (name := tuple(item)) in oids}
        if named:
            named |= {row["used"] for row in _uses(ask, sorted(named))}
            rows = ask(queries.REFERRERS, oids=sorted(named), every=kind == "truncated_tables")
            found |= {row["oid"] for row in rows}
    return found


def busy_relations(ask: Ask, oids: list[int]) -> list[int]:
    """Oids that somebody holds or awaits in ACCESS EXCLUSIVE: reading their size would wait."""
    return [row["oid"] for row in ask(queries.BUSY, oids=oids)]


def add_sizes(ask: Ask, tried: Ask, classes: dict[int, Row]) -> None:
    """Sizes from the files; the catalogue's own, as of the last VACUUM, where that would have to wait for a lock."""
    busy = set(busy_relations(ask, list(classes)))
    for row in tried(queries.SIZES, oids=[oid for oid in classes if oid not in busy]):
        # A table that was dropped since has none.
        if row["bytes"] is not None:
            classes[row["oid"]] |= row


__all__ = ("add_sizes", "busy_relations", "collect")
