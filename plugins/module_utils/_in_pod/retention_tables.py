"""The declaration of tables whose rows grow old, held against the database's own catalogue.

One table stands for itself, the root. Each other one belongs to a parent by a foreign key of one column. What the
catalogue says otherwise is refused by name, before anything is deleted.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from . import retention_effects as effects
from .errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    import psycopg

Row = dict[str, t.Any]
_TIMES = ("timestamp with time zone", "timestamp without time zone", "date")


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of the declaration as the catalogue has it.

    :param key_type: as the server writes the type of its key
    :param path: names of the tables from the one below the root to this one; empty for the root
    :param parent: the name of its parent, empty for the root
    :param column: with the foreign key to its parent, empty for the root
    :param type_schemas: where the types of its key and of its parent's are
    """

    name: str
    schema: str
    relation: str
    oid: int
    key: str
    key_type: str
    time: str
    parent: str = ""
    column: str = ""
    path: tuple[str, ...] = ()
    type_schemas: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Tables:
    """The declaration, checked: the root first, each other table after its parent.

    :param unindexed: columns with a foreign key that no index begins with
    :param changes: columns elsewhere that a foreign key sets to null, or to their default
    :param triggers: of the database's owner, which run for each row that is deleted
    """

    all: tuple[Table, ...]
    family: effects.Family
    unindexed: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()

    @property
    def root(self) -> Table:
        return self.all[0]

    @property
    def children(self) -> tuple[Table, ...]:
        return self.all[1:]

    @property
    def acting(self) -> bool:
        """Whether the database does more than delete these rows."""
        return bool(self.changes or self.triggers)

    @property
    def type_schemas(self) -> tuple[str, ...]:
        """Where the operators of the keys' types are: extensions have theirs anywhere."""
        return tuple(sorted({schema for table in self.all for schema in table.type_schemas} - {"pg_catalog"}))

    def named(self, name: str) -> Table:
        return next(table for table in self.all if table.name == name)


def checked(connection: psycopg.Connection, declared: t.Sequence[Row]) -> Tables:
    """The declaration as the catalogue has it.

    :raises CollectorError: `retention-declaration` or `retention-privilege`: a sentence with what is otherwise
    """
    order = _ordered(declared)
    found: list[Table] = []
    for item in order:
        parent = next((table for table in found if table.name == item.get("parent")), None)
        table = _table(connection, item, parent)
        if table.oid in {other.oid for other in found}:
            raise _otherwise(f"{table.name} is declared twice")
        found.append(table)
    members = effects.family(connection, found)
    changes, triggers = effects.assert_no_more_goes(connection, found, members)
    return Tables(tuple(found), members, _unindexed(connection, members.oids), changes, triggers)


def _ordered(declared: t.Sequence[Row]) -> list[Row]:
    """The root first, each other table after its parent."""
    names = [str(item["table"]) for item in declared]
    roots = [item for item in declared if not item.get("parent")]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _otherwise(f"{twice} is declared twice")
    if len(roots) != 1:
        told = ", ".join(str(item["table"]) for item in roots) or "none"
        raise _otherwise(f"exactly one table has no parent; here it is {told}")
    order, left = roots[:], [item for item in declared if item.get("parent")]
    while left:
        placed = {item["table"] for item in order}
        ready = [item for item in left if item["parent"] in placed]
        if not ready:
            raise _otherwise(f"the parent of {left[0]['table']}, {left[0]['parent']}, is not declared above it")
        order += ready
        left = [item for item in left if item not in ready]
    return order


def _otherwise(words: str) -> CollectorError:
    return CollectorError("retention-declaration", f"The declaration of the tables does not fit: {words}.")


