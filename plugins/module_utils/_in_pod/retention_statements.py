"""The statements of a retention, composed of a declaration that the catalogue confirmed. Pure.

Each takes `keys`, keys of the root as texts, or walks the root in the order of its key.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from psycopg.sql import Composable, Composed

    from .retention_tables import Table, Tables


def _sql(text: str) -> t.Any:
    from psycopg import sql

    return sql.SQL(text)


def _name(*parts: str) -> t.Any:
    """A name as it stands in a statement with parameters, where the driver reads `%` as the beginning of one."""
    from psycopg import sql

    return sql.Identifier(*(part.replace("%", "%%") for part in parts))


def _type(name: str) -> t.Any:
    """A type as the server writes it."""
    return _sql(name.replace("%", "%%"))


def _keys(tables: Tables) -> Composable:
    """The parameter `keys` as an array of the root's key."""
    return t.cast("Composable", _sql("%(keys)s::text[]::{}[]").format(_type(tables.root.key_type)))


def _chain(tables: Tables, table: Table) -> tuple[Composable, Composable]:
    """Where rows of a table that is no root come from, as a list for FROM or USING without the table itself; and what
    ties them to each other. The table is `t0`, its parent `t1`, up to the one below the root.
    """
    path = [tables.named(name) for name in reversed(table.path)]
    others, ties = [], []
    for number, (below, above) in enumerate(itertools.pairwise(path)):
        alias = f"t{number + 1}"
        others.append(_sql("{} AS {}").format(_name(above.schema, above.relation), _name(alias)))
        pair = (_name(f"t{number}", below.column), _name(alias, above.key))
        ties.append(_sql("{} = {}").format(*pair))
    return _sql(", ").join(others), _sql(" AND ").join([*ties, _sql("true")])


def _root_of(tables: Tables, table: Table) -> Composable:
    """The column in which the key of the root stands, of the last link of the chain."""
    first = tables.named(table.path[0])
    return t.cast("Composable", _name(f"t{len(table.path) - 1}", first.column))


def _from(tables: Tables, table: Table) -> tuple[Composable, Composable]:
    others, ties = _chain(tables, table)
    own = _sql("{} AS t0").format(_name(table.schema, table.relation))
    return (_sql(", ").join([own, others]) if len(table.path) > 1 else own), ties


def newer(tables: Tables, key: Composable) -> Composed:
    """A condition: that something newer than `cutoff`, or of an unknown age, belongs to this key of the root."""
    parts = [_sql("false")]
    for table in tables.children:
        source, ties = _from(tables, table)
        time = _name("t0", table.time)
        words = "EXISTS (SELECT FROM {} WHERE {} AND {} = {} AND ({} IS NULL OR {} >= %(cutoff)s))"
        parts.append(_sql(words).format(source, ties, _root_of(tables, table), key, time, time))
    return t.cast("Composed", _sql("({})").format(_sql(" OR ").join(parts)))


def window(tables: Tables, *, begins: bool) -> Composed:
    """The next rows of the root: key as text, and whether it is old. Parameters: `after`, `window`, `cutoff`.

    :param begins: from the first one on, without `after`
    """
    root = tables.root
    key, time = _name("r", root.key), _name("r", root.time)
    after = _sql("%(after)s::text::{}").format(_type(root.key_type))
    where = _sql("") if begins else _sql("WHERE {} > {}").format(key, after)
    words = """
        WITH part AS MATERIALIZED (
            SELECT {key} AS key, {time} AS time FROM {root} AS r {where} ORDER BY {key} LIMIT %(window)s)
        SELECT part.key::text, part.time < %(cutoff)s AND NOT {newer} FROM part ORDER BY part.key
    """
    own = {"key": key, "time": time, "root": _name(root.schema, root.relation), "where": where}
    return t.cast("Composed", _sql(words).format(**own, newer=newer(tables, _name("part", "key"))))


