"""An index that takes the place of another one is there before that goes, or there is no rewrite."""

from __future__ import annotations

import re

import pytest

from tests.unit.plugins.module_utils._preflight.test_rewrite_fuzz import rewritten


def statements(sql: str) -> list[str]:
    """What the one file of a rewrite runs, in order."""
    [made] = rewritten(sql)
    assert made.files, made.uncured
    [text] = made.files.values()
    body = text[text.index("def upgrade") : text.index("def downgrade")]
    return re.findall(r"(?:CREATE|DROP|ALTER) [^\"]*", body.replace('"\n            "', ""))


def reasons(sql: str) -> str:
    [made] = rewritten(sql)
    assert not made.files
    return " ".join(item["reason"] for item in made.uncured)


@pytest.mark.parametrize(
    ("sql", "drop"),
    [
        (
            "ALTER TABLE item DROP CONSTRAINT item_pkey; ALTER TABLE item ADD PRIMARY KEY (big)",
            "ALTER TABLE item DROP CONSTRAINT item_pkey",
        ),
        (
            "ALTER TABLE item DROP CONSTRAINT item_pkey, ADD CONSTRAINT item_pkey PRIMARY KEY (big)",
            "ALTER TABLE item DROP CONSTRAINT item_pkey",
        ),
        ("DROP INDEX item_qty; CREATE INDEX item_qty ON item (qty, big)", "DROP INDEX CONCURRENTLY IF EXISTS item_qty"),
        ("DROP INDEX item_qty; CREATE INDEX more ON item (qty, big)", "DROP INDEX CONCURRENTLY IF EXISTS item_qty"),
        (
            "DROP INDEX item_big, item_name; CREATE UNIQUE INDEX item_name ON item (name, big)",
            "DROP INDEX CONCURRENTLY IF EXISTS item_big",
        ),
        (
            "DROP INDEX item_big; ALTER TABLE item ADD CONSTRAINT item_big UNIQUE (big)",
            "DROP INDEX CONCURRENTLY IF EXISTS item_big",
        ),
    ],
)
def test_the_build_comes_before_the_drop(sql: str, drop: str) -> None:
    found = statements(sql)
    builds = [number for number, text in enumerate(found) if text.startswith("CREATE")]
    assert builds
    assert max(builds) < found.index(drop), found


def test_what_has_the_name_of_the_old_one_gets_it_at_the_end() -> None:
    found = statements("DROP INDEX item_qty; CREATE INDEX item_qty ON item (qty, big)")
    given = re.fullmatch(r"ALTER INDEX (\w+) RENAME TO item_qty", found[-1])
    assert given
    assert any(text.startswith(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {given[1]} ON item") for text in found)
    key = statements("ALTER TABLE item DROP CONSTRAINT item_pkey; ALTER TABLE item ADD PRIMARY KEY (big)")
    assert re.fullmatch(
        r"ALTER TABLE item ADD CONSTRAINT item_pkey PRIMARY KEY USING INDEX item_pkey_given_.+", key[-1]
    )


def test_another_table_is_no_successor() -> None:
    found = statements("DROP INDEX item_qty; CREATE INDEX more ON bare (a)")
    assert found[0] == "DROP INDEX CONCURRENTLY IF EXISTS item_qty"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "DROP INDEX item_big; CREATE TABLE x (a int); CREATE UNIQUE INDEX item_big2 ON item (big)",
            "public.item_big is dropped before it, and until the build ends nothing would keep doubles out",
        ),
        (
            "ALTER TABLE item DROP CONSTRAINT item_pkey, ADD COLUMN n int, ADD PRIMARY KEY (n)",
            "builds another one of a column that is new",
        ),
    ],
)
def test_where_the_build_cannot_come_first_there_is_none(sql: str, reason: str) -> None:
    assert reason in reasons(sql)


def test_what_may_show_a_part_of_the_write() -> None:
    found = reasons("UPDATE item SET big = (SELECT 1 FROM shown s WHERE s.id = item.id)")
    assert "it reads shown, which may show what a part of it has written already" in found
