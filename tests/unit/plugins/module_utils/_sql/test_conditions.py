"""What a condition of a DO block looks for."""

# ruff: noqa: E501, S608 - tables

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.conditions import Combined, Look, condition_of

TYPE = "SELECT 1 FROM pg_type WHERE typname = 'mood'"
READ = {
    f"EXISTS ({TYPE})": Look("type", "mood"),
    f"NOT EXISTS ({TYPE})": Combined("not", (Look("type", "mood"),)),
    f"EXISTS ({TYPE} AND typnamespace = 'a'::regnamespace)": Look("type", "mood", "one", "a"),
    f"EXISTS ({TYPE} AND pg_type_is_visible(oid))": Look("type", "mood", "path"),
    "EXISTS (SELECT FROM pg_type t, pg_namespace n WHERE n.oid = t.typnamespace AND 'm' = t.typname AND nspname = 'a')": Look(
        "type", "m", "one", "a"
    ),
    "EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 't' AND schemaname = current_schema)": Look(
        "relation", "t", "current", kinds=frozenset("rp")
    ),
    "to_regclass('a.t') IS NOT NULL": Look("relation", "t", "one", "a"),
    "to_regclass('T') IS NULL": Combined("not", (Look("relation", "t", "path"),)),
    "EXISTS (SELECT FROM pg_constraint WHERE conname = 'k' AND conrelid = 'a.t'::regclass)": Look(
        "constraint", "k", "one", "a", "t"
    ),
    f"EXISTS (SELECT FROM pg_enum WHERE enumlabel = 'sad' AND enumtypid = ({TYPE.replace('1', 'oid')}))": Look(
        "label", "sad", table="mood"
    ),
    "EXISTS (SELECT FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'mood' AND e.enumlabel = 'sad')": Look(
        "label", "sad", table="mood"
    ),
    "EXISTS (SELECT FROM pg_enum WHERE enumlabel = 'sad' AND enumtypid = 'a.mood'::regtype)": Look(
        "label", "sad", "one", "a", "mood", wanted=True
    ),
    "EXISTS (SELECT FROM pg_proc WHERE proname = 'touch')": Look("function", "touch"),
    "EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader')": Look("role", "reader"),
}
UNREAD = [
    "EXISTS (SELECT count(*) FROM pg_type WHERE typname = 'mood')",
    "EXISTS (SELECT 1 FROM pg_type WHERE typname LIKE 'mood')",
    "EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood' OR typname = 'other')",
    "EXISTS (SELECT 1 FROM pg_type WHERE typname = name_of_a_variable)",
    "EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood' LIMIT 0)",
    "EXISTS (SELECT 1 FROM pg_type t, pg_namespace n WHERE typname = 'mood' AND nspname = 'a')",
    "EXISTS (SELECT 1 FROM pg_type t LEFT JOIN pg_namespace n ON n.oid = t.typnamespace WHERE typname = 'mood')",
    "EXISTS (SELECT 1 FROM own.pg_type WHERE typname = 'mood')",
    "EXISTS (SELECT 1 FROM information_schema.columns WHERE column_name = 'a')",
    "EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'a' AND is_nullable = 'NO')",
    "EXISTS (SELECT 1 FROM t)",
    "EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'sad')",
    "EXISTS (SELECT 1 FROM pg_enum e, pg_type t WHERE e.enumlabel = 'sad' AND t.typname = 'mood')",
    "EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'sad' AND enumtypid = (SELECT oid FROM pg_class WHERE relname = 't'))",
    "EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'touch' AND pronamespace = 'a'::regnamespace)",
    f"EXISTS (SELECT 1 FROM pg_type WHERE typname = '{'m' * 64}')",
    "EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 't' AND schemaname = current_user)",
    "to_regclass(a) IS NULL",
    "x UNION SELECT 1",
    "1 INTO t",
    "- 1 = 1",
    "EXISTS (VALUES (1))",
    "EXISTS (SELECT 1)",
    "1 = 1",
    "",
]


@pytest.mark.parametrize("text", READ)
def test_what_is_read(text: str) -> None:
    assert condition_of(text) == READ[text]


@pytest.mark.parametrize("text", UNREAD)
def test_what_is_not_read_is_left_to_the_server(text: str) -> None:
    assert condition_of(text) is None
