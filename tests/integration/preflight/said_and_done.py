"""What the preflight says of statements, and what the server does with them: for tables of situations."""

from __future__ import annotations

import typing as t

import psycopg
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_rows import RowPolicy
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts, ServerFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Segment
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_questions import row_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Reader, Statement

# Between two statements: the end of a transaction, and the begin of the next.
COMMIT = "COMMIT; BEGIN"


# What tables of situations begin with, where one table of a schema of its own is enough.
LEDGER = """
CREATE SCHEMA home; SET LOCAL search_path = home;
CREATE TABLE ledger (id int PRIMARY KEY, note text, kind varchar(20), amount int);
INSERT INTO ledger SELECT n, CASE WHEN n % 2 = 0 THEN 'n' || n END, 'a', n FROM generate_series(1, 6) n;
"""


def sql(*texts: str) -> list[str]:
    return list(texts)


def read(texts: list[str]) -> list[Statement]:
    """The statements of a revision, all in one transaction; those of a DO block in its place."""
    reader, begin = Reader(), "BEGIN;\n"
    sql = ";\n".join([*texts, ""])
    reader.feed(begin, [_segment(len(begin), len(begin))])
    reader.feed(sql, [_segment(len(begin), len(begin) + len(sql))])
    return reader.found


def _segment(start: int, end: int) -> Segment:
    return Segment("0001", start, end, doc="", path="0001.py", error=None, inspects=None)


def judged(connection: psycopg.Connection, texts: list[str], *, rows: bool = False) -> list[Finding]:
    """The findings about these statements, all in one transaction, on what the session sees now.

    :param rows: whether the rows are asked as well
    """
    found = read(texts)
    server = t.cast("ServerFacts", live_facts.server(connection, 0))
    request = facts_request(found)
    if rows:
        # A busy machine answers as well, only later.
        request["rows"] = RowPolicy(milliseconds=300_000).request(row_questions(found)) | {"seconds": 600}
    facts = t.cast("DatabaseFacts", live_facts.collect(connection, request))
    catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
    return Judge(catalog, facts, server, Thresholds(), lock_timeout_set=True).judge(found, []).findings


def ended(connection: psycopg.Connection, texts: list[str]) -> str:
    """The server's error, empty without one."""
    try:
        for text in texts:
            connection.execute(text)
    except psycopg.Error as error:
        return str(error)
    return ""


def said_and_done(
    connection: psycopg.Connection,
    tables: str,
    setup: str,
    texts: list[str],
    *,
    gone: str | None = None,
    rows: bool = False,
) -> tuple[list[Finding], str]:
    """The findings about statements, and the error with which they really end.

    :param tables: made first, and then what `setup` says
    :param rows: whether the rows are asked as well
    :param gone: removes both; given where they are committed before, as for what nobody may have locked
    """
    connection.execute(tables)
    if setup:
        connection.execute(setup)
    if gone is None:
        return judged(connection, texts, rows=rows), ended(connection, texts)
    connection.commit()
    try:
        found = judged(connection, texts, rows=rows)
        connection.rollback()
        return found, ended(connection, texts)
    finally:
        connection.rollback()
        connection.execute(gone)
        connection.commit()


def agree(outcome: tuple[list[Finding], str], ids: set[str], wanted: str | None, words: str) -> None:
    """What is said and what is done fit: `fail` with an error, nothing said without one.

    :param outcome: of said_and_done()
    :param ids: the findings that count
    :param wanted: their severity, None for none of them
    :param words: a part of the server's error
    """
    found, error = outcome
    assert severities(found, ids) == ({wanted} if wanted else set()), ([item.message for item in found], error)
    assert words in error, error
    assert wanted != "fail" or error, "the server takes it"
    assert wanted is not None or not error, error


def agree_at_worst(outcome: tuple[list[Finding], str], ids: set[str], wanted: str | None, words: str) -> None:
    """The worst that is said is what is wanted, and it ends as the words say, of what is not known too.

    :param outcome: of said_and_done()
    :param ids: the findings that count
    :param wanted: as worst() has it
    :param words: a part of the server's error, empty where it takes the statements
    """
    found, error = outcome
    told = [item.message for item in found]
    assert worst(found, ids) == wanted, (told, error)
    assert words in error, error
    assert bool(error) == bool(words), (told, error)


def worst(found: list[Finding], ids: set[str]) -> str | None:
    """`fail` where a finding with one of `ids` is, else `unknown` where there is any, else None."""
    said = severities(found, ids)
    return "fail" if "fail" in said else "unknown" if said else None


def severities(found: list[Finding], ids: set[str]) -> set[str]:
    """Of the findings with one of `ids`."""
    return {item.severity for item in found if item.id in ids}