def lock_roots(tables: Tables, *, aged: bool) -> Composed:
    """Lock rows of the root, and tell their keys; those that somebody else holds are left out.

    :param aged: only those that are older than `cutoff`
    """
    root = tables.root
    old = _sql("AND {} < %(cutoff)s").format(_name("r", root.time)) if aged else _sql("")
    words = "SELECT {key}::text FROM {root} AS r WHERE {key} = ANY({keys}) {old} ORDER BY {key} FOR UPDATE SKIP LOCKED"
    own = {"key": _name("r", root.key), "root": _name(root.schema, root.relation), "keys": _keys(tables), "old": old}
    return t.cast("Composed", _sql(words).format(**own))


def still_old(tables: Tables) -> Composed:
    """The locked keys to which no newer row belongs: the lock keeps others from adding one."""
    words = "SELECT part.key::text FROM unnest({keys}) AS part(key) WHERE NOT {newer}"
    return t.cast("Composed", _sql(words).format(keys=_keys(tables), newer=newer(tables, _name("part", "key"))))


def counted(tables: Tables, table: Table) -> Composed:
    """How many rows belong to each key."""
    source, ties = _from(tables, table)
    root = _root_of(tables, table)
    words = "SELECT {root}::text, count(*) FROM {source} WHERE {ties} AND {root} = ANY({keys}) GROUP BY 1"
    return t.cast("Composed", _sql(words).format(root=root, source=source, ties=ties, keys=_keys(tables)))


def lock_children(tables: Tables, table: Table) -> Composed:
    """Lock rows that belong to the keys; tell the keys, as they were given, of which somebody else holds a row.

    Whoever deletes one meanwhile holds it, so that counting it is right.
    """
    source, ties = _from(tables, table)
    root = _root_of(tables, table)
    words = """
        WITH mine AS (
            SELECT {root} AS key FROM {source} WHERE {ties} AND {root} = ANY({keys}) FOR UPDATE OF t0 SKIP LOCKED),
        there AS (SELECT {root} AS key FROM {source} WHERE {ties} AND {root} = ANY({keys}))
        SELECT given.word
        FROM (SELECT key, count(*) AS number FROM there GROUP BY key) AS counted
        LEFT JOIN (SELECT key, count(*) AS number FROM mine GROUP BY key) AS locked USING (key)
        JOIN unnest(%(keys)s::text[]) AS given(word) ON given.word::{type} = counted.key
        WHERE locked.number IS DISTINCT FROM counted.number
    """
    own = {"root": root, "source": source, "ties": ties, "keys": _keys(tables), "type": _type(tables.root.key_type)}
    return t.cast("Composed", _sql(words).format(**own))


def present(tables: Tables) -> Composed:
    """The keys that exist, as the server writes them."""
    root = tables.root
    words = "SELECT {key}::text FROM {root} AS r WHERE {key} = ANY({keys})"
    own = {"key": _name("r", root.key), "root": _name(root.schema, root.relation), "keys": _keys(tables)}
    return t.cast("Composed", _sql(words).format(**own))


def resolved(tables: Tables) -> Composed:
    """Each key as it was given, and as its row has it, or null: one value may have many texts, such as 1 and 1.0."""
    root = tables.root
    words = """
        SELECT given.word, r.{key}::text FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS given(word, place)
        LEFT JOIN {root} AS r ON r.{key} = given.word::{type} ORDER BY given.place
    """
    own = {"key": _name(root.key), "root": _name(root.schema, root.relation), "type": _type(root.key_type)}
    return t.cast("Composed", _sql(words).format(**own))


def delete(tables: Tables, table: Table) -> Composed:
    """Delete the rows that belong to the keys, or the roots themselves."""
    own = _name(table.schema, table.relation)
    if not table.path:
        words = "DELETE FROM {} AS t0 WHERE {} = ANY({})"
        return t.cast("Composed", _sql(words).format(own, _name("t0", table.key), _keys(tables)))
    others, ties = _chain(tables, table)
    using = _sql("USING {}").format(others) if len(table.path) > 1 else _sql("")
    words = "DELETE FROM {} AS t0 {} WHERE {} AND {} = ANY({})"
    made = _sql(words).format(own, using, ties, _root_of(tables, table), _keys(tables))
    return t.cast("Composed", made)


__all__ = ("counted", "delete", "lock_children", "lock_roots", "newer", "present", "resolved", "still_old", "window")
