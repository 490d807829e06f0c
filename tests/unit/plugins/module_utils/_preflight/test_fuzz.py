"""No SQL, however odd, brings the preflight to a halt: each is judged, or said not to be understood."""

from __future__ import annotations

import json

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import statements
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._preflight.test_judge import judged, rendered
from tests.unit.plugins.module_utils._sql import fuzz


def check(sql: str) -> None:
    found = statements(rendered(sql))
    json.dumps(facts_request(found))
    for item in judged(sql):
        assert item.id in CATALOGUE
        json.dumps(item.__dict__, default=str)


def test_every_kind_of_statement_is_judged() -> None:
    for sql in fuzz.CORPUS:
        check(sql)


@fuzz.THOROUGH
@given(st.lists(fuzz.statements(), min_size=1, max_size=4))
@example(["SELECT 1\x00"])
@example(["(" * 5000])
@example([";" * 5000])
def test_whatever_stands_in_an_upgrade_is_judged(texts: list[str]) -> None:
    check(";\n".join(texts))
