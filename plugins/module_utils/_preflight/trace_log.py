"""What a throw-away server logged of an upgrade: statements, locks, rewrites and refusals of each revision. Pure.

Source of the columns: https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import (
    SUPERUSER,
    ScratchError,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.alembic_trace import MARK
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import ParseError, scan

_USER, _SESSION, _SEVERITY, _STATE, _MESSAGE, _DETAIL, _CONTEXT, _QUERY = 1, 5, 11, 12, 13, 14, 18, 19
_STATEMENT = re.compile(r"(?:statement|execute [^:]*): (.*)", re.DOTALL)
_MARK = re.compile(rf"SELECT '{MARK} (begins|ends) ([^']*)'")
_PARAMETER = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")
# A statement's own locks and rewrites are told while it runs, so they stand in the log after its text.
WATCH: t.Final = f"""
CREATE FUNCTION information_schema.{MARK}_locks() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$ DECLARE held text; BEGIN
  SELECT json_agg(json_build_array(n.nspname, c.relname, l.mode)) INTO held
  FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE l.locktype = 'relation' AND l.mode <> 'SIReadLock'
    AND l.pid = pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p', 'm', 'f')
    AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema');
  RAISE LOG '{MARK} locks %', coalesce(held, '[]');
END $$;
CREATE FUNCTION information_schema.{MARK}_rewrites() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$ BEGIN
  RAISE LOG '{MARK} rewrites %', (SELECT json_build_array(n.nspname, c.relname) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_event_trigger_table_rewrite_oid());
END $$;
CREATE EVENT TRIGGER {MARK}_locks ON ddl_command_end EXECUTE FUNCTION information_schema.{MARK}_locks();
CREATE EVENT TRIGGER {MARK}_rewrites ON table_rewrite EXECUTE FUNCTION information_schema.{MARK}_rewrites();
"""  # noqa: S608 - of our own constants

Table = tuple[str, str]  # schema and name


@dataclasses.dataclass
class Traced:
    """One statement as the server got it.

    :param revision: that ran it; "" is env.py, before the first and between two
    :param locks: pg_locks.mode by table, all that its transaction held at its end; None where that was not told
    :param rewrites: tables whose files it wrote anew
    :param refusal: SQLSTATE and message, where the server refused it
    """

    revision: str
    sql: str
    locks: dict[Table, list[str]] | None = None
    rewrites: list[Table] = dataclasses.field(default_factory=list)
    refusal: tuple[str, str] | None = None


def trace_of(answer: t.Mapping[str, t.Any], log: str, phases: t.Mapping[str, float]) -> Trace:
    """The upgrade as its own process and the server saw it.

    :param answer: of _in_pod/alembic_trace.py
    :param log: the server's csvlog
    :param phases: seconds
    :raises ScratchError: the server was kept from logging it
    """
    statements, whole = read(log)
    seconds: dict[str, float] = answer.get("seconds") or {}
    if unseen := sorted(seconds.keys() - whole):
        raise ScratchError(f"the server's log does not hold what {unseen[0]} ran: it changes what is logged")
    return Trace(statements, answer["error"], answer["revision"], seconds, phases)


def read(log: str) -> tuple[list[Traced], set[str]]:
    """The statements of all sessions but our own, in order, and the revisions whose end is in the log as well.

    :param log: the server's csvlog
    """
    whole: set[str] = set()
    found: list[Traced] = []
    last: dict[str, Traced] = {}
    revision = ""
    csv.field_size_limit(1 << 30)
    for row in csv.reader(io.StringIO(log)):
        if len(row) <= _QUERY or row[_USER] in {"", SUPERUSER}:
            continue
        # What a function raises has a context, a statement has none.
        message, session, context = row[_MESSAGE], row[_SESSION], row[_CONTEXT]
        if mark := _MARK.search(message):
            revision = mark[2] if mark[1] == "begins" else ""
            whole |= {mark[2]} if mark[1] == "ends" else set()
        elif row[_SEVERITY] == "LOG" and not context and (stated := _STATEMENT.fullmatch(message)):
            last[session] = Traced(revision, _with_parameters(stated[1], row[_DETAIL]))
            found.append(last[session])
        elif row[_SEVERITY] == "LOG" and message.startswith(f"{MARK} ") and MARK in context and session in last:
            _word, kind, told = message.split(" ", 2)
            if kind == "rewrites":
                last[session].rewrites.append(_table(json.loads(told)))
            elif kind == "locks":
                locks: dict[Table, list[str]] = {}
                last[session].locks = locks
                for schema, name, mode in json.loads(told):
                    locks.setdefault((schema, name), []).append(mode)
        elif row[_SEVERITY] in {"ERROR", "FATAL"}:
            # A text that the grammar refuses is not logged as a statement.
            if session not in last or (row[_QUERY] and last[session].sql.strip() != row[_QUERY].strip()):
                last[session] = Traced(revision, row[_QUERY])
                found.append(last[session])
            last[session].refusal = (row[_STATE], message)
    return found, whole


def _table(told: t.Sequence[str]) -> Table:
    return told[0], told[1]


def _with_parameters(sql: str, detail: str) -> str:
    """The statement with the values that the driver sent beside it, as literals."""
    if "arameters: " not in detail:
        return sql
    values = dict(_PARAMETER.findall(detail))
    try:
        places = [token for token in scan(sql) if token.name == "PARAM"]
    except ParseError:
        return sql
    for token in reversed(places):
        number = sql[token.start + 1 : token.end + 1]
        sql = sql[: token.start] + values.get(number, f"${number}") + sql[token.end + 1 :]
    return sql


__all__ = ("WATCH", "Table", "Traced", "read", "trace_of")
