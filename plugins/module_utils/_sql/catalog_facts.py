"""From the collector's rows to the catalogue that the rules read."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import (
    Catalog,
    Column,
    Constraint,
    Table,
    checked_not_null,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ParseError, parse_sql

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import (
        ClassRow,
        ColumnRow,
        ConstraintRow,
        FunctionRow,
        TableFacts,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import DomainUseRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

_UTC = {"utc", "gmt", "etc/utc", "etc/gmt", "zulu", "etc/zulu", "uct", "etc/uct", "universal", "etc/universal"}


def is_utc(timezone: str) -> bool:
    """Whether a time zone of that name, which PostgreSQL takes in any case, is UTC."""
    return timezone.lower() in _UTC


def proof(expression: str | None) -> frozenset[str]:
    """The columns that are not NULL where this expression of a check holds."""
    if expression is None:
        return frozenset()
    try:
        statement: t.Any = parse_sql(f"SELECT {expression}")[0].stmt
    except ParseError:
        return frozenset()
    found: frozenset[str] = checked_not_null(statement.targetList[0].val)
    return found


def from_facts(facts: TableFacts, *, timezone: str, schema: str | None) -> Catalog:
    """The catalogue of what live_facts.collect found.

    :param timezone: the server's setting for the migrating role
    :param schema: where names without one are created
    """
    full: dict[int, Name] = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
    catalog = Catalog(complete=True, timezone_is_utc=is_utc(timezone), schema=schema or "public")
    columns = _columns(facts["columns"], full)
    constraints = _constraints(facts["constraints"], full)
    children: dict[int, list[Name]] = {oid: [] for oid in full}
    for descendant in facts["descendants"]:
        children[descendant["root"]].append(full[descendant["oid"]])
    uses: dict[int, list[Name]] = {}
    for use in facts["uses"]:
        uses.setdefault(use["oid"], []).append(full[use["used"]])
    for row in facts["classes"]:
        table = _table(row, full)
        table.columns = columns[row["oid"]]
        table.constraints = constraints.get(row["oid"], [])
        table.children = tuple(children[row["oid"]])
        table.uses = tuple(uses.get(row["oid"], ()))
        catalog.tables[table.name] = table
    catalog.domain_uses_known = "domain_uses" in facts
    for row_of_domain in facts.get("domain_uses", ()):
        _domain_use(row_of_domain, catalog)
    for name in facts["names"]:
        if name["oid"] and name["schema"] is None:
            catalog.resolved[None, name["name"]] = full[name["oid"]]
    _functions(facts["functions"], catalog)
    for kind in facts["types"]:
        if kind["kind"] == "d" and kind["base"]:
            # Which of several a name means is not told: each may refuse what the others take.
            several = kind["name"] in catalog.domains and catalog.domains[kind["name"]][2]
            catalog.domains[kind["name"]] = (kind["base"], kind["modifier"], kind["constrained"] or several)
            if kind["filled"]:
                catalog.domains_with_default[kind["name"]] = kind["volatile"]
    return catalog


def _domain_use(row: DomainUseRow, catalog: Catalog) -> None:
    use = ((row["schema"], row["table"]), row["column"], row["inside"])
    catalog.domain_uses.setdefault((row["domain_schema"], row["name"]), []).append(use)
    if row["visible"]:
        catalog.domain_uses.setdefault((None, row["name"]), []).append(use)


def _columns(rows: list[ColumnRow], full: dict[int, Name]) -> dict[int, dict[str, Column]]:
    found: dict[int, dict[str, Column]] = {oid: {} for oid in full}
    for row in rows:
        found[row["oid"]][row["name"]] = Column(
            row["type"],
            row["modifier"],
            row["not_null"],
            row["indexed"],
            row["computed"],
            has_default=row["has_default"] or row["domain_default"],
            identity=row["identity"],
            generated=bool(row["generated"]),
        )
    return found


def _table(row: ClassRow, full: dict[int, Name]) -> Table:
    """The relation alone, without its columns, constraints, partitions and what it reads."""
    return Table(
        name=full[row["oid"]],
        kind=row["kind"],
        # VACUUM leaves -1 page to a partitioned table.
        bytes=max(row["bytes"], 0),
        total_bytes=max(row.get("total_bytes", row["bytes"]), 0),
        rows=row["rows"],
        writes=row["writes"],
        reads=row["reads"],
        owner=row["owner"],
        may_alter=row["may_alter"],
        may_reference=row["may_reference"],
        partition_of=full.get(row["partition_of"] or 0),
        default_partition=full.get(row["default_partition"] or 0),
        persistence=row["persistence"],
        access_method=row["access_method"],
        tablespace=row["tablespace"],
        table=full.get(row["table_oid"] or 0),
        valid=row["valid"],
        unique=row["unique"],
    )


def _constraints(rows: list[ConstraintRow], full: dict[int, Name]) -> dict[int, list[Constraint]]:
    found: dict[int, list[Constraint]] = {}
    for row in rows:
        own, other = row["oid"], row["other_oid"]
        actions: dict[str, t.Any] = {name: row.get(name) or "a" for name in ("on_delete", "on_update")}
        actions |= {name: bool(row.get(name)) for name in ("deferrable", "deferred")}
        found.setdefault(own, []).append(
            Constraint(
                row["name"],
                row["kind"],
                tuple(row["columns"]),
                row["validated"],
                full.get(other),
                not_null_of=proof(row["expression"]),
                **actions,
            )
        )
        if other and other != own and own in full:
            found.setdefault(other, []).append(
                Constraint(
                    row["name"], row["kind"], tuple(row["other_columns"]), row["validated"], full[own], False, **actions
                )
            )
    return found


def _functions(rows: list[FunctionRow], catalog: Catalog) -> None:
    others: dict[str, set[Name]] = {"aggregates": set(), "set_returning": set()}
    for row in rows:
        names: tuple[Name, Name] = ((None, row["name"]), (row["schema"], row["name"]))
        (catalog.aggregates if row["kind"] == "a" else others["aggregates"]).update(names)
        (catalog.set_returning if row["returns_set"] else others["set_returning"]).update(names)
        for name in names:
            if row["schema"] != "pg_catalog":
                catalog.user_functions.add(name)
            if catalog.volatility.get(name) != "v":
                catalog.volatility[name] = row["volatile"]
    catalog.aggregates -= others["aggregates"]
    catalog.set_returning -= others["set_returning"]


__all__ = ("from_facts", "is_utc", "proof")