def _found(connection: psycopg.Connection, name: str) -> tuple[int, str, str]:
    """Oid, schema and name of a table from which this role may delete, and sees all rows."""
    # A dot may be part of either name.
    rows = connection.execute(
        """
        SELECT c.oid, n.nspname, c.relname, c.relkind::text,
               has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'DELETE')
                   AND has_any_column_privilege(c.oid, 'UPDATE'),
               row_security_active(c.oid),
               EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '4')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND (c.relname = %(name)s AND pg_table_is_visible(c.oid) OR n.nspname || '.' || c.relname = %(name)s)
        """,
        {"name": name},
    ).fetchall()
    if not rows:
        raise _otherwise(f"there is no table {name} that this role sees")
    if len(rows) > 1:
        raise _otherwise(f"{name} is the name of {len(rows)} tables, by where its dot is")
    [row] = rows
    oid, found_schema, found_relation, kind, allowed, secured, ruled = row
    if kind not in {"r", "p"}:
        raise _otherwise(f"{name} is no table")
    if ruled:
        raise _otherwise(f"{name} has a rule for DELETE, which may do something else")
    if not allowed:
        words = f"This role needs SELECT, UPDATE and DELETE on {name}; UPDATE is for the lock on a row"
        raise CollectorError("retention-privilege", f"{words}.")
    if secured:
        words = f"Row security hides rows of {name} from this role, so nobody could tell what belongs together"
        raise CollectorError("retention-privilege", f"{words}.")
    return oid, found_schema, found_relation


def _table(connection: psycopg.Connection, item: Row, parent: Table | None) -> Table:
    name = str(item["table"])
    oid, found_schema, found_relation = _found(connection, name)
    columns = _columns(connection, oid)
    key, time = str(item["key"]), str(item["time"])
    for column in (key, time):
        if column not in columns:
            raise _otherwise(f"{name} has no column {column}")
    if columns[time][1] not in _TIMES:
        raise _otherwise(f"{name}.{time} is of the type {columns[time][1]}, and not timestamptz, timestamp or date")
    if not columns[key][2] or not _is_unique(connection, oid, columns[key][0]):
        raise _otherwise(f"{name}.{key} is not unique and never null by itself")
    schema = columns[key][3]
    made = Table(name, found_schema, found_relation, oid, key, columns[key][1], time, type_schemas=(schema,))
    if parent is None:
        return made
    column = str(item.get("parent_column") or "")
    if column not in columns:
        raise _otherwise(f"{name} has no column {column or '(parent_column is not set)'}")
    parents_key = _columns(connection, parent.oid)[parent.key][0]
    if not _refers(connection, (oid, columns[column][0]), (parent.oid, parents_key)):
        raise _otherwise(f"{name}.{column} has no foreign key to {parent.name}.{parent.key}")
    schemas = (schema, columns[column][3])
    return dataclasses.replace(made, parent=parent.name, column=column, path=(*parent.path, name), type_schemas=schemas)


def _columns(connection: psycopg.Connection, oid: int) -> dict[str, tuple[int, str, bool, str]]:
    """Number, type, whether it is never null, and the schema of the type, by name.

    The type is that of any length: `character` alone is one character, and would cut off a key.
    """
    rows = connection.execute(
        """
        SELECT attname, attnum, format_type(atttypid, -1), attnotnull, n.nspname
        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid JOIN pg_namespace n ON n.oid = y.typnamespace
        WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped
        """,
        (oid,),
    )
    return {name: (number, kind, filled, schema) for name, number, kind, filled, schema in rows}


def _is_unique(connection: psycopg.Connection, oid: int, number: int) -> bool:
    row = connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM pg_index WHERE indrelid = %s AND indisunique AND indisvalid AND indimmediate
               AND indpred IS NULL AND indnkeyatts = 1 AND indkey[0] = %s)
        """,
        (oid, number),
    ).fetchone()
    return bool(row and row[0])


def _refers(connection: psycopg.Connection, child: tuple[int, int], parent: tuple[int, int]) -> bool:
    """Whether a foreign key of one column leads from one to the other, each as oid and number of the column."""
    row = connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM pg_constraint WHERE contype = 'f' AND conrelid = %s AND conkey = ARRAY[%s]::int2[]
               AND confrelid = %s AND confkey = ARRAY[%s]::int2[]
               AND coalesce((to_jsonb(pg_constraint) ->> 'conenforced')::bool, true))
        """,
        (*child, *parent),
    ).fetchone()
    return bool(row and row[0])


def _unindexed(connection: psycopg.Connection, oids: t.Sequence[int]) -> tuple[str, ...]:
    rows = connection.execute(
        """
        SELECT DISTINCT c.conrelid::regclass::text || '.' || a.attname
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.conparentid = 0 AND c.confrelid = ANY(%s) AND NOT EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = c.conkey[1])
        ORDER BY 1
        """,
        (list(oids),),
    )
    return tuple(name for (name,) in rows)


__all__ = ("Table", "Tables", "checked")
