"""What of a backup is pure: which are kept, what differs, what a seal holds, and what the record says."""

from __future__ import annotations

import datetime
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._database.backup_record import last_verified
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_manifest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_facts import differences
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_failure import failure
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_folder import BackupFolder, write_record
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_restore import literal, properties
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_retention import (
    Kept,
    Retention,
    superfluous,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
FACTS: t.Final[dict[str, t.Any]] = {
    "counts": {"public.a": 3},
    "revision": ["r1"],
    "large_objects": 2,
    "extensions": {"plpgsql": "1.0"},
    "matviews": {"public.m": True},
    "sequences": {"public.s": [5, 1], "public.down": [-5, -1]},
}


def days(*numbers: float, verified: bool = True) -> list[Kept]:
    return [Kept(f"d{number:g}", NOON - datetime.timedelta(days=number), verified) for number in numbers]


def test_what_is_kept() -> None:
    every_six_hours = days(*(n / 4 for n in range(400)))
    gone = superfluous(every_six_hours, Retention(last=2, daily=3, weekly=2, monthly=2))
    # 29 November 2026 is a Sunday: the last of a day is that of 18:00, of this day that of noon.
    left = [item.name for item in every_six_hours if item.name not in gone]
    assert left == ["d0", "d0.25", "d0.75", "d1.75", "d6.75", "d28.75"]


def test_one_that_is_not_verified_takes_nobodys_place() -> None:
    broken = days(0, 1, 2, verified=False)
    assert superfluous(broken, Retention(1, 0, 0, 0)) == []
    assert superfluous([*broken, *days(1.5)], Retention(1, 0, 0, 0)) == ["d2"]
    assert superfluous([*broken, *days(-1)], Retention(1, 0, 0, 0)) == ["d0", "d1", "d2"]


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.booleans()), max_size=60),
    st.builds(Retention, *[st.integers(0, 9)] * 4),
)
def test_the_newest_verified_one_always_stays(items: list[tuple[int, bool]], rule: Retention) -> None:
    backups = [Kept(f"{n}", NOON + datetime.timedelta(hours=hours), ok) for n, (hours, ok) in enumerate(items)]
    left = [item for item in backups if item.name not in superfluous(backups, rule)]
    newest = max((item for item in backups if item.verified), key=lambda item: (item.time, item.name), default=None)
    assert newest is None or newest in left
    # What stays, stays: the rule comes to rest.
    assert superfluous(left, rule) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"counts": {"public.a": 2}}, "public.a has 2 rows instead of 3 rows"),
        ({"counts": {}}, "public.a has no such table instead of 3 rows"),
        ({"counts": {"public.a": 3, "public.b": 0}}, "public.b has 0 rows instead of no such table"),
        ({"revision": []}, "the schema revision is none instead of r1"),
        ({"large_objects": 1}, "there are 1 large objects instead of 2"),
        ({"extensions": {}}, "the extension plpgsql is missing"),
        ({"matviews": {}}, "the materialized view public.m is missing"),
        ({"matviews": {"public.m": False}}, "the materialized view public.m has no rows yet"),
        ({"sequences": FACTS["sequences"] | {"public.s": [4, 1]}}, "the sequence public.s is at 4 instead of 5"),
        (
            {"sequences": FACTS["sequences"] | {"public.down": [-4, -1]}},
            "the sequence public.down is at -4 instead of -5",
        ),
    ],
)
def test_differences(change: dict[str, t.Any], words: str) -> None:
    assert differences(FACTS, FACTS | change) == [words]


def test_sequences_may_be_ahead() -> None:
    ahead = {"public.s": [9, 1], "public.down": [-9, -1], "public.other": [1, 1]}
    assert differences(FACTS, FACTS | {"sequences": ahead}) == []


