"""Revisions that commit in their middle and go on."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.partial_revisions import partial_revisions

from tests.unit.plugins.module_utils._sql.claims import parsed

ADD = "ALTER TABLE t ADD a int"
BUILD = "CREATE INDEX CONCURRENTLY i ON t (a)"
AGAIN = "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)"


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        # A plus stands before what runs in an autocommit_block.
        ((f"+{BUILD}",), []),
        (("+SET lock_timeout = 0", f"+{BUILD}", "+RESET lock_timeout"), []),
        ((ADD, f"+{BUILD}"), [1]),
        ((f"+{BUILD}", ADD), [1]),
        ((f"+{AGAIN}", ADD), []),
        ((f"+{AGAIN}", f"+{BUILD}"), []),
        ((f"+{BUILD}", "+CREATE INDEX CONCURRENTLY j ON t (b)"), [1]),
        (("ALTER TABLE t ADD IF NOT EXISTS a int", f"+{BUILD}"), []),
        (("UPDATE t SET a = 1 WHERE a IS NULL", f"+{AGAIN}", ADD), []),
        ((ADD, "CREATE TABLE u (id int)"), []),
    ],
)
def test_what_cannot_be_run_again(statements: tuple[str, ...], said: list[int]) -> None:
    found = [
        parsed(text.removeprefix("+"), alone=text.startswith("+"), number=number)
        for number, text in enumerate(statements, 1)
    ]
    assert [item.statement for item in partial_revisions(found)] == said


def test_each_revision_for_itself() -> None:
    found = [parsed(BUILD, alone=True, number=1, revision="a"), parsed(ADD, number=2, revision="b")]
    assert partial_revisions(found) == []
