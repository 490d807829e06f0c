"""Whether the server has an extension, may install it for this role, and has what it needs. Pure functions over facts.

Source: CreateExtensionInternal and ExecAlterExtensionStmt in src/backend/commands/extension.c.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, Where, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.refusal import refusal
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ast

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog import Catalog
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import (
        DatabaseFacts,
        ExtensionRow,
        ServerFacts,
    )
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement


class ExtensionJudge:
    """Judges each statement of the upgrade, in order."""

    def __init__(self, catalog: Catalog, facts: DatabaseFacts, server: ServerFacts) -> None:
        """:param facts: the answer of live_facts.collect"""
        self._catalog, self._server = catalog, server
        self._extensions = {row["name"]: row for row in facts["extensions"]}
        self._made: set[str] = set()

    def judge(self, statement: Statement, where: Where, *, certain: bool) -> list[Finding]:
        """Before the statement is read.

        :param certain: no earlier opaque statement can have made or dropped an extension
        """
        node: t.Any = statement.node
        if not isinstance(node, (ast.CreateExtensionStmt, ast.AlterExtensionStmt)) or not self._catalog.complete:
            return []
        name = str(node.extname)
        known = self._extensions.get(name)
        if known is None:
            # ALTER of an unknown extension is reported as object-missing.
            if not isinstance(node, ast.CreateExtensionStmt):
                return []
            return [finding("extension-unavailable", f"The server has no extension {name}.", **where)]
        skipped = isinstance(node, ast.CreateExtensionStmt) and node.if_not_exists and known["installed"] is not None
        found = [] if skipped else self._refused(node, known, where, certain=certain)
        if isinstance(node, ast.CreateExtensionStmt):
            self._made.add(name)
            found += self._right(known, where) if known["installed"] is None else []
        return found

    def _refused(self, node: t.Any, known: ExtensionRow, where: Where, *, certain: bool) -> list[Finding]:
        """A version that nobody wrote, or other extensions that are not installed."""
        options = {option.defname: option.arg for option in node.options or ()}
        found = []
        wanted = getattr(options.get("new_version"), "sval", None)
        if wanted and wanted not in known["versions"]:
            words = f"The server has no version {wanted} of the extension {known['name']}"
            found.append(refusal("definition-refused", words, where, sure=certain))
        lacks = [name for name in known["lacks"] if name not in self._made]
        if lacks and isinstance(node, ast.CreateExtensionStmt) and "cascade" not in options and not wanted:
            words = (
                f"The extension {known['name']} needs {', '.join(lacks)}, which is not installed, and this does not say"
                " CASCADE"
            )
            found.append(refusal("definition-refused", words, where, sure=certain))
        return found

    def _right(self, known: ExtensionRow, where: Where) -> list[Finding]:
        if self._server["superuser"]:
            return []
        allowed = not known["superuser"] or known["trusted"]
        if allowed and self._server["may_create_in_database"]:
            return []
        words = f"The role {self._server['role']} may not create the extension {known['name']}."
        return [finding("extension-privilege", words, **where)]


__all__ = ("ExtensionJudge",)