def test_a_seal_with_a_key_is_nobody_elses() -> None:
    manifest = {"files": {}, "time": "now"}
    seals = {backup_manifest.seal(manifest, key) for key in (None, "one", "two")}
    assert len(seals) == 3
    assert backup_manifest.seal(manifest | {"seal": "x"}, "one") in seals
    assert backup_manifest.seal(manifest | {"time": "then"}, "one") not in seals


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"files": []}', '{"form": 1, "files": {}, "database": {}}', "[" * 9999]
)
def test_a_manifest_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(CollectorError) as caught:
        backup_manifest.read(tmp_path)
    assert caught.value.id == "backup-corrupt"


def test_a_record_that_was_lost_is_not_verified(tmp_path: Path) -> None:
    folder = tmp_path / "20261129T030000Z"
    folder.mkdir()
    (tmp_path / ".incomplete-20261129T040000Z").mkdir()
    assert [item.record["verified"] for item in BackupFolder(tmp_path).backups()] == [False]
    (folder / "record.json").write_text('{"time": "yesterday", "verified": true}', encoding="utf-8")
    assert [item.record["verified"] for item in BackupFolder(tmp_path).backups()] == [False]
    write_record(folder, {"time": NOON.isoformat(), "verified": True})
    assert BackupFolder(tmp_path).chosen(None).folder == folder


@pytest.mark.parametrize(
    ("records", "wanted"),
    [
        ([], None),
        ({"a": 1}, None),
        ([1, {"verified": "yes", "time": "2026-01-01"}, {"verified": True, "time": "x"}], None),
        (
            [
                {"verified": True, "time": "2026-01-01T03:00:00"},
                {"verified": True, "time": "2026-01-01T03:30:00+01:00"},
            ],
            "2026-01-01T03:00:00+00:00",
        ),
        ([{"verified": False, "time": "2026-02-01T03:00:00+00:00"}], None),
    ],
)
def test_the_record(records: t.Any, wanted: str | None) -> None:
    assert last_verified(json.loads(json.dumps(records))) == wanted


def test_what_belongs_to_a_database_is_quoted() -> None:
    database = {
        "comment": "it's \\ ours", "connection_limit": -1, "rights": [["", "CONNECT", False], ['o"r', "CREATE", True]],
        "settings": [["", "work_mem=5MB"], ['o"r', "search_path=a, \"b\""]],
    }  # fmt: skip
    assert properties('d"b', database) == [
        "COMMENT ON DATABASE \"d\"\"b\" IS E'it''s \\\\ ours'",
        'ALTER DATABASE "d""b" SET "work_mem" TO \'5MB\'',
        'ALTER ROLE "o""r" IN DATABASE "d""b" SET "search_path" TO a, "b"',
        'REVOKE ALL ON DATABASE "d""b" FROM PUBLIC',
        'GRANT CONNECT ON DATABASE "d""b" TO PUBLIC',
        'GRANT CREATE ON DATABASE "d""b" TO "o""r" WITH GRANT OPTION',
    ]
    assert literal("a'b") == "'a''b'"


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("pg_dump: error: could not write to file: No space left on device", "make room"),
        ("pg_dump: error: query failed: ERROR:  permission denied for table x", "pg_read_all_data"),
        ('pg_restore: error: could not execute query: ERROR:  extension "vector" is not available', "extension"),
        ("", "exit 7"),
    ],
)
def test_why_a_program_failed(said: str, cure: str) -> None:
    assert cure in failure("pg_dump", said, 7).message


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("pg_restore: error: could not execute query: ERROR:  permission denied for schema public", "as a superuser"),
        ("pg_restore: error: could not execute query: ERROR:  must be superuser to create", "as a superuser"),
        ("pg_restore: error: could not execute query: ERROR:  function total() does not exist", "SET search_path"),
    ],
)
def test_what_a_restore_lacks_is_no_right_to_read(said: str, cure: str) -> None:
    message = failure("pg_restore", said, 1).message
    assert cure in message
    assert "pg_read_all_data" not in message
