"""The text of a rewritten revision's file."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import textwrap
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.acceptance import MARK
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_batch import escaped

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_original import Original
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite_steps import Batch, Step

# chart/files/schema.py: SCHEMA_LOCK_TIMEOUT.
USUAL_LOCK_TIMEOUT: t.Final = "'2s'"
_WIDTH = 100
_NOTHING: t.Final = 'def downgrade() -> None:\n    """The first of these revisions undoes all of them."""\n'
# Alembic's own lines in a docstring, which are those of another revision now.
_HEADER = ("Revision ID:", "Revises:")


@dataclasses.dataclass(frozen=True)
class Session:
    """What the revision sets of its session.

    :param lock_timeout: the value to set, None where the session has one
    :param settings: others that the original sets: names and values as SQL has them
    :param one_transaction: env.py runs all revisions in one transaction
    """

    lock_timeout: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    one_transaction: bool = False


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a file stands among those that replace a revision.

    :param ids: of all of them in order; the last one is the original's
    :param number: of this one, from 0
    :param original_file: the name of the original's file
    :param down: down_revision, as Python has it; depends and labels likewise
    :param cures: ids of findings
    """

    ids: t.Sequence[str]
    number: int
    original_file: str
    down: str
    depends: str
    labels: str
    cures: t.Sequence[str]


def text(steps: t.Sequence[Step], place: Place, original: Original, session: Session) -> str:
    """The whole file."""
    first, last = place.number == 0, place.number == len(place.ids) - 1
    body = _upgrade(steps, session)
    names = original.names if first else frozenset()
    alembic = sorted({"op"} | ({"context"} if steps[0].batch else set()) - names)
    alembic = [name for name in alembic if name not in names]
    imports = original.imports if first else ""
    if alembic:
        imports = f"from alembic import {', '.join(alembic)}\n" + imports
    if steps[0].batch and "sa" not in names:
        imports = "import sqlalchemy as sa\n" + imports
    down = place.down if first else quoted(place.ids[place.number - 1])
    identifiers = [
        f"revision = {quoted(place.ids[place.number])}",
        f"down_revision = {down}",
        f"branch_labels = {place.labels if last else 'None'}",
        f"depends_on = {place.depends if first else 'None'}",
    ]
    blocks = [_docstring(steps, place, original.doc)]
    blocks += [(original.future if first else "") + imports, "\n".join(identifiers) + "\n"]
    parts = ["\n".join(blocks)]
    if first and original.helpers:
        parts.append(original.helpers)
    parts.append("\n".join(["def upgrade() -> None:", *body]) + "\n")
    if original.downgrade:
        parts.append(original.downgrade if first else _NOTHING)
    return "\n\n".join(parts)


def _docstring(steps: t.Sequence[Step], place: Place, doc: str) -> str:
    title, *more = [line for line in doc.strip().splitlines() if not line.startswith(_HEADER)] or [place.ids[-1]]
    words = [title, ""]
    which = "" if len(place.ids) == 1 else f", {place.number + 1} of {len(place.ids)}"
    words.append(
        f"Rewritten by migration_preflight: it replaces {place.original_file} (revision {place.ids[-1]}){which}."
    )
    words += textwrap.wrap(
        f"The schema is the same at the end. Cured: {', '.join(place.cures)}.", _WIDTH, break_on_hyphens=False
    )
    accepted = dict.fromkeys(pair for step in steps for pair in step.accepts)
    words += ["", *(f"{MARK} {finding}: {reason}" for finding, reason in accepted)] if accepted else []
    words += more
    said = "\n".join(words).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{said}\n"""\n'


def _upgrade(steps: t.Sequence[Step], session: Session) -> list[str]:
    if steps[0].batch:
        return _batches(steps[0], steps[0].batch)
    own = [step for step in steps if step.kind == "own"]
    rest = [step for step in steps if step.kind == "transaction"]
    lines = ["    with op.get_context().autocommit_block():", *_own(own, session)] if own else []
    if not own and session.one_transaction and any(step.long for step in rest):
        lines += [
            "    with op.get_context().autocommit_block():",
            "        pass  # The locks of the revisions before end here.",
        ]
    if rest and session.lock_timeout and any(step.locks for step in rest):
        lines += _execute(f"SET LOCAL lock_timeout = {session.lock_timeout}", 4)
    for name, value in session.settings if rest else ():
        lines += _execute(f"SET LOCAL {name} = {value}", 4)
    for step in rest:
        lines += _execute(step.sql, 4)
    return lines


def _own(steps: t.Sequence[Step], session: Session) -> list[str]:
    """Outside of a transaction SET holds until RESET, which brings back what the session began with."""
    lines: list[str] = []
    for name, value in session.settings:
        lines += _execute(f"SET {name} = {value}", 8)
    now: str | None = None
    for step in steps:
        wanted = "0" if step.waits else session.lock_timeout if step.locks else None
        if wanted != now:
            lines += _execute("RESET lock_timeout" if wanted is None else f"SET lock_timeout = {wanted}", 8)
            now = wanted
        lines += _execute(step.sql, 8)
    if now is not None:
        lines += _execute("RESET lock_timeout", 8)
    for name, _value in session.settings:
        lines += _execute(f"RESET {name}", 8)
    return lines


def _batches(step: Step, batch: Batch) -> list[str]:
    """Python reads the keys of each range; what it writes is told by --sql as one statement."""
    start = ", ".join(f'"start{number}": first[{number}]' for number in range(batch.columns))
    last = ", ".join(f'"last{number}": last[{number}]' for number in range(batch.columns))
    return [
        "    with op.get_context().autocommit_block():",
        "        if context.is_offline_mode():",
        *_execute(step.sql, 12),
        "            return",
        "        connection = op.get_bind()",
        *_assign("first_key", batch.first),
        *_assign("last_key", batch.last),
        *_assign("next_key", batch.following),
        *_assign("write", batch.write),
        "        first = connection.execute(first_key).first()",
        "        while first is not None:",
        f"            start = {{{start}}}",
        "            last = connection.execute(last_key, start).first()",
        "            if last is None:",
        "                break",
        f"            end = {{{last}}}",
        "            connection.execute(write, start | end)",
        "            first = connection.execute(next_key, end).first()",
    ]


def _execute(sql: str, indent: int) -> list[str]:
    return _call("op.execute", escaped(sql), indent)


def _assign(name: str, sql: str) -> list[str]:
    return _call(f"{name} = sa.text", sql, 8)


def _call(function: str, sql: str, indent: int) -> list[str]:
    """A call with one text, in lines that can be read."""
    space = " " * indent
    pieces = _pieces(sql)
    if len(pieces) == 1:
        return [f"{space}{function}({quoted(pieces[0])})"]
    return [f"{space}{function}(", *(f"{space}    {quoted(piece)}" for piece in pieces), f"{space})"]


def _pieces(sql: str) -> list[str]:
    """Cut behind spaces and line ends; joined they are the same."""
    pieces, piece = [], ""
    for word in sql.replace("\n", "\n\0").replace(" ", " \0").split("\0"):
        if piece and (len(piece) + len(word) > _WIDTH or piece.endswith("\n")):
            pieces.append(piece)
            piece = ""
        piece += word
    return [*pieces, piece]


def quoted(value: str) -> str:
    """A text of Python, which reads JSON's as its own where nothing but control characters is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    if value.count('"') > value.count("'"):
        inside = text[1:-1].replace('\\"', '"').replace("'", "\\'")
        return f"'{inside}'"
    return text


__all__ = ("USUAL_LOCK_TIMEOUT", "Place", "Session", "quoted", "text")
