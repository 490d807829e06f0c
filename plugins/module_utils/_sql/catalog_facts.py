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
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import ConstraintRow, FunctionRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name

_UTC = {"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal", "Etc/Universal"}


def _proof(expression: str | None) -> frozenset[str]:
    if expression is None:
        return frozenset()
    try:
        statement: t.Any = parse_sql(f"SELECT {expression}")[0].stmt
    except ParseError:
        return frozenset()
    found: frozenset[str] = checked_not_null(statement.targetList[0].val)
    return found


def from_facts(facts: dict[str, t.Any], *, timezone: str, schema: str | None) -> Catalog:
    """The catalogue of what live_facts.collect found.

    :param timezone: the server's setting for the migrating role
    :param schema: where names without one are created
    """
    full: dict[int, Name] = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
    catalog = Catalog(complete=True, timezone_is_utc=timezone in _UTC, schema=schema or "public")
    columns: dict[int, dict[str, Column]] = {oid: {} for oid in full}
    for row in facts["columns"]:
        columns[row["oid"]][row["name"]] = Column(
            row["type"],
            row["modifier"],
            row["not_null"],
            row["indexed"],
            row.get("computed", False),
            has_default=bool(row.get("has_default") or row.get("domain_default")),
            identity=row.get("identity", ""),
            generated=bool(row.get("generated")),
        )
    constraints = _constraints(facts["constraints"], full)
    children: dict[int, list[Name]] = {oid: [] for oid in full}
    for row in facts["descendants"]:
        children[row["root"]].append(full[row["oid"]])
    uses: dict[int, list[Name]] = {}
    for row in facts["uses"]:
        uses.setdefault(row["oid"], []).append(full[row["used"]])
    for row in facts["classes"]:
        oid = row["oid"]
        catalog.tables[full[oid]] = Table(
            name=full[oid],
            kind=row["kind"],
            bytes=row["bytes"],
            total_bytes=row.get("total_bytes", row["bytes"]),
            rows=row["rows"],
            writes=row["writes"],
            reads=row["reads"],
            owner=row["owner"],
            may_alter=row["may_alter"],
            may_reference=row["may_reference"],
            columns=columns[oid],
            constraints=constraints.get(oid, []),
            children=tuple(children[oid]),
            partition_of=full.get(row["partition_of"]),
            default_partition=full.get(row["default_partition"]),
            uses=tuple(uses.get(oid, ())),
            persistence=row["persistence"],
            access_method=row["access_method"],
            tablespace=row["tablespace"],
            table=full.get(row["table_oid"]),
            valid=row["valid"],
            unique=row["unique"],
        )
    for row in facts["names"]:
        if row["oid"] and row["schema"] is None:
            catalog.resolved[None, row["name"]] = full[row["oid"]]
    _functions(facts["functions"], catalog)
    for row in facts["types"]:
        if row["kind"] == "d":
            catalog.domains[row["name"]] = (row["base"], row["modifier"], row["constrained"])
    return catalog


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
                not_null_of=_proof(row["expression"]),
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
    for row in rows:
        for name in ((None, row["name"]), (row["schema"], row["name"])):
            if row["schema"] != "pg_catalog":
                catalog.foreign.add(name)
            if catalog.volatility.get(name) != "v":
                catalog.volatility[name] = row["volatile"]


__all__ = ("from_facts",)
