"""No statement gets lost on the way from Alembic's text to the judgement."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import statements
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._preflight.test_judge import judged, rendered

GOOD = st.sampled_from(
    ["SELECT 'ü;'", "ALTER TABLE item ADD a int -- x;", "DO $$ BEGIN; END $$", "UPDATE item SET qty = (1)"]
)
BAD = st.sampled_from(["SELEC 1", "frobnicate", "ALTER TABEL x", "(1;2)", ")", "CREATE TABLE", "'ü' x"])


@given(st.lists(st.one_of(GOOD, BAD), min_size=1, max_size=6), st.booleans())
def test_each_statement_is_read_or_reported(texts: list[str], ended: bool) -> None:
    found = statements(rendered("\n;\n".join(texts) + ("\n;" if ended else "")))
    assert [item.sql.partition("--")[0].strip() for item in found] == [
        text.partition("--")[0].strip() for text in texts
    ]


@pytest.mark.parametrize("sql", ["SELECT 'open", "SELECT $$ open", "/* open", 'SELECT "open'])
def test_a_text_that_not_even_scans(sql: str) -> None:
    assert [item.id for item in judged(f"DROP TABLE other; {sql}")] == ["statement-unparsed"]


def test_comments_are_no_statements() -> None:
    assert statements(rendered("-- Running upgrade\n/* nothing */;\n;")) == []
