"""Values whose column has no type, as `sa.table("t", sa.column("a"))` gives them to op.bulk_insert().

Online the driver sends such a value by what Python says of it. SQLAlchemy writes none into a text, so that --sql fails
with "No literal value renderer"; here it is written by the same type.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import datetime
import decimal
import typing as t
import uuid

# What a driver sends as the text that SQLAlchemy writes; of others, as dict, drivers differ.
_PLAIN: t.Final = (bool, int, float, decimal.Decimal, str, datetime.date, datetime.time, uuid.UUID)


@contextlib.contextmanager
def rendered() -> t.Iterator[None]:
    """In this block SQLAlchemy renders values without a type."""
    from sqlalchemy.sql import sqltypes

    resolve: t.Callable[[t.Any], t.Any] = sqltypes._resolve_value_to_type
    NullType: t.Any = sqltypes.NullType
    original = NullType.literal_processor

    def literal_processor(own: t.Any, dialect: t.Any) -> t.Any:
        refuse = original(own, dialect)

        def process(value: t.Any) -> t.Any:
            kind = resolve(value) if isinstance(value, _PLAIN) else own
            write = None if isinstance(kind, NullType) else kind._cached_literal_processor(dialect)
            return write(value) if write else refuse(value)

        return process

    NullType.literal_processor = literal_processor
    try:
        yield
    finally:
        NullType.literal_processor = original
