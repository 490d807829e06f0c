"""Where squawk sees a statement of cases.py otherwise than PostgreSQL or the preflight, and who is right.

``python -m tests.unit.plugins.module_utils._sql.squawk`` writes the table, squawk.md, from the reasons below and
from what squawk and the preflight say. squawk reads SQL text; the preflight reads it too, and the catalogue of the
database that it will meet.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

sys.path.insert(0, "collections")

from tests.unit.plugins.module_utils._preflight.test_judge import judged
from tests.unit.plugins.module_utils._sql.cases import AX, CASES, SRX, S, X

TABLE = Path(__file__).with_name("squawk.md")
SQUAWK = Path(sys.executable).parent / "squawk"
VERSION = 18
# What takes long under a lock that others wait for.
SLOW = {
    "adding-field-with-default", "adding-foreign-key-constraint", "adding-not-nullable-field",
    "adding-serial-primary-key-field", "changing-column-type", "constraint-missing-not-valid",
    "disallowed-unique-constraint", "require-concurrent-index-creation", "require-concurrent-index-deletion",
    "require-concurrent-partition-detach", "require-concurrent-reindex", "adding-required-field",
}  # fmt: skip
# What the version still running cannot live with.
BREAKING = {
    "ban-alter-identity", "ban-drop-column", "ban-drop-constraint", "ban-drop-default", "ban-drop-generated-expression",
    "ban-drop-not-null", "ban-drop-sequence", "ban-drop-table", "ban-drop-view", "ban-set-schema",
    "ban-truncate-cascade", "renaming-column", "renaming-object", "renaming-table", "ban-drop-database",
}  # fmt: skip
OURS = {"destructive", "rename", "contract-phase", "statement-opaque"}
COST = "does it rewrite or scan under a lock that others wait for"
RUNNING = "does the version still running suffer"


class Difference(t.NamedTuple):
    """One statement on which the two differ: what squawk says, and what PostgreSQL or the preflight says."""

    sql: str
    question: str
    squawk: str
    server: str


class Reason(t.NamedTuple):
    """Who is right about one of the two questions, why, and for which statements."""

    right: t.Literal["squawk", "preflight", "both"]
    question: str
    why: str
    statements: tuple[str, ...]


REASONS = (
    Reason(
        "preflight",
        COST,
        "the function is not volatile (pg_proc), so the default is stored once, in the catalogue",
        (
            "ALTER TABLE item ADD COLUMN extra int DEFAULT fixed()",
            "ALTER TABLE item ADD COLUMN extra text DEFAULT lower('A')",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "a domain with a constraint is checked row by row, by a rewrite",
        (
            "ALTER TABLE item ADD COLUMN extra positive",
            "ALTER TABLE item ADD COLUMN extra positive DEFAULT 1",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "nextval() is volatile",
        (
            "ALTER TABLE item ADD COLUMN extra serial",
            "ALTER TABLE item ADD COLUMN extra bigserial",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "a virtual column is computed when it is read",
        ("ALTER TABLE item ADD COLUMN extra int GENERATED ALWAYS AS (qty + 1) VIRTUAL",),
    ),
    Reason(
        "preflight",
        COST,
        "the check is validated against every row",
        (
            "ALTER TABLE item ADD COLUMN extra int CHECK (extra > 0)",
            "ALTER TABLE item ADD COLUMN extra int DEFAULT 1 CHECK (extra > 0)",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "the rows of every column of the domain are read, under a lock that writes wait for",
        (
            "ALTER DOMAIN positive ADD CHECK (VALUE < 99)",
            "ALTER DOMAIN positive ADD CONSTRAINT filled NOT NULL",
            "ALTER DOMAIN positive SET NOT NULL",
            "ALTER DOMAIN positive VALIDATE CONSTRAINT small",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "a new column is null everywhere, nothing is checked; both locks are brief, and reported",
        ("ALTER TABLE item ADD COLUMN extra int REFERENCES parent",),
    ),
    Reason(
        "preflight",
        RUNNING,
        "inserts of the running version may leave the column out",
        (
            "ALTER TABLE item ALTER COLUMN note SET NOT NULL",
            "ALTER TABLE item ALTER COLUMN name SET NOT NULL",
            "ALTER TABLE item ALTER COLUMN proven SET NOT NULL",
            "ALTER TABLE item ALTER COLUMN both_a SET NOT NULL",
            "ALTER TABLE item ALTER COLUMN hoped SET NOT NULL",
            "ALTER TABLE base ALTER COLUMN note SET NOT NULL",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "what the running version writes is lost at a crash, or misses what a trigger did for it",
        ("ALTER TABLE other SET UNLOGGED", "ALTER TABLE item DISABLE TRIGGER item_noted"),
    ),
    Reason(
        "preflight",
        COST,
        "NOT NULL holds already, or a valid check proves it; only the catalogue tells",
        (
            "ALTER TABLE item ALTER COLUMN name SET NOT NULL",
            "ALTER TABLE item ALTER COLUMN proven SET NOT NULL",
            "ALTER TABLE item ALTER COLUMN both_a SET NOT NULL",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "stored values are computed anew",
        ("ALTER TABLE item ALTER COLUMN doubled SET EXPRESSION AS (id * 3)",),
    ),
    Reason(
        "preflight",
        COST,
        "the relfilenode stays (same, wider or binary-coercible type); the changed type itself is a finding of both",
        (
            "ALTER TABLE item ALTER COLUMN qty TYPE int",
            "ALTER TABLE item ALTER COLUMN ref TYPE int",
            "ALTER TABLE item ALTER COLUMN name TYPE varchar(30)",
            "ALTER TABLE item ALTER COLUMN name TYPE text",
            "ALTER TABLE item ALTER COLUMN note TYPE label",
            "ALTER TABLE item ALTER COLUMN long TYPE text",
            "ALTER TABLE item ALTER COLUMN note TYPE varchar",
            "ALTER TABLE item ALTER COLUMN note TYPE bpchar",
            'ALTER TABLE item ALTER COLUMN note TYPE text COLLATE "C"',
            "ALTER TABLE item ALTER COLUMN note TYPE text USING note",
            "ALTER TABLE item ALTER COLUMN note TYPE text USING note::text",
            "ALTER TABLE item ALTER COLUMN note TYPE varchar USING note::varchar",
            "ALTER TABLE item ALTER COLUMN amount TYPE numeric(12, 2)",
            "ALTER TABLE item ALTER COLUMN amount TYPE numeric",
            "ALTER TABLE item ALTER COLUMN bits TYPE varbit(16)",
            "ALTER TABLE item ALTER COLUMN bits TYPE varbit",
            "ALTER TABLE item ALTER COLUMN address TYPE inet",
            "ALTER TABLE item ALTER COLUMN seen TYPE timestamp",
            "ALTER TABLE item ALTER COLUMN local TYPE timestamptz",
            "ALTER TABLE item ALTER COLUMN precise TYPE timestamptz",
            "ALTER TABLE item ALTER COLUMN coarse TYPE timestamptz",
            "ALTER TABLE item ALTER COLUMN coarse TYPE timestamptz(6)",
            "ALTER TABLE item ALTER COLUMN tagged TYPE text",
            "ALTER TABLE parent ALTER COLUMN code TYPE varchar(30)",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "NOT ENFORCED is never checked",
        ("ALTER TABLE item ADD CONSTRAINT c CHECK (qty > 0) NOT ENFORCED",),
    ),
    Reason(
        "preflight",
        RUNNING,
        "no write or read of the running version fails because a check or foreign key went",
        (
            "ALTER TABLE item DROP CONSTRAINT item_both",
            "ALTER TABLE item DROP CONSTRAINT item_parent",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "there is no such constraint",
        ("ALTER TABLE item DROP CONSTRAINT IF EXISTS nothing",),
    ),
    Reason(
        "preflight",
        RUNNING,
        "queries name neither indexes nor constraints, but for ON CONFLICT ON CONSTRAINT",
        (
            "ALTER TABLE item RENAME CONSTRAINT item_both TO item_pair",
            "ALTER INDEX item_qty RENAME TO item_quantity",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "the column is nullable, and PRIMARY KEY has to prove NOT NULL",
        ("ALTER TABLE bare ADD CONSTRAINT bare_key PRIMARY KEY USING INDEX bare_a",),
    ),
    Reason(
        "preflight",
        COST,
        "the default partition is scanned under ACCESS EXCLUSIVE",
        (
            "CREATE TABLE bucket_9 PARTITION OF bucket FOR VALUES FROM (90) TO (95)",
            "ALTER TABLE bucket ATTACH PARTITION bucket_2 FOR VALUES FROM (20) TO (30)",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "there is no such table",
        ("DROP TABLE IF EXISTS nothing",),
    ),
    Reason(
        "preflight",
        RUNNING,
        "rows are gone",
        (
            "TRUNCATE other",
            "TRUNCATE event",
            "DELETE FROM other",
            "WITH moved AS (DELETE FROM other RETURNING *) INSERT INTO base SELECT * FROM moved",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "the relfilenode changes",
        (
            "ALTER TABLE other SET UNLOGGED",
            "ALTER TABLE scratch SET LOGGED",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "the new partition is scanned under ACCESS EXCLUSIVE",
        ("ALTER TABLE event ATTACH PARTITION event_3 FOR VALUES FROM (20) TO (30)",),
    ),
    Reason(
        "both",
        COST,
        "no scan, but a brief ACCESS EXCLUSIVE on the parent, which is reported",
        (
            "ALTER TABLE event DETACH PARTITION event_1",
            "ALTER TABLE bucket DETACH PARTITION bucket_1",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "the partition's rows leave the table",
        (
            "ALTER TABLE event DETACH PARTITION event_1",
            "ALTER TABLE bucket DETACH PARTITION bucket_1",
            "ALTER TABLE event DETACH PARTITION event_1 CONCURRENTLY",
        ),
    ),
    Reason(
        "preflight",
        COST,
        "the index exists, which only the catalogue tells",
        ("CREATE INDEX IF NOT EXISTS item_qty ON item (qty)",),
    ),
    Reason(
        "preflight",
        COST,
        "the parent of partitions has no rows",
        ("CREATE INDEX i ON ONLY event (note)",),
    ),
    Reason(
        "both",
        COST,
        "no work, but a brief ACCESS EXCLUSIVE on the table, which is reported",
        (
            "DROP INDEX item_qty",
            "DROP INDEX IF EXISTS nothing",
            "DROP INDEX event_note",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "what the trigger did is no longer done",
        ("DROP TRIGGER item_noted ON item",),
    ),
    Reason(
        "preflight",
        COST,
        "the relfilenode changes under ACCESS EXCLUSIVE",
        (
            "REFRESH MATERIALIZED VIEW summed",
            "VACUUM FULL other",
            "CLUSTER other USING other_id",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "the running version may need the right",
        ("REVOKE SELECT ON parent FROM PUBLIC",),
    ),
    Reason(
        "preflight",
        RUNNING,
        "who owned it before has no right to it any more that was not granted",
        (
            "ALTER TABLE other OWNER TO CURRENT_USER",
            "ALTER FUNCTION bump() OWNER TO CURRENT_USER",
            "ALTER TYPE mood OWNER TO CURRENT_USER",
            "ALTER DOMAIN positive OWNER TO CURRENT_USER",
            "ALTER SCHEMA attic OWNER TO CURRENT_USER",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "whoever does not own the table sees and writes other rows than before",
        (
            "ALTER TABLE other ENABLE ROW LEVEL SECURITY",
            "ALTER POLICY item_own ON item USING (false)",
            "DROP POLICY item_own ON item",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "the running version gets what the new definition gives",
        (
            "CREATE OR REPLACE VIEW shown AS SELECT id, name FROM item",
            "CREATE OR REPLACE FUNCTION bump() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        ),
    ),
    Reason(
        "preflight",
        RUNNING,
        "its inserts get other numbers, which may be taken",
        (
            "ALTER SEQUENCE tick INCREMENT BY 2",
            "ALTER SEQUENCE tick RESTART WITH 100",
        ),
    ),
)


def said(folder: Path) -> dict[str, set[str]]:
    """The rules that squawk names for each statement, in a file of its own and inside a transaction as Alembic's."""
    for number, case in enumerate(CASES):
        (folder / f"{number:04}.sql").write_text(f"{case.sql};\n")
    words: list[str | Path] = [SQUAWK, "--reporter", "json", "--pg-version", f"{VERSION}.0", "--assume-in-transaction"]
    done = subprocess.run([*words, *sorted(folder.glob("*.sql"))], capture_output=True, text=True, check=False)
    found: dict[str, set[str]] = {case.sql: set() for case in CASES}
    for row in json.loads(done.stdout):
        found[CASES[int(Path(row["file"]).stem)].sql].add(row["rule_name"])
    return found


