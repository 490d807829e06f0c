"""What the throw-away copy of a live database must know, beside the dump of its schema."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

_SERVER = """
SELECT current_database()::text AS database, current_user::text AS role,
       current_setting('server_version_num')::int / 10000 AS major,
       pg_encoding_to_char(encoding)::text AS encoding
FROM pg_database WHERE datname = current_database()
"""
_SCHEMA = """
SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(concat_ws('.', quote_ident(%s), quote_ident(%s)))
"""
# What the server's files set for all sessions; where messages go and what is loaded is the copy's own affair. What
# somebody has named himself, with a dot, may be a secret.
_SETTINGS = r"""
SELECT name, current_setting(name) FROM pg_settings
WHERE source IN ('configuration file', 'command line') AND context IN ('user', 'superuser')
  AND name !~ '\.|^(log_|debug_|trace_|track_|jit|dynamic_library|client_min|synchronous)|_preload_libraries$'
"""
# A dump of the schema leaves all of them without their rows, which refuses what a filled one allows.
_FILLED = """
SELECT format('%I.%I', schemaname, matviewname) FROM pg_matviews m
WHERE ispopulated ORDER BY to_regclass(format('%I.%I', schemaname, matviewname))::oid
"""
# How far its numbers have come is no row of anybody, and decides what may be altered of a sequence.
_SEQUENCES = """
SELECT format('SELECT pg_catalog.setval(%L, %s);', format('%I.%I', schemaname, sequencename), last_value)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


def look(connection: t.Any, options: str | None, schema: str | None, table: str) -> dict[str, t.Any]:
    """The fields of schema_copy.Live, but for the revisions.

    :param options: libpq's, of the URL
    :param schema: of the version table, as it is configured: without one it is the first of the search path
    :param table: the version table
    """
    names = ("database", "role", "major", "encoding")
    found = connection.execute(_SCHEMA, (schema, table)).fetchone()
    return dict(zip(names, connection.execute(_SERVER).fetchone(), strict=True)) | {
        "options": options,
        "version_table": [found[0] if found else None, table],
        "settings": dict(connection.execute(_SETTINGS).fetchall()),
        "filled": [row[0] for row in connection.execute(_FILLED).fetchall()],
        "positions": [row[0] for row in connection.execute(_SEQUENCES).fetchall()],
    }


__all__ = ("look",)
