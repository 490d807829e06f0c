"""Revisions whose statements cannot be known before they run."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment

# Errors of SQLAlchemy's compiler, which writes a statement in the same way whoever takes it.
_FAILS_ONLINE: t.Final = re.compile(r"CompileError: Can't emit .* it has no name|a value is required for the parameter")


def not_static(segment: Segment) -> list[Finding]:
    """Why the statements of a revision are not those that it runs online; nothing where they are."""
    # That nothing was written follows from the error.
    asks = segment.inspects and not segment.inspects.endswith("wrote no SQL")
    if segment.error and not asks and _FAILS_ONLINE.search(segment.error):
        words = f"{segment.path}: SQLAlchemy refuses it, offline as online ({segment.error}): this will fail."
        return [finding("revision-not-rendered", words, severity="fail", revision=segment.revision)]
    if segment.error:
        words = f"{segment.path}: offline mode cannot render it ({segment.error}); what follows in it is not judged."
        return [finding("revision-not-rendered", words, revision=segment.revision)]
    if segment.inspects:
        words = (
            f"{segment.path}: what it runs is not known from here ({segment.inspects}); online it may run other SQL."
        )
        return [finding("revision-not-static", words, revision=segment.revision)]
    return []


__all__ = ("not_static",)
