"""What is found in a sequence of statements, over recorded facts of tables of a chosen size."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge, Judgement
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import NO_FACTS
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import statements

RECORDED: t.Any = {**NO_FACTS, **json.loads((Path(__file__).parents[1] / "_sql" / "facts" / "18.json").read_text())}
LARGE = 1 << 30


def rendered(sql: str, **more: t.Any) -> Rendered:
    segment = {"doc": "", "path": "0001.py", "error": None, "inspects": None} | more
    return Rendered(sql, [Segment("0001", 0, len(sql), **segment)])


def judged(sql: str, *, large: bool = False, lock_timeout: bool = True, **facts: t.Any) -> list[Finding]:
    """The findings about some SQL, on tables of one page or of a GiB."""
    server = RECORDED["server"] | facts.pop("server", {})
    known = copy.deepcopy(RECORDED) | {"locks": []} | facts
    if large:
        for row in known["classes"]:
            row |= {"bytes": LARGE, "total_bytes": LARGE, "rows": 9_000_000}
    catalog = from_facts(known, timezone="UTC", schema="public")
    judge = Judge(catalog, known, server, Thresholds(), lock_timeout_set=lock_timeout)
    upgrade = rendered(sql)
    return judge.judge(statements(upgrade), upgrade.segments).findings


def ids(found: list[Finding]) -> set[str]:
    return {item.id for item in found if item.severity != "info"}


@pytest.mark.parametrize(
    ("sql", "small", "large"),
    [
        ("ALTER TABLE item ADD COLUMN extra int", set(), set()),
        ("ALTER TABLE item ADD COLUMN extra int DEFAULT random()", set(), {"lock-blocks-reads", "table-rewrite"}),
        ("CREATE INDEX i ON item (note)", set(), {"lock-blocks-writes", "index-not-concurrent"}),
        ("COMMIT; SET lock_timeout = 0; CREATE INDEX CONCURRENTLY i ON item (note)", set(), set()),
        (
            "ALTER TABLE item ADD CHECK (qty > 0)",
            {"write-rejected"},
            {"write-rejected", "lock-blocks-reads", "constraint-validated"},
        ),
        ("ALTER TABLE item ADD CONSTRAINT c CHECK (qty > 0) NOT VALID", {"write-rejected"}, {"write-rejected"}),
        ("UPDATE item SET qty = 1", set(), {"full-table-write"}),
        ("ALTER TABLE item DROP COLUMN note", {"destructive"}, {"destructive"}),
        ("ALTER TABLE item RENAME COLUMN note TO remark", {"rename"}, {"rename"}),
        ("ALTER TABLE item ALTER COLUMN amount TYPE numeric(12, 2)", {"type-change"}, {"type-change"}),
        ("CREATE TABLE fresh (id int); CREATE INDEX i ON fresh (id); ALTER TABLE fresh DROP COLUMN id", set(), set()),
    ],
)
def test_the_size_of_the_table_decides(sql: str, small: set[str], large: set[str]) -> None:
    text = f"BEGIN; {sql}; COMMIT;"
    assert ids(judged(text)) == small
    assert ids(judged(text, large=True)) == large


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("BEGIN; CREATE INDEX CONCURRENTLY i ON item (qty); COMMIT", "concurrently-in-transaction"),
        ("BEGIN; VACUUM item; COMMIT", "fails-in-transaction"),
        ("BEGIN; ALTER TYPE mood ADD VALUE 'x'; UPDATE item SET state = 'x' WHERE id = 1; COMMIT", "enum-value-used"),
        ("ALTER TABLE item ADD COLUMN extra int NOT NULL", "not-null-without-default"),
        ("ALTER TABLE item ADD COLUMN note text", "object-exists"),
        ("CREATE TABLE item (id int)", "object-exists"),
        ("CREATE INDEX item_qty ON item (qty)", "object-exists"),
        ("ALTER TABLE nothing ADD COLUMN a int", "table-missing"),
        ("DROP TABLE other; ALTER TABLE other ADD COLUMN a int; SELEC", "statement-unparsed"),
        ("DO $$ BEGIN END $$", "statement-opaque"),
        ("CALL something()", "statement-opaque"),
        ("SELECT bump()", "statement-opaque"),
        ("DROP TABLE parent CASCADE", "statement-opaque"),
        ("ALTER TABLE item DROP COLUMN note CASCADE", "statement-opaque"),
        ("SET search_path = attic", "search-path-set"),
        ("CREATE INDEX CONCURRENTLY i ON event (id)", "partitioned-concurrently"),
        ("ALTER TABLE item ALTER COLUMN tags TYPE text[]", "type-change-unknown"),
        ("CREATE EXTENSION vector", "extension-unavailable"),
        ("ALTER TABLE item ALTER COLUMN note SET NOT NULL", "contract-phase"),
        ("ALTER TABLE item ALTER COLUMN name DROP DEFAULT", "contract-phase"),
        ("REVOKE SELECT ON item FROM PUBLIC", "contract-phase"),
        ("DROP VIEW shown", "contract-phase"),
        ("TRUNCATE item", "destructive"),
        ("DELETE FROM item", "destructive"),
        ("ALTER TABLE event DETACH PARTITION event_1", "destructive"),
        ("CREATE PUBLICATION p FOR ALL TABLES", "statement-unruled"),
    ],
)
def test_what_is_wrong_whatever_the_size(sql: str, wanted: str) -> None:
    found = judged(sql)
    assert wanted in {item.id for item in found}
    assert all(item.revision == "0001" for item in found)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TYPE size AS ENUM ('s'); ALTER TYPE size ADD VALUE 'x'; SELECT 'x'::size",
        "ALTER TABLE item ADD CONSTRAINT n CHECK (qty IS NOT NULL) NOT VALID; COMMIT; BEGIN;"
        " ALTER TABLE item VALIDATE CONSTRAINT n; COMMIT; BEGIN; SET LOCAL lock_timeout = '1s'",
        "ALTER TABLE other RENAME TO old; CREATE TABLE other (id int); CREATE INDEX i ON other (id)",
        "CREATE TABLE public.fresh (id serial); ALTER SEQUENCE fresh_id_seq OWNED BY fresh.id; DROP TABLE fresh",
        "INSERT INTO item (id, name) VALUES (1, gen_random_uuid()::text) ON CONFLICT (id) DO NOTHING",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "CREATE TABLE IF NOT EXISTS other (id int, note text); CREATE INDEX IF NOT EXISTS item_qty ON item (qty)",
        "DROP TABLE IF EXISTS nothing; DROP INDEX IF EXISTS nothing",
    ],
)
def test_no_false_alarm(sql: str) -> None:
    found = judged(f"BEGIN; {sql}; COMMIT;", large=True)
    assert ids(found) - {"rename", "contract-phase", "write-rejected"} == set()


def test_another_table_of_that_name_is_no_false_alarm() -> None:
    found = judged("BEGIN; CREATE TABLE IF NOT EXISTS item (id int); COMMIT;", large=True)
    assert {item.id: item.severity for item in found} == {"definition-differs": "fail"}


def test_only_the_rows_know_whether_a_key_is_taken() -> None:
    sql = "INSERT INTO item (id, name) VALUES (1, gen_random_uuid()::text)"
    assert {item.id: item.severity for item in judged(sql, large=True)} == {"data-unknown": "unknown"}


def test_the_catalogue_moves_on_with_the_statements() -> None:
    proven = (
        "ALTER TABLE item ADD CONSTRAINT n CHECK (qty IS NOT NULL) NOT VALID; ALTER TABLE item VALIDATE CONSTRAINT n;"
    )
    last = "ALTER TABLE item ALTER COLUMN qty SET NOT NULL"
    assert "lock-blocks-reads" in ids(judged(last, large=True))
    assert "lock-blocks-reads" not in ids(judged(f"{proven} {last}", large=True))
    again = f"{proven} ALTER TABLE item DROP CONSTRAINT n; {last}"
    assert "lock-blocks-reads" in ids(judged(again, large=True))


FILL = "UPDATE item SET qty = 1"
ADD = "ALTER TABLE item ADD COLUMN extra int"
NOT_VALID = "ALTER TABLE item ADD CONSTRAINT n CHECK (qty > 0) NOT VALID"


@pytest.mark.parametrize(
    ("sql", "severity"),
    [
        ([ADD, FILL], "fail"),
        ([NOT_VALID, "ALTER TABLE item VALIDATE CONSTRAINT n"], "fail"),
        # A lock on one table during work on another.
        ([ADD, "ALTER TABLE other ALTER COLUMN id TYPE bigint"], "fail"),
        (
            ["CREATE TRIGGER t BEFORE INSERT ON item EXECUTE FUNCTION noted()", "REFRESH MATERIALIZED VIEW summed"],
            "fail",
        ),
        # The planner may find an index for the condition, or read all.
        ([ADD, FILL + " WHERE qty = 2"], "warn"),
        ([ADD, "CREATE TABLE fresh AS SELECT * FROM item"], "warn"),
        ([ADD, "COMMIT", "BEGIN", FILL], None),
        ([NOT_VALID, "COMMIT", "ALTER TABLE item VALIDATE CONSTRAINT n"], None),
        ([FILL, ADD], None),
        ([ADD, "INSERT INTO item (id, name) VALUES (99, 'x')"], None),
        (["CREATE TABLE fresh (id int)", "ALTER TABLE fresh ADD COLUMN a int", FILL], None),
        # Said of the statement itself.
        ([ADD, "ALTER TABLE item ADD CHECK (qty > 0)"], None),
    ],
)
def test_a_lock_is_kept_until_the_transaction_ends(sql: list[str], severity: str | None) -> None:
    text = "; ".join(["BEGIN", *sql, "COMMIT;"])
    found = [item for item in judged(text, large=True) if item.id == "lock-kept"]
    assert [item.severity for item in found] == ([severity] if severity else [])
    assert "lock-kept" not in ids(judged(text))  # brief work on small tables


def test_a_kept_lock_is_said_once_and_names_both() -> None:
    sql = "; ".join(["BEGIN", ADD, FILL, FILL, "COMMIT;"])
    [found] = [item for item in judged(sql, large=True) if item.id == "lock-kept"]
    assert (found.table, found.statement) == ("public.item", 2)
    assert found.message.startswith("ACCESS EXCLUSIVE on public.item, taken by statement 1, is kept while")


def test_a_renamed_table_keeps_its_size_and_its_name_in_the_report() -> None:
    [found] = [
        item
        for item in judged("ALTER TABLE item RENAME TO thing; CREATE INDEX i ON thing (qty)", large=True)
        if item.id == "lock-blocks-writes"
    ]
    assert found.table == "public.item"
    assert "1.0 GiB" in found.message
    assert "9000000 rows" in found.message


@pytest.mark.parametrize(
    ("sql", "missing"),
    [
        ("ALTER TABLE item ADD COLUMN a int", True),
        ("SET lock_timeout = '2s'; ALTER TABLE item ADD COLUMN a int", False),
        ("SET LOCAL lock_timeout = 2000; ALTER TABLE item ADD COLUMN a int", False),
        ("SET LOCAL lock_timeout = '2s'; COMMIT; BEGIN; ALTER TABLE item ADD COLUMN a int", True),
        ("SET lock_timeout = 0; ALTER TABLE item ADD COLUMN a int", True),
        ("SET lock_timeout = '2s'; RESET lock_timeout; ALTER TABLE item ADD COLUMN a int", True),
        ("SET lock_timeout = '2s'; RESET ALL; ALTER TABLE item ADD COLUMN a int", True),
        ("SELECT set_config('lock_timeout', '2s', false); ALTER TABLE item ADD COLUMN a int", False),
        ("SELECT set_config('lock_timeout', '2s', true); COMMIT; BEGIN; ALTER TABLE item ADD COLUMN a int", True),
        ("CREATE TABLE fresh (id int); ALTER TABLE fresh ADD COLUMN a int", False),
    ],
)
def test_lock_timeout(sql: str, missing: bool) -> None:
    found = {item.id for item in judged(f"BEGIN; {sql}; COMMIT;", lock_timeout=False)}
    assert ("lock-timeout-missing" in found) == missing


def _lock(**more: t.Any) -> dict[str, t.Any]:
    oid = next(row["oid"] for row in RECORDED["classes"] if row["name"] == "item")
    row = {"oid": oid, "pid": 7, "mode": "AccessShareLock", "granted": True, "state": "idle in transaction"}
    return row | {"application": "report", "blocked_by": [], "transaction_seconds": 900.0, "gives_way": False} | more


@pytest.mark.parametrize(
    ("row", "sql", "said"),
    [
        (_lock(), "ALTER TABLE item ADD COLUMN a int", True),
        (_lock(), "INSERT INTO item (id, name) VALUES (1, 'x')", False),
        (_lock(state="active", transaction_seconds=1.0), "ALTER TABLE item ADD COLUMN a int", False),
        (_lock(state="active", transaction_seconds=60.0), "ALTER TABLE item ADD COLUMN a int", True),
        (_lock(state=None, transaction_seconds=None, application=None), "ALTER TABLE item ADD COLUMN a int", True),
        (_lock(granted=False, state="active", blocked_by=[9]), "ALTER TABLE item ADD COLUMN a int", True),
        (_lock(mode="ShareUpdateExclusiveLock", gives_way=True), "ALTER TABLE item ADD COLUMN a int", False),
    ],
)
def test_who_stands_in_the_way(row: dict[str, t.Any], sql: str, said: bool) -> None:
    assert ("lock-held" in {item.id for item in judged(sql, locks=[row])}) == said


def test_rights() -> None:
    classes = copy.deepcopy(RECORDED["classes"])
    for row in classes:
        row |= {"may_alter": False, "may_reference": row["name"] == "parent", "owner": "boss"}
    found = judged("ALTER TABLE item ADD COLUMN a int; ALTER TABLE item DROP COLUMN note", classes=classes)
    assert [item.message for item in found if item.id == "privilege-missing"] == [
        "public.item belongs to boss, of which the role postgres is no member."
    ]
    assert "privilege-missing" not in ids(judged("CREATE TABLE f (id int REFERENCES parent)", classes=classes))
    server = {"may_create": False, "role": "app"}
    assert "privilege-missing" in ids(judged("CREATE TABLE f (id int)", server=server))


def test_the_strongest_lock_of_a_revision_is_on_the_largest_table() -> None:
    def form(revision: str, *locks: tuple[str, int | None]) -> dict[str, t.Any]:
        sizes = [{"mode": mode} | ({} if size is None else {"total_bytes": size}) for mode, size in locks]
        return {"revision": revision, "locks": sizes}

    every = ("ACCESS EXCLUSIVE", None), ("ACCESS EXCLUSIVE", 7), ("ACCESS EXCLUSIVE", 5)
    forms = [form("1", ("SHARE", 90), ("EXCLUSIVE", 1)), form("2"), form("3", *every), form("1", ("NONE", 99))]
    assert Judgement(forms, []).strongest_locks() == {
        "1": {"mode": "EXCLUSIVE", "total_bytes": 1},
        "3": {"mode": "ACCESS EXCLUSIVE", "total_bytes": 7},
    }


def test_a_revision_that_cannot_be_rendered_is_never_safe() -> None:
    judge = Judge(
        from_facts(RECORDED, timezone="UTC", schema="public"),
        RECORDED,
        RECORDED["server"],
        Thresholds(),
        lock_timeout_set=True,
    )
    upgrade = rendered("", error="AttributeError: no bind", inspects="op.get_bind()")
    [found] = judge.judge([], upgrade.segments).findings
    assert (found.id, found.severity) == ("revision-not-rendered", "unknown")


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TYPE mood RENAME TO feeling",
        "ALTER TYPE mood RENAME VALUE 'low' TO 'lower'",
        "ALTER SCHEMA attic RENAME TO cellar",
        "ALTER FUNCTION bump() RENAME TO jump",
        "ALTER TABLE other SET SCHEMA attic",
    ],
)
def test_renames(sql: str) -> None:
    assert "rename" in ids(judged(sql))
