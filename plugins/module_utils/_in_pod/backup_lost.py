"""What a dump of one database lacks, recorded by name, so that the gap is known before a restore is needed.

Sources: the notes of pg_dump's documentation, and src/bin/pg_dump/pg_dump.c (selectDumpable*, getIndexes).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

MOST_NAMES: t.Final = 5
_MEMBER: t.Final = """EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{catalogue}'::regclass AND e.objid = o.oid
    AND e.deptype IN ('e', 'i'))"""
# Roles that own or use something in it; the first superuser is on every server.
_USED: t.Final = """
SELECT r.oid, r.rolname::text AS name FROM pg_roles r JOIN pg_database d ON d.datname = current_database()
WHERE r.oid <> 10 AND r.rolname !~ '^pg_' AND (r.oid = d.datdba OR EXISTS (
    SELECT FROM pg_shdepend s WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
    AND (s.dbid = d.oid OR s.classid = 'pg_database'::regclass AND s.objid = d.oid)))
"""
# What is left behind, with the question for its names. 16384: the first oid that is nobody's but a user's.
QUESTIONS: t.Final[dict[str, str]] = {
    "without subscriptions, which hold another server's login": """
        SELECT subname::text FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
        WHERE d.datname = current_database()""",
    "without replication slots": """
        SELECT slot_name::text FROM pg_replication_slots WHERE database = current_database() AND NOT temporary""",
    "without the places of tables and indexes (tablespaces)": """
        SELECT DISTINCT s.spcname::text FROM pg_tablespace s WHERE s.spcname !~ '^pg_' AND s.oid IN (
            SELECT reltablespace FROM pg_class UNION SELECT dattablespace FROM pg_database
            WHERE datname = current_database())""",
    "without what somebody made in PostgreSQL's own schemas": f"""
        SELECT format('%I.%I', n.nspname, o.relname) FROM pg_class o JOIN pg_namespace n ON n.oid = o.relnamespace
        WHERE o.oid >= 16384 AND o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
          AND n.nspname IN ('pg_catalog', 'information_schema') AND NOT {_MEMBER.format(catalogue="pg_class")}
        UNION ALL
        SELECT format('%I.%I()', n.nspname, o.proname) FROM pg_proc o JOIN pg_namespace n ON n.oid = o.pronamespace
        WHERE o.oid >= 16384 AND n.nspname IN ('pg_catalog', 'information_schema')
          AND NOT {_MEMBER.format(catalogue="pg_proc")}
        UNION ALL
        SELECT format('%I.%I', n.nspname, o.typname) FROM pg_type o JOIN pg_namespace n ON n.oid = o.typnamespace
        WHERE o.oid >= 16384 AND n.nspname IN ('pg_catalog', 'information_schema') AND o.typtype IN ('d', 'e', 'r')
          AND NOT {_MEMBER.format(catalogue="pg_type")}""",  # noqa: S608 - texts of this file
    "without its roles, their passwords and memberships, which belong to the server": f"""
        SELECT name FROM ({_USED}) AS used""",  # noqa: S608 - as above
    "without settings that a role has for all databases": f"""
        SELECT u.name || ': ' || split_part(item, '=', 1) FROM ({_USED}) AS u
        JOIN pg_db_role_setting s ON s.setrole = u.oid AND s.setdatabase = 0, unnest(s.setconfig) AS item""",  # noqa: S608 - as above
    "without the rows of foreign tables, which are at another server": """
        SELECT format('%I.%I', n.nspname, o.relname) FROM pg_class o JOIN pg_namespace n ON n.oid = o.relnamespace
        WHERE o.relkind = 'f'""",
    "without the options of user mappings that this role may not see": """
        SELECT DISTINCT srvname::text FROM pg_user_mappings WHERE umoptions IS NULL
          AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)""",
    "without indexes that are not valid": """
        SELECT format('%I.%I', n.nspname, o.relname) FROM pg_index i JOIN pg_class o ON o.oid = i.indexrelid
        JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = o.relnamespace
        WHERE NOT i.indisvalid AND t.relkind <> 'p' AND n.nspname !~ '^pg_toast'""",
    "without what prepared transactions hold, which is not committed": """
        SELECT owner::text FROM pg_prepared_xacts WHERE database = current_database()""",
    "without rows that were added to tables of extensions": """
        SELECT format('%I.%I', n.nspname, o.relname) FROM pg_depend e JOIN pg_extension x ON x.oid = e.refobjid
        JOIN pg_class o ON o.oid = e.objid JOIN pg_namespace n ON n.oid = o.relnamespace
        WHERE e.classid = 'pg_class'::regclass AND e.refclassid = 'pg_extension'::regclass AND e.deptype = 'e'
          AND o.relkind = 'r' AND NOT o.oid = ANY(coalesce(x.extconfig, '{}')) AND pg_relation_size(o.oid) > 0""",
    "without security labels of the database": """
        SELECT l.provider FROM pg_shseclabel l JOIN pg_database d ON d.oid = l.objoid
        WHERE l.classoid = 'pg_database'::regclass AND d.datname = current_database()""",
}
_SETTINGS: t.Final = "without settings of the database that somebody named himself, for they may be secrets"


def lost(connection: t.Any, settings: t.Sequence[str]) -> list[str]:
    """What a dump leaves behind, as ends of sentences.

    :param connection: whose search path is pg_catalog alone
    :param settings: names of those that the record leaves out
    """
    found = {words: [str(row[0]) for row in connection.execute(asked)] for words, asked in QUESTIONS.items()}
    return told(found | {_SETTINGS: list(settings)})


def told(found: t.Mapping[str, t.Sequence[str]]) -> list[str]:
    """A sentence's end for each thing of which there is one. Pure."""
    said = []
    for words, names in found.items():
        if each := sorted(set(names)):
            more = f" and {len(each) - MOST_NAMES} more" if len(each) > MOST_NAMES else ""
            said.append(f"dumped {words}: {', '.join(each[:MOST_NAMES])}{more}")
    return said


__all__ = ("MOST_NAMES", "QUESTIONS", "lost", "told")
