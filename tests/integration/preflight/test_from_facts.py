"""What is judged from a file of facts is what is judged live, but for what only the server itself can answer."""

from __future__ import annotations

import collections
import datetime
import json
import typing as t
import uuid
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts, whole_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import facts_file, facts_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.evidence import Evidence
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.facts_asker import FactsAsker
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.facts_file import FactsFile
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_keys import judge_keys
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_rows import RowPolicy
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source_facts import answer
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import DatabaseFacts, ServerFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts_reduction import (
    reduced_constraint,
    reduced_trigger,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.row_questions import row_questions
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import Statement

from tests.integration.preflight import (
    test_checks,
    test_data,
    test_deferred_constraints,
    test_definitions,
    test_drift,
    test_expressions,
    test_inheritance,
    test_new_tables,
    test_object_kinds,
    test_own_writes,
    test_server_code,
)
from tests.integration.preflight.conftest import CHOSEN, Servers
from tests.unit.plugins.module_utils._sql.cases import CASES
from tests.unit.plugins.module_utils._sql.claims import parsed

MAJORS = sorted({CHOSEN[0], CHOSEN[-1]})
# What is said of these depends on rows, on statements the server parses, or on expressions that it plans.
NOT_ANSWERABLE = {
    "rows-violate",
    "rows-unknown",
    "data-refused",
    "data-unknown",
    "definition-refused",
    "statement-refused",
    # Whether it fails depends on whether the table has a row.
    "not-null-without-default",
}
OF_FACTS = {"facts-age", "server-not-asked"}
# Setup, statements: what other tests hold against the server.
SITUATIONS: dict[str, tuple[str, list[tuple[str, list[str]]]]] = {
    "checks": (test_checks.TABLES, [("", row[0]) for row in test_checks.CHECKS.values()]),
    "data": (test_data.TABLES, [row[:2] for row in test_data.UNPROVEN.values()]),
    "deferred": (test_deferred_constraints.TABLES, [row[:2] for row in test_deferred_constraints.PENDING.values()]),
    "definitions": (test_definitions.TABLES, [row[:2] for row in test_definitions.DEFINITIONS.values()]),
    "drift": (test_drift.TABLES, [row[:2] for row in test_drift.DRIFT.values()]),
    "expressions": (test_expressions.TABLES, [("", row[0]) for row in test_expressions.EXPRESSIONS.values()]),
    "inheritance": (test_inheritance.TABLES, [row[:2] for row in test_inheritance.BONDS.values()]),
    "new tables": (test_new_tables.TABLES, [("", row[0]) for row in test_new_tables.NEW.values()]),
    "object kinds": (test_object_kinds.TABLES, [("", row[0]) for row in test_object_kinds.FIT.values()]),
    "own writes": (test_own_writes.TABLES, [row[:2] for row in test_own_writes.WRITES.values()]),
    "server code": (test_server_code.TABLES, [("", row[0]) for row in test_server_code.REPLACED.values()]),
}
Told = collections.Counter[tuple[t.Any, ...]]


def written(connection: psycopg.Connection, folder: Path) -> FactsFile:
    """A file of facts about what the session sees now, written and read again."""
    path = folder / "facts.json"
    collected = whole_facts.collect(connection, "alembic_version", None)
    path.write_text(facts_file.text_of(collected, datetime.datetime.now(datetime.UTC)), encoding="utf-8")
    return facts_file.read(str(path))


def asked_of(found: list[Statement]) -> dict[str, t.Any]:
    """What the preflight asks, as run.py has it."""
    questions = row_questions(found)
    rows = {"rows": RowPolicy().request(questions)} if questions else {}
    return facts_request(found) | rows


def judged(found: list[Statement], facts: DatabaseFacts, server: ServerFacts) -> list[Finding]:
    catalog = from_facts(facts, timezone=server["timezone"], schema=server["schema"])
    evidence = Evidence(facts["usage"], facts["classes"], datetime.datetime.now(datetime.UTC))
    judge = Judge(catalog, facts, server, Thresholds(), lock_timeout_set=True, evidence=evidence)
    return judge.judge(found, []).findings + judge_keys(facts)


def told(findings: t.Iterable[Finding]) -> Told:
    return collections.Counter(
        (item.id, item.severity, item.statement, item.table, item.message)
        for item in findings
        if item.id not in NOT_ANSWERABLE
    )


def differences(connection: psycopg.Connection, file: FactsFile, found: list[Statement]) -> list[str]:
    """Where the two judgements are not the same, and where the file is silent about what the server complained of."""
    request = asked_of(found)
    server = t.cast("ServerFacts", live_facts.server(connection, 0) | {"sessions": []})
    live = t.cast("DatabaseFacts", live_facts.collect(connection, request))
    live["locks"] = []
    # The file holds neither, and server-not-asked says so.
    live.pop("sequences")
    live.pop("places")
    kept = answer(FactsAsker(file), request)
    for facts in (live, kept):
        # The server gives them in no order, and messages name the first ones.
        facts["writes"]["uniques"].sort(key=lambda row: (row["oid"], row["name"]))
    label = "; ".join(item.sql for item in found)[:200]
    wrong = [f"{label}: {line}" for line in unlike_facts(live, kept)]
    live_found, kept_found = (judged(found, facts, server) for facts in (live, kept))
    if told(live_found) != told(kept_found):
        wrong.append(f"{label}: {told(live_found) - told(kept_found)} <> {told(kept_found) - told(live_found)}")
    # What nobody asked aside, every word is the same.
    reduced = live | {name: kept[name] for name in ("rows", "keys", "checks", "refusals", "immutable", "usage")}
    same = judged(found, t.cast("DatabaseFacts", reduced | {"of_file": True}), server)
    if same != kept_found:
        wrong.append(f"{label}: {[item for item in same if item not in kept_found]} of {kept_found}")
    not_asked = len(facts_findings.not_asked(request)) > 1
    for item in live_found:
        said = [
            one for one in kept_found if one.statement == item.statement and one.severity in {"fail", "unknown"}
        ]  # fmt: skip
        if item.id in NOT_ANSWERABLE and item.severity in {"fail", "unknown"} and not (said or not_asked):
            wrong.append(f"{label}: silent about {item.id}: {item.message}")
    return wrong


def unlike_facts(live: t.Any, kept: t.Any) -> t.Iterator[str]:
    """By name, what the catalogue says differently."""
    # Counters move with each query of this test itself.
    for facts in (live, kept):
        for row in facts["classes"]:
            row |= {"reads": 0, "writes": 0}
    live = live | {"constraints": [reduced_constraint(row) for row in live["constraints"]]}
    live["writes"] = live["writes"] | {"triggers": [reduced_trigger(row) for row in live["writes"]["triggers"]]}
    live["types"] = [row for row in live["types"] if row["kind"] == "d"]
    whole = {"names", "classes", "descendants", "columns", "constraints", "uses", "invalid_indexes", "functions"}
    pairs = [(name, live[name], kept[name]) for name in sorted(whole | {"types", "extensions", "published"})]
    for part in ("relations", "objects", "writes"):
        pairs += [(f"{part}.{name}", rows, kept[part][name]) for name, rows in live[part].items()]
    for name, one, other in pairs:
        listed = (list(item.items()) if isinstance(item, dict) else item for item in (one, other))
        rows = [sorted(json.dumps(row, sort_keys=True) for row in item) for item in listed]
        # A column of a domain counts as one of the domain's type.
        if rows[0] != rows[1] and not (name == "writes.enums" and set(rows[0]) <= set(rows[1])):
            yield f"{name}: {sorted(set(rows[0]) ^ set(rows[1]))[:4]}"


@pytest.mark.parametrize("major", MAJORS)
def test_statements_of_every_kind(major: int, servers: Servers, tmp_path: Path) -> None:
    connection = servers(major).shared()
    connection.rollback()
    file = written(connection, tmp_path)
    wrong = [
        line
        for case in CASES
        if case.cost(major) is not None
        for line in differences(connection, file, [parsed(case.sql, alone=case.alone)])
    ]
    connection.rollback()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", SITUATIONS)
def test_situations_of_other_tests(kind: str, servers: Servers, tmp_path: Path) -> None:
    tables, situations = SITUATIONS[kind]
    connection = servers(CHOSEN[-1]).shared()
    connection.rollback()
    connection.execute(tables)
    wrong = []
    by_setup: dict[str, list[list[str]]] = {}
    for setup, texts in situations:
        by_setup.setdefault(setup, []).append(texts)
    for setup, several in by_setup.items():
        with connection.transaction(force_rollback=True):
            if setup:
                connection.execute(setup)
            file = written(connection, tmp_path)
            for texts in several:
                found = [parsed(text, number=number) for number, text in enumerate(texts, 1)]
                wrong += differences(connection, file, found)
    connection.rollback()
    assert not wrong, "\n".join(wrong)


ODD = """
CREATE SCHEMA "Attic.""x";
CREATE TABLE "Attic.""x"."Ünïcode tàble" ("Größe; --" int, "select" text);
CREATE TABLE "Attic.""x".item (id int);
CREATE TABLE "a.b" (id int PRIMARY KEY);
CREATE TABLE table_with_a_name_that_is_longer_than_an_identifier_of_sixty_three_bytes (id int);
CREATE VIEW over_view AS SELECT * FROM "a.b";
CREATE VIEW over_over AS SELECT * FROM over_view;
CREATE TABLE points (id int REFERENCES "a.b" ON DELETE CASCADE);
CREATE UNLOGGED TABLE quick (id int);
CREATE TYPE odd_pair AS (a int, b int);
"""
ODD_UPGRADES = (
    'ALTER TABLE "Attic.""x"."Ünïcode tàble" ADD COLUMN x int, DROP COLUMN "Größe; --"',
    'ALTER TABLE "Ünïcode tàble" ADD COLUMN x int',
    'ALTER TABLE "Attic.""x".item ADD COLUMN x int',
    "ALTER TABLE ITEM ADD COLUMN x int",
    'DROP TABLE "a.b"',
    'DELETE FROM "a.b"',
    "TRUNCATE over_view",
    'TRUNCATE "a.b" CASCADE',
    "ALTER TABLE table_with_a_name_that_is_longer_than_an_identifier_of_sixty_three_bytes ADD COLUMN x int",
    "ALTER TABLE table_with_a_name_that_is_longer_than_an_identifier_of_sixty_three_byteS ADD COLUMN x int",
    "ALTER TABLE nowhere.nothing ADD COLUMN x int",
    "INSERT INTO quick SELECT count(*) FROM pg_class JOIN information_schema.columns ON true",
    "ALTER TABLE pg_catalog.pg_class ADD COLUMN x int",
    "CREATE TABLE odd_pair (a int)",
    "DROP TYPE odd_pair",
    'DROP SCHEMA "Attic.""x"',
    "DROP VIEW over_view",
    "CREATE EXTENSION hstore",
    "CREATE EXTENSION nothing_of_the_kind",
    "GRANT SELECT ON quick TO nobody_here",
)


@pytest.mark.parametrize("major", MAJORS)
def test_odd_names(major: int, servers: Servers, tmp_path: Path) -> None:
    connection = servers(major).shared()
    connection.rollback()
    connection.execute(ODD)
    file = written(connection, tmp_path)
    wrong = [line for text in ODD_UPGRADES for line in differences(connection, file, [parsed(text)])]
    connection.rollback()
    assert not wrong, "\n".join(wrong)


def test_another_search_path_and_a_closed_schema(database: str, tmp_path: Path) -> None:
    role = f"reader_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA front; CREATE TABLE front.item (a int); CREATE TABLE public.item (b int)")
        connection.execute("CREATE SCHEMA shut; CREATE TABLE shut.item (c int)")
        connection.execute(f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA front TO {role}")
    with psycopg.connect(database) as connection:
        connection.execute(f"SET ROLE {role}; SET search_path = shut, front, public")
        file = written(connection, tmp_path)
        assert differences(connection, file, [parsed("ALTER TABLE item ADD COLUMN x int")]) == []
        shut = facts_request([parsed("ALTER TABLE shut.item ADD COLUMN x int")])
        with pytest.raises(FindingError, match="may not read the schema shut"):
            answer(FactsAsker(file), shut)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            live_facts.collect(connection, shut)
        connection.rollback()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_tables_that_go_and_tables_that_are_locked_while_it_is_written(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as admin, psycopg.connect(database) as reader:
        for name in ("held", "free"):
            admin.execute(f"CREATE TABLE {name} (a int) PARTITION BY LIST (a)")
            admin.execute(f"CREATE TABLE {name}_1 PARTITION OF {name} FOR VALUES IN (1)")
        admin.execute("CREATE TABLE gone (id bigserial PRIMARY KEY, CHECK (id > 0))")
        admin.execute("CREATE TABLE gone_parts (a int) PARTITION BY LIST (a)")
        admin.execute("CREATE TABLE gone_1 PARTITION OF gone_parts FOR VALUES IN (1)")
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SET LOCAL lock_timeout = '100ms'")
        # From here on it sees them, whatever becomes of them.
        reader.execute("SELECT count(*) FROM pg_class")
        admin.execute("DROP TABLE gone, gone_parts")
        with psycopg.connect(database) as holder:
            holder.execute("LOCK TABLE ONLY held_1 IN ACCESS EXCLUSIVE MODE")
            file = written(reader, tmp_path)
            holder.rollback()
        names = {row["name"] for row in file.tables["classes"]}
        assert names >= {"held", "held_1", "free", "free_1"}
        assert [row["name"] for row in file.tables["bounds"] if row["name"] != "gone_1"] == ["free_1"]
        request = facts_request([parsed("ALTER TABLE free ADD COLUMN x int"), parsed("DROP TABLE gone")])
        assert {row["name"] for row in answer(FactsAsker(file), request)["classes"]} >= {"free", "free_1"}
