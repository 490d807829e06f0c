"""Whether the migrating role may do what a statement does, beside altering a table, which judge_lock.py looks at.

A right that the upgrade may have changed itself is unknown. From SET ROLE on all are: the facts are of another role.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.default_rights import DefaultRights
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import AlterTableType as Command
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import (
    GrantTargetType,
    ObjectType,
    RoleSpecType,
    ast,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.need import ANY_OF_SEQUENCE, EITHER, FOR_ROWS, Need
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.needed_rights import needed_rights
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.signatures import signature
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import (
    dotted,
    qualified_name,
    relation_name,
)

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts, ServerFacts
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_rights import ObjectRightRow
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Name, Statement
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.table_rules import TableRules

_CHANGES_RIGHTS: t.Final = (
    ast.GrantStmt, ast.GrantRoleStmt, ast.AlterOwnerStmt, ast.CreateRoleStmt, ast.AlterRoleStmt,
    ast.AlterDefaultPrivilegesStmt, ast.ReassignOwnedStmt,
)  # fmt: skip
_ALL_OF: t.Final = {"all tables": "table", "all sequences": "sequence", "all routines": "routine"}
_SEQUENCE_OF: t.Final = "sequence of "
_OF_SEQUENCE: t.Final = {"SELECT", EITHER, "UPDATE"}
_OF_TABLE: t.Final = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"}
# A sentence's end, and whether it is sure.
_Lack = tuple[str, bool]
# Findings of others about rights, which hold for the role that was asked.
ABOUT_RIGHTS: t.Final = frozenset({"privilege-missing", "extension-privilege"})
_ALL_TRIGGERS: t.Final = {Command.AT_DisableTrigAll, Command.AT_EnableTrigAll}


_SELF: t.Final = {
    RoleSpecType.ROLESPEC_CURRENT_USER, RoleSpecType.ROLESPEC_CURRENT_ROLE, RoleSpecType.ROLESPEC_SESSION_USER,
}  # fmt: skip


class PrivilegeJudge:
    """Says each thing once.

    `other_role`: the session runs as another role than the one whose rights are known.
    """

    def __init__(self, catalog: Catalog, tables: TableRules, facts: DatabaseFacts, server: ServerFacts) -> None:
        self.other_role = False
        self._catalog, self._tables, self._server, self._role = catalog, tables, server, server["role"]
        by_oid: dict[int, Name] = {row["oid"]: (row["schema"], row["name"]) for row in facts["classes"]}
        self._relations = {by_oid[row["oid"]]: row for row in facts["rights"]["relations"] if row["oid"] in by_oid}
        self._objects: dict[tuple[str, str], list[ObjectRightRow]] = {}
        for row in facts["rights"]["objects"]:
            self._objects.setdefault((row["kind"], row["name"]), []).append(row)
        self._defaults = DefaultRights(catalog, facts, by_oid, tables.order, self._role)
        self._made: set[str] = set()
        # Relations of which the upgrade takes rights from its own role, and schemas, as (None, schema).
        self._revoked: set[Name] = set()
        self._said: set[Need] = set()
        self._changed = False

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> t.Iterator[Finding]:
        """Called before the catalogue is updated."""
        node: t.Any = statement.node
        sure = certain and not self._changed
        needs = [] if self.other_role else [*needed_rights(node), *self._defaults.needs(node)]
        for need in needs:
            lack = self._lack(node, need) or self._taken_away(need)
            if lack is None or need in self._said:
                continue
            self._said.add(need)
            words, known = lack
            yield finding("privilege-missing", f"{words}.", severity=None if sure and known else "unknown", **where)
        if not self.other_role and self._meets_keys(node):
            words = f"The role {self._role} is no superuser, and triggers of foreign keys belong to the system"
            yield finding("privilege-missing", f"{words}.", severity=None if sure else "unknown", **where)
        yield from self._after(node, where)

    def _meets_keys(self, node: t.Any) -> bool:
        """DISABLE and ENABLE TRIGGER ALL of a table with a foreign key: EnableDisableTrigger in commands/trigger.c."""
        if not isinstance(node, ast.AlterTableStmt) or self._server["superuser"]:
            return False
        if not any(command.subtype in _ALL_TRIGGERS for command in t.cast("t.Any", node.cmds) or ()):
            return False
        return any(
            item.kind == "f" for item in self._catalog.constraints(relation_name(t.cast("t.Any", node.relation)))
        )

    def _after(self, node: t.Any, where: Where) -> t.Iterator[Finding]:
        self._defaults.after(node)
        if isinstance(node, ast.CreateFunctionStmt):
            self._made.add(qualified_name(node.funcname or ())[1])
        altered = node.cmds or () if isinstance(node, ast.AlterTableStmt) else ()
        self._changed |= isinstance(node, _CHANGES_RIGHTS)
        self._changed |= any(command.subtype == Command.AT_ChangeOwner for command in altered)
        taken = self._taken_from_itself(node) if isinstance(node, ast.GrantStmt) else set()
        if taken and node.is_grant:
            self._revoked -= taken
        elif taken:
            self._revoked |= taken
            words = f"Revokes rights from the role {self._role} itself, as which the running version may work."
            yield finding("contract-phase", words, severity="fail", **where)
        if not isinstance(node, ast.VariableSetStmt) or node.name not in {"role", "session_authorization"}:
            return
        named = [str(getattr(getattr(item, "val", None), "sval", "")) for item in t.cast("t.Any", node.args) or ()]
        others = [name for name in named if name not in {"", "none", "default", self._role}]
        before, self.other_role = self.other_role, bool(others)
        if others and not before:
            words = f"The role is {others[0]} from here on, whose rights were not asked"
            yield finding("privilege-missing", f"{words}.", severity="unknown", **where)

    def _taken_from_itself(self, node: t.Any) -> set[Name]:
        """Relations that were there before, and schemas, of which the role's own rights are granted or revoked."""
        if not any(item.rolename == self._role or item.roletype in _SELF for item in node.grantees or ()):
            return set()
        # pg_dump writes a REVOKE and a GRANT of the owner's rights behind each table that it makes.
        relations = {self._catalog.qualified(name) for name in _relations(node) if not self._catalog.is_new(name)}
        return relations | {(None, name) for name in _schemas(node) if name not in self._catalog.created_schemas}

    def _lack(self, node: t.Any, need: Need) -> _Lack | None:
        """Which right is missing, as a sentence without its end; None where none is."""
        of_kind = {
            "relation": self._of_relation,
            "schema": None if need.right == "grant" else self._of_schema,
            "schema of": self._of_schema,
            "database": self._of_database,
            "self": self._of_itself,
            "tablespace": self._of_tablespace,
            "role": self._of_role if need.right == "membership" else None,
            **dict.fromkeys(_ALL_OF, self._of_all),
        }.get(need.kind)
        if need.kind.startswith(_SEQUENCE_OF):
            return self._defaults.of_column(need)
        return of_kind(need) if of_kind else self._of_object(self._rows(node, need), need)

    def _taken_away(self, need: Need) -> _Lack | None:
        """A right on a relation from which the upgrade has revoked some; which are left is not followed."""
        if need.kind != "relation" or need.right in {"own", "grant"}:
            return None
        name = self._catalog.qualified(need.name)
        if not {(None, name[0]), name} & self._revoked:
            return None
        return f"Whether the role {self._role} still has {need.right} on {dotted(name)} after the REVOKE", False

    def _of_all(self, need: Need) -> _Lack | None:
        """GRANT and REVOKE … ON ALL … IN SCHEMA: refused by the first object on which the role has no right at all."""
        kind, schema = _ALL_OF[need.kind], need.name[1]
        rows = [row for (what, _name), rows in self._objects.items() if what == kind for row in rows]
        first = next((row for row in rows if row["schema"] == schema and self._is_closed(row)), None)
        if first is None:
            return None
        label = dotted((schema, first["name"]))
        return f"The role {self._role} may not grant rights on {label}, which belongs to {first['owner']}", True

    def _is_closed(self, row: ObjectRightRow) -> bool:
        """A relation that this upgrade drops, or gives away, is not met any more."""
        there = self._catalog.table((row["schema"], row["name"]))
        return not row["may_use"] and (row["kind"] == "routine" or there is None or there.owner == row["owner"])

    def _of_tablespace(self, need: Need) -> _Lack | None:
        rows = self._objects.get(("tablespace", need.name[1]), ())
        # The database's own needs no right to be in; granting it does.
        own = need.right == "place" and any(row["may_use"] for row in rows)
        if not rows or own or any(row["may_create"] or row["may_alter"] for row in rows):
            return None
        return f"The role {self._role} has no CREATE on the tablespace {need.name[1]}", True

    def _of_role(self, need: Need) -> _Lack | None:
        rows = self._objects.get(("membership", need.name[1]), ())
        if not rows or any(row["may_alter"] for row in rows):
            return None
        return f"The role {self._role} may not grant or revoke membership in {need.name[1]}", True

    def _of_itself(self, need: Need) -> _Lack | None:
        row = next((rows[0] for (kind, _name), rows in self._objects.items() if kind == "self"), None)
        if row is not None and need.right == "superuser or not":
            words = f"Whether the role {self._role} may grant the setting {need.name[1]} was not asked"
            return None if row["may_alter"] else (words, False)
        if row is None or row["may_alter" if need.right == "superuser" else "may_create"]:
            return None
        return f"The role {self._role} {'is no superuser' if need.right == 'superuser' else 'has no CREATEROLE'}", True

    def _of_object(self, rows: list[ObjectRightRow], need: Need) -> _Lack | None:
        """One of several may be meant: all must lack the right."""
        right = {"use": "may_use", "become": "may_use", "receive": "may_create"}.get(need.right, "may_alter")
        if need.right == "grant" and any(row["may_use"] or row["may_create"] for row in rows):
            # With some right, but not that of granting it, the server only warns, and grants nothing.
            return None
        if not rows or any(row[right] for row in rows):  # type: ignore[literal-required]
            return None
        schema, owner, label = rows[0]["schema"], rows[0]["owner"], dotted((rows[0]["schema"] or None, rows[0]["name"]))
        own_schema = any(row["may_alter"] for row in self._objects.get(("schema", schema), ()))
        if (need.right == "drop" and own_schema) or (need.right == "receive" and self._server["superuser"]):
            return None
        privilege = "EXECUTE" if need.kind == "routine" else "USAGE"
        where = f"the schema {self._server['schema']}"
        words = {
            "use": f"The role {self._role} has no {privilege} on {label}, which belongs to {owner}",
            "become": f"The role {self._role} is no member of {label}, or may not SET ROLE to it",
            "receive": f"The role {label} has no CREATE on {where}, so that nothing in it can be given to it",
            "administer": f"The role {self._role} may not change the role {label}",
            "grant": f"The role {self._role} may not grant rights on {label}, which belongs to {owner}",
        }.get(need.right, f"{label} belongs to {owner}, of which the role {self._role} is no member")
        return words, True

    def _rows(self, node: t.Any, need: Need) -> list[ObjectRightRow]:
        """The objects that may be meant; none where the upgrade made one, or where nobody else than the role is."""
        schema, name = need.name
        made = {"routine": self._made, "type": self._catalog.created_types}.get(need.kind, set())
        if name in made or (need.kind == "role" and name == self._role):
            return []
        rows = [row for row in self._objects.get((need.kind, name), ()) if schema in {None, row["schema"]}]
        if isinstance(node, ast.CreateFunctionStmt) and need.right == "own":
            new, place = signature(node), schema or self._server["schema"]
            same = (item for item in self._tables.routines.possible(name) if new and item.inputs == new.inputs)
            return [row for row in rows if row["schema"] == place] if any(x.schema == place for x in same) else []
        return rows

    def _of_relation(self, need: Need) -> _Lack | None:
        table = None if self._catalog.is_new(need.name) else self._catalog.table(need.name)
        row = self._relations.get(table.name) if table else None
        if table is None or (need.right in {"own", "grant"} and table.may_alter):
            return None
        label = dotted(table.name)
        lack: _Lack | None = None
        if need.right == "own":
            lack = f"{label} belongs to {table.owner}, of which the role {self._role} is no member", True
        elif row and need.right == "grant":
            # With some right, but not that of granting it, the server only warns, and grants nothing.
            words = f"The role {self._role} may not grant rights on {label}, which belongs to {table.owner}"
            every = _OF_SEQUENCE if table.kind == "S" else _OF_TABLE
            if set(row["lacks"]) >= every and (table.kind == "S" or not table.may_reference):
                lack = words, True
        elif row and need.right == ANY_OF_SEQUENCE and {"SELECT", EITHER} <= set(row["lacks"]):
            lack = (
                f"The role {self._role} has neither SELECT nor USAGE on {label}, which belongs to {table.owner}",
                True,
            )
        elif row and need.right == FOR_ROWS and EITHER in row["lacks"]:
            words = f"The role {self._role} has no USAGE on {label}, which belongs to {table.owner}"
            lack = f"{words}: where the table has rows this will fail", False
        elif row and need.right in row["lacks"]:
            right = need.right.replace(EITHER, "USAGE")
            lack = f"The role {self._role} has no {right} on {label}, which belongs to {table.owner}", True
        elif row and need.right in row["partly"]:
            lack = f"The role {self._role} has {need.right} on some columns of {label} only", False
        return lack

    def _of_schema(self, need: Need) -> _Lack | None:
        if need.kind == "schema of":
            if self._catalog.is_new(need.name) or self._catalog.table(need.name) is None:
                return None
            schema = self._catalog.qualified(need.name)[0]
        else:
            schema = need.name[1] or self._server["schema"]
        if schema in self._catalog.created_schemas:
            return None
        if schema == self._server["schema"]:
            may_create = self._server["may_create"]
        else:
            may_create = all(row["may_create"] for row in self._objects.get(("schema", schema or ""), ()))
        return (
            None if may_create else (f"The role {self._role} may not create in the schema {schema or '(none)'}", True)
        )

    def _of_database(self, need: Need) -> _Lack | None:
        if need.right == "create":
            words = f"The role {self._role} has no CREATE on the database"
            return None if self._server["may_create_in_database"] else (words, True)
        known = [rows[0] for (kind, _name), rows in self._objects.items() if kind == "database"]
        if not known or self._server["superuser"]:
            return None
        if known[0]["name"] != need.name[1]:
            return f"Whether the role {self._role} may change the database {need.name[1]} was not asked", False
        words = (
            f"The database {need.name[1]} belongs to {known[0]['owner']}, of which the role {self._role} is no member"
        )
        return None if known[0]["may_alter"] else (words, True)


def _relations(node: t.Any) -> t.Iterator[Name]:
    if node.targtype == GrantTargetType.ACL_TARGET_OBJECT:
        yield from (relation_name(item) for item in node.objects or () if isinstance(item, ast.RangeVar))


def _schemas(node: t.Any) -> t.Iterator[str]:
    if node.targtype == GrantTargetType.ACL_TARGET_ALL_IN_SCHEMA and node.objtype == ObjectType.OBJECT_TABLE:
        yield from (str(item.sval) for item in node.objects or ())


__all__ = ("ABOUT_RIGHTS", "PrivilegeJudge")
