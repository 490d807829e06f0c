"""What a function takes and returns, in pg_proc and in CREATE FUNCTION alike."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ObjectType
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import qualified_name

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_objects import SignatureRow

ROUTINES: t.Final = {ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE, ObjectType.OBJECT_ROUTINE}
_IN: t.Final = {"i", "b", "v"}
_OUT: t.Final = {"o", "b", "t"}


@dataclasses.dataclass(frozen=True)
class Signature:
    """A function or procedure.

    :param kind: pg_proc.prokind (f function, p procedure, a aggregate, w window)
    :param inputs: internal type names of what it takes, an array's with a `_` before it
    :param names: theirs, empty without one
    :param outputs: name and type of each OUT, INOUT and TABLE parameter
    :param defaults: how many of the inputs have one
    """

    schema: str | None
    name: str
    kind: str
    inputs: tuple[str, ...]
    names: tuple[str, ...]
    outputs: tuple[tuple[str, str], ...]
    returns: str
    returns_set: bool
    defaults: int

    @classmethod
    def of_row(cls, row: SignatureRow) -> t.Self:
        """From `signatures` of write_facts.collect."""
        types, modes = row["all_types"] or row["inputs"], row["modes"] or ["i"] * len(row["inputs"])
        names = row["names"] or [""] * len(types)
        every = list(zip(modes, names, types, strict=False))
        return cls(
            row["schema"], row["name"], row["kind"], tuple(row["inputs"]),
            tuple(name for mode, name, _kind in every if mode in _IN),
            tuple((name, kind) for mode, name, kind in every if mode in _OUT),
            row["returns"], row["returns_set"], row["defaults"],
        )  # fmt: skip

    def refuses(self, new: Signature) -> str | None:
        """Why CREATE OR REPLACE of `new`, which takes the same types, is refused, as the rest of a sentence."""
        if self.kind != new.kind:
            return "is of another kind: a function and a procedure cannot replace each other"
        if self.kind == "f":
            rows = self.returns == new.returns == "record"
            if (self.returns, self.returns_set) != (new.returns, new.returns_set):
                return "returns another type, which OR REPLACE cannot change; drop it first"
            if rows and self.outputs != new.outputs:
                return "returns other columns, which OR REPLACE cannot change; drop it first"
        for old_name, new_name in zip(self.names, new.names, strict=False):
            if old_name and old_name != new_name:
                return f"has a parameter {old_name}, whose name OR REPLACE cannot change; drop it first"
        if new.defaults < self.defaults:
            return "has more parameters with a default, which OR REPLACE cannot take away; drop it first"
        return None


def signature(node: t.Any) -> Signature | None:
    """The signature of a CREATE FUNCTION; None where a type is given as that of a column."""
    parameters = [
        (_mode(item.mode), item.name or "", internal_name(item.argType), item.defexpr) for item in node.parameters or ()
    ]
    types = [kind for _mode_, _name, kind, _default in parameters]
    returns = internal_name(node.returnType) if node.returnType is not None else ""
    if None in types or returns is None:
        return None
    outputs = tuple((name, str(kind)) for mode, name, kind, _default in parameters if mode in _OUT)
    table = any(mode == "t" for mode, *_rest in parameters)
    if table or not returns:
        returns = outputs[0][1] if len(outputs) == 1 else "record" if outputs else "void"
    schema, name = qualified_name(node.funcname)
    return Signature(
        schema, name, "p" if node.is_procedure else "f",
        tuple(str(kind) for mode, _name, kind, _default in parameters if mode in _IN),
        tuple(name for mode, name, _kind, _default in parameters if mode in _IN),
        outputs, returns, table or bool(node.returnType is not None and node.returnType.setof),
        sum(1 for *_rest, default in parameters if default is not None),
    )  # fmt: skip


def _mode(mode: t.Any) -> str:
    """FunctionParameterMode as pg_proc.proargmodes has it; `d` is IN, unwritten."""
    value = mode.value if hasattr(mode, "value") else mode
    letter = chr(value) if isinstance(value, int) else str(value)
    return "i" if letter == "d" else letter


def internal_name(node: t.Any) -> str | None:
    """A type as pg_type calls it, an array's with a `_` before it; None where it is that of a column."""
    if node.pct_type:
        return None
    name: str = qualified_name(node.names or ())[1]
    return f"_{name}" if node.arrayBounds else name


__all__ = ("ROUTINES", "Signature", "internal_name", "signature")
