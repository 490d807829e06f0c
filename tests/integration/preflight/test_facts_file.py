"""The module writes facts and judges from them: what is in the file, what is not, and what it says without a server."""

from __future__ import annotations

import collections
import contextlib
import datetime
import json
import typing as t
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import facts_file, module

from dev.postgresql import running
from tests.integration.preflight.asking import BOTH_MODES, STRICT, Verdict, ask, prepare
from tests.integration.preflight.conftest import CHOSEN, Servers, copy_of
from tests.integration.preflight.test_from_facts import NOT_ANSWERABLE, OF_FACTS
from tests.unit.plugins.module_utils._in_pod.project import Project
from tests.unit.plugins.module_utils._sql.cases import CASES

MAJOR = CHOSEN[-1]
EVERY = [case for case in CASES if case.cost(MAJOR) is not None and not case.before]
PICKED = EVERY[:: max(1, len(EVERY) // 50)]
_RANKS = {"safe": 0, "warn": 1, "unknown": 2, "unsafe": 3}


def told(verdict: Verdict) -> collections.Counter[tuple[t.Any, ...]]:
    return collections.Counter(
        (item["id"], item["severity"], item.get("statement"), item["message"])
        for item in verdict.findings
        if item["id"] not in NOT_ANSWERABLE | OF_FACTS | {"use-unknown"}
    )


def pending(verdict: Verdict) -> list[t.Any]:
    """What the report says of the revisions, without risks, which follow from findings, and without activity."""
    found = json.loads(json.dumps(verdict.result["pending"]))
    for revision in found:
        revision.pop("risk")
        locks = [revision["strongest_lock"] or {}]
        for statement in revision["statements"]:
            statement.pop("risk")
            locks += statement["locks"]
        for lock in locks:
            for name in ("sessions", "reads", "writes"):
                lock.pop(name, None)
    return t.cast("list[t.Any]", found)


def of_answerable(verdict: Verdict) -> str:
    """The verdict, had only what a file can tell been asked."""
    severities = {item["severity"] for item in verdict.findings if item["id"] not in NOT_ANSWERABLE | OF_FACTS}
    if severities & {"fail", "unknown"}:
        return "unsafe" if "fail" in severities else "unknown"
    return "warn" if severities & {"warn", "skip"} else "safe"


def judged(project: Project, **arguments: t.Any) -> Verdict:
    """What the module says, in this process: so many cases would wait for interpreters most of the time."""
    defaults = {name: given.get("default") for name, given in module.ARGUMENTS.items()}
    result, _problem = module.execute(defaults | STRICT | {"alembic_dir": str(project.folder)} | arguments)
    return Verdict(result["verdict"], result["findings"], "", result)


@pytest.fixture(scope="module")
def judged_database(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[tuple[str, str]]:
    """The URL of a database with the tables of the cases, and a file of its facts."""
    folder = tmp_path_factory.mktemp("facts")
    with copy_of(servers(MAJOR)) as url:
        prepare(url, revision="0001")
        project = Project(folder / "app", BOTH_MODES).add("0001", None)
        said = ask(project.folder, url, facts_path=str(folder / "facts.json"))
        assert said.result["state"] == "current", said
        yield url, str(folder / "facts.json")


def test_enough_cases_are_picked() -> None:
    assert len(PICKED) >= 45


@pytest.mark.parametrize("case", PICKED, ids=lambda case: case.name)
def test_a_migration_judged_from_the_file(case: t.Any, judged_database: tuple[str, str], tmp_path: Path) -> None:
    url, path = judged_database
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None).add("0002", "0001", case.sql)
    live, kept = judged(project, database_url=url), judged(project, facts=path)
    assert told(live) == told(kept)
    assert pending(live) == pending(kept)
    assert of_answerable(live) == of_answerable(kept)
    for name in ("state", "live_revisions", "target_revisions", "sql_sha256", "largest_rewrite_bytes"):
        assert live.result[name] == kept.result[name]
    # Never safe by omission.
    assert kept.ids >= OF_FACTS
    assert kept.verdict != "safe"
    if live.serious.keys() & NOT_ANSWERABLE:
        assert kept.verdict in {"unknown", "unsafe"} or any("was not asked" in kept.said(name) for name in OF_FACTS)


CANARY = "canary"
# What somebody may have written a secret into, or what is a row.
SECRETS = """
CREATE TABLE account (
  id bigserial PRIMARY KEY, token text DEFAULT 'canary-default', name text, mood text,
  shout text GENERATED ALWAYS AS (name || 'canary-generated') STORED,
  CONSTRAINT known CHECK (token <> 'canary-check' AND id IS NOT NULL)
);
INSERT INTO account (token, name, mood) SELECT 'canary-row', 'canary-common', 'canary-value'
  FROM generate_series(1, 99);
INSERT INTO account (token, name) SELECT 'canary-row-' || i, 'canary-histogram-' || i FROM generate_series(1, 99) AS i;
CREATE INDEX ON account ((token || 'canary-index'));
CREATE INDEX ON account (name) WHERE name <> 'canary-predicate';
CREATE STATISTICS tied (mcv) ON name, mood FROM account;
ANALYZE account;
COMMENT ON TABLE account IS 'canary-comment';
COMMENT ON COLUMN account.token IS 'canary-column-comment';
COMMENT ON SCHEMA public IS 'canary-schema-comment';
CREATE DOMAIN coloured AS text DEFAULT 'canary-domain' CHECK (VALUE <> 'canary-domain-check');
CREATE FUNCTION opens(word text DEFAULT 'canary-argument') RETURNS text LANGUAGE sql SET application_name = 'canary-set'
  AS $$ SELECT 'canary-body' $$;
CREATE PROCEDURE closes() LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'canary-procedure'; END $$;
CREATE FUNCTION fills() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN /* canary-trigger-comment */ NEW.mood := 'canary-filled'; RETURN NEW; END $$;
CREATE FUNCTION calls() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM opens('canary-called'); RETURN NEW; END $$;
CREATE TRIGGER fills BEFORE UPDATE ON account FOR EACH ROW WHEN (NEW.mood <> 'canary-when')
  EXECUTE FUNCTION fills('canary-trigger-argument');
CREATE TRIGGER calls BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION calls();
CREATE VIEW seen AS SELECT token || 'canary-view' AS token FROM account;
CREATE RULE kept AS ON DELETE TO account WHERE OLD.mood = 'canary-rule' DO INSTEAD NOTHING;
CREATE MATERIALIZED VIEW filled AS SELECT token FROM account;
ANALYZE filled;
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON account USING (token = 'canary-policy');
CREATE TABLE split (word text) PARTITION BY LIST ((lower(word) || 'canary-partition-key'));
CREATE FOREIGN DATA WRAPPER wrapper OPTIONS (secret 'canary-wrapper');
CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper OPTIONS (host 'canary-host');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (password 'canary-mapping');
CREATE FOREIGN TABLE remote (a int OPTIONS (name 'canary-column-option')) SERVER elsewhere
  OPTIONS (key 'canary-foreign');
CREATE PUBLICATION told FOR TABLE account WHERE (id > 0);
CREATE SUBSCRIPTION hears CONNECTION 'host=127.0.0.1 password=canary-subscription' PUBLICATION told
  WITH (connect = false);
SELECT lo_from_bytea(0, 'canary-large-object');
CREATE TYPE mood AS ENUM ('kept-label');
CREATE TABLE part (word text) PARTITION BY LIST (word);
CREATE TABLE part_one PARTITION OF part FOR VALUES IN ('kept-bound');
SELECT setval('account_id_seq', 987654321);
"""
SETTINGS = (
    "ALTER ROLE teller PASSWORD 'canary-password'",
    "COMMENT ON ROLE teller IS 'canary-role-comment'",
    "ALTER ROLE teller SET my.secret = 'canary-role-setting'",
    "COMMENT ON DATABASE postgres IS 'canary-database-comment'",
    "ALTER DATABASE postgres SET my.secret = 'canary-database-setting'",
    "ALTER SYSTEM SET cluster_name = 'canary-system'",
)


@contextlib.contextmanager
def busy(url: str) -> t.Iterator[None]:
    """Sessions whose queries, names and transactions hold canaries."""
    with contextlib.ExitStack() as stack:
        prepared = stack.enter_context(psycopg.connect(url, autocommit=True))
        # It waits for the end of every transaction that writes.
        prepared.execute("SELECT pg_create_logical_replication_slot('canary_slot', 'pgoutput')")
        idle = stack.enter_context(psycopg.connect(url, application_name="canary-application"))
        idle.execute("SELECT 'canary-query' FROM account LIMIT 1")
        idle.execute("SET my.secret = 'canary-session'")
        prepared.execute("BEGIN; UPDATE part SET word = 'kept-bound'; PREPARE TRANSACTION 'canary-prepared'")
        prepared.execute("PREPARE secret AS SELECT 'canary-statement'")
        try:
            yield
        finally:
            idle.rollback()
            prepared.execute("ROLLBACK PREPARED 'canary-prepared'")
            prepared.execute("SELECT pg_drop_replication_slot('canary_slot')")


@pytest.fixture(scope="module")
def full_of_secrets(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[tuple[str, Project, Path]]:
    """A database with secrets wherever one can be, a project, and the file of facts about that database."""
    folder = tmp_path_factory.mktemp("secrets")
    with running(18, track_activity_query_size="10000", shared_preload_libraries="pg_stat_statements") as server:
        url = server.url()
        prepare(url, "CREATE EXTENSION pg_stat_statements", "CREATE ROLE teller LOGIN", *SETTINGS)
        prepare(url, *(text for text in SECRETS.split(";\n") if text.strip()), revision="0001")
        project = Project(folder / "app", BOTH_MODES).add("0001", None)
        project.add("0002", "0001", "ALTER TABLE account DROP COLUMN name", "UPDATE account SET mood = 'x'")
        path = folder / "facts.json"
        with busy(url):
            said = ask(project.folder, url, facts_path=str(path))
        assert said.verdict, said
        yield url, project, path


def test_no_row_and_no_secret_is_in_the_file(full_of_secrets: tuple[str, Project, Path]) -> None:
    url, _project, path = full_of_secrets
    text = path.read_text(encoding="utf-8")
    found = sorted({word for word in text.replace('"', " ").split() if CANARY in word})
    assert found == []
    password, place = url.split(":")[2].partition("@")[0], url.partition("@")[2].partition("/")[0]
    assert password not in text
    assert place not in text
    assert "postgresql://" not in text
    # What is in it, so that the database was looked at: names, labels, bounds, positions of sequences, revisions.
    for kept in ("account", "token", "kept-label", "kept-bound", "987654321", "0001", "teller"):
        assert kept in text


def test_the_database_does_hold_them(full_of_secrets: tuple[str, Project, Path]) -> None:
    """Otherwise the test above would find nothing anywhere."""
    url = full_of_secrets[0]
    places = (
        "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'account'",
        "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef",
        "SELECT prosrc FROM pg_proc",
        "SELECT array_to_string(umoptions, ' ') FROM pg_user_mapping",
        "SELECT subconninfo FROM pg_subscription",
        "SELECT description FROM pg_description",
        "SELECT query FROM pg_stat_statements",
        "SELECT pg_get_viewdef('seen')",
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for query in places:
            assert any(CANARY in str(row[0]) for row in connection.execute(query).fetchall()), query


def test_what_was_left_out_decides_nothing_but_what_is_told(full_of_secrets: tuple[str, Project, Path]) -> None:
    url, project, path = full_of_secrets
    live, kept = ask(project.folder, url), ask(project.folder, None, facts=str(path))
    assert "statements that" in live.said("destructive") or "statement" in live.said("destructive")
    assert "use-unknown" in kept.ids
    assert "which holds no statements" in kept.said("use-unknown")
    assert live.ids - kept.ids == set()
    assert kept.ids - live.ids <= OF_FACTS | NOT_ANSWERABLE | {"use-unknown"}
    assert live.verdict == kept.verdict == "unsafe"


def test_the_file_is_for_its_owner_only_and_no_link_is_followed(
    judged_database: tuple[str, str], tmp_path: Path
) -> None:
    url, _path = judged_database
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    other, link = tmp_path / "other", tmp_path / "facts.json"
    other.write_text("kept")
    link.symlink_to(other)
    assert ask(project.folder, url, facts_path=str(link)).verdict == "safe"
    assert (other.read_text(), link.is_symlink(), link.stat().st_mode & 0o777) == ("kept", False, 0o600)
    said = ask(project.folder, url, facts_path=str(tmp_path))
    assert (said.verdict, said.ids) == (None, {"argument-invalid"})


def test_two_files_of_one_database_differ_in_nothing_but_the_time(
    judged_database: tuple[str, str], tmp_path: Path
) -> None:
    url, _path = judged_database
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    texts = []
    for name in ("one", "two"):
        assert ask(project.folder, url, facts_path=str(tmp_path / name)).verdict
        content = json.loads((tmp_path / name).read_text())
        texts.append({key: value for key, value in content.items() if key not in {"time", "sha256"}})
        # Counters of the server's statistics go on.
        columns = content["tables"]["classes"]["columns"]
        for row in content["tables"]["classes"]["rows"]:
            row[columns.index("reads")] = row[columns.index("writes")] = 0
        content["tables"]["classes"]["rows"].sort()
        content["server"].pop("database_bytes")
    assert texts[0] == texts[1]


@pytest.fixture
def current(judged_database: tuple[str, str], tmp_path: Path) -> tuple[Project, dict[str, t.Any]]:
    """A project with nothing pending, and the content of a file."""
    content = json.loads(Path(judged_database[1]).read_text())
    return Project(tmp_path / "app", BOTH_MODES).add("0001", None), content


def rewritten(content: dict[str, t.Any], path: Path, **more: t.Any) -> str:
    content = {name: value for name, value in content.items() if name != "sha256"} | more
    path.write_text(json.dumps(content | {"sha256": facts_file._digest(content)}))
    return str(path)


def test_nothing_pending_is_safe_and_old_facts_warn(current: tuple[Project, dict[str, t.Any]], tmp_path: Path) -> None:
    project, content = current
    fresh = ask(project.folder, None, facts=rewritten(content, tmp_path / "facts.json"))
    assert (fresh.verdict, fresh.ids) == ("safe", {"facts-age"})
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=40)
    path = rewritten(content, tmp_path / "facts.json", time=old.isoformat())
    said = ask(project.folder, None, facts=path)
    assert (said.verdict, said.serious) == ("warn", {"facts-age": "warn"})
    assert "40 h old" in said.said("facts-age")
    assert said.result["subject"].endswith(f"as of {old:%Y-%m-%d %H:%M} UTC")
    assert ask(project.folder, None, facts=path, thresholds={"facts_age_hours": 41}).verdict == "safe"
    assert (
        "facts_age_hours must be at least 0"
        in ask(project.folder, None, facts=path, thresholds={"facts_age_hours": -1}).message
    )


@pytest.mark.parametrize(
    ("rows", "state", "finding"),
    [(["0009"], "unknown", "revision-unknown"), ([], "unknown", "state-unknown"), (None, "unknown", "state-unknown")],
)
def test_live_revisions_come_from_the_file(
    rows: t.Any, state: str, finding: str, current: tuple[Project, dict[str, t.Any]], tmp_path: Path
) -> None:
    project, content = current
    path = rewritten(content, tmp_path / "facts.json", version_table=content["version_table"] | {"rows": rows})
    said = ask(project.folder, None, facts=path)
    assert (said.result["state"], said.result["live_revisions"]) == (state, rows or [])
    assert finding in said.ids


def test_a_file_about_another_version_table(current: tuple[Project, dict[str, t.Any]], tmp_path: Path) -> None:
    _project, content = current
    schema = "transaction_per_migration=True, version_table_schema='attic'"
    env = BOTH_MODES.replace("transaction_per_migration=True", schema)
    other = Project(tmp_path / "other", env).add("0001", None)
    said = ask(other.folder, None, facts=rewritten(content, tmp_path / "facts.json"))
    assert (said.verdict, said.ids) == (None, {"facts-unreadable"})
    assert "of the version table alembic_version, and env.py uses attic.alembic_version" in said.message


def test_a_trace_needs_the_database(judged_database: tuple[str, str], tmp_path: Path) -> None:
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None).add("0002", "0001", "SELECT 1")
    said = ask(project.folder, None, facts=judged_database[1], trace=True)
    assert "the facts come from a file, which is no schema to copy" in said.said("trace-skipped")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "alembic_dir needs database_url, or facts where the database cannot be reached."),
        ({"facts": "f", "database_url": "postgresql://u:hush@h/d"}, "mutually exclusive: database_url|facts"),
        ({"facts": "f", "facts_path": "g"}, "missing parameter(s) required by 'facts_path': database_url"),
        ({"facts": "/nonexistent/facts.json"}, "cannot be read (No such file or directory)"),
        ({"facts": "/proc/self/mem"}, "cannot be read"),
        ({"facts": "/etc/passwd"}, "is no JSON, or ends too early"),
    ],
)
def test_arguments(more: dict[str, t.Any], words: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "app", BOTH_MODES).add("0001", None)
    said = ask(project.folder, None, **more)
    assert said.verdict is None
    assert words in said.message
    assert "\n" not in said.message
    assert "hush" not in said.message