def differences(folder: Path) -> list[Difference]:
    """Every difference, in the order of cases.py; `folder` is empty and takes squawk's input."""
    rules_of = said(folder)
    found = []
    for case in CASES:
        cost = case.cost(VERSION)
        if cost is None:
            continue
        slow = any(one.mode in {AX, X, SRX, S} and (one.rewrite or one.scan) for one in cost.values())
        rules = rules_of[case.sql] & SLOW
        if bool(rules) != slow:
            words = "rewrites or scans under a lock that blocks" if slow else "no rewrite, no scan"
            found.append(Difference(case.sql, COST, ", ".join(sorted(rules)) or "-", words))
        rules = rules_of[case.sql] & BREAKING
        ours = {item.id for item in judged(case.sql)} & OURS
        if bool(rules) != bool(ours):
            words = ", ".join(sorted(ours)) or "-"
            found.append(Difference(case.sql, RUNNING, ", ".join(sorted(rules)) or "-", words))
    return found


def table(found: t.Sequence[Difference]) -> str:
    """squawk.md: the statements by reason, each reason once."""
    version = subprocess.run([SQUAWK, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    by = {(one.sql, one.question): one for one in found}
    parts = [
        "# The preflight and squawk",
        "<!-- written by `python -m tests.unit.plugins.module_utils._sql.squawk` from the reasons in squawk.py -->",
        f"Over the statements of [cases.py](cases.py), squawk {version} and PostgreSQL {VERSION} (or the preflight)"
        f" differ {len(found)} times, for {len(REASONS)} reasons, about two questions: {COST}; and {RUNNING}."
        " The server is the judge of the first. squawk's rules of style (`prefer-…`, `require-…-timeout`)"
        " are not compared.",
    ]
    for reason in REASONS:
        rows = [by[sql, reason.question] for sql in reason.statements]
        cells = [f"| `{row.sql.replace('|', chr(92) + '|')}` | {row.squawk} | {row.server} |" for row in rows]
        who = "Both are right" if reason.right == "both" else f"The right one: {reason.right}"
        parts += [
            f"## {reason.why[0].upper()}{reason.why[1:]}",
            f"{who}. The question: {reason.question}?",
            "\n".join(["| statement | squawk | PostgreSQL, or the preflight |", "|---|---|---|", *cells]),
        ]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Write the table; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        found = differences(Path(folder))
    told = {(sql, reason.question) for reason in REASONS for sql in reason.statements}
    for one in found:
        if (one.sql, one.question) not in told:
            print(f"no reason says who is right: {one}", file=sys.stderr)
            return 1
    TABLE.write_text(table(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
