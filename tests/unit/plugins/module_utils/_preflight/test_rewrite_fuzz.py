"""No SQL, however odd, brings the rewriting to a halt: what comes out is Python, with SQL that PostgreSQL can read."""

from __future__ import annotations

import ast
import copy
import json

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE
from ansible_collections.ai_platform.agent.plugins.module_utils._common.policy import Thresholds
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge import Judge
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.rewrite import (
    CURABLE,
    OPAQUE,
    Rewrite,
    Upgrade,
    rewrites,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.catalog_facts import from_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.grammar import parse_sql
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.statements import statements
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._preflight.test_judge import LARGE, RECORDED, rendered
from tests.unit.plugins.module_utils._sql import fuzz
from tests.unit.plugins.module_utils._sql.cases import CASES

FILE = "from alembic import op\nrevision = '0001'\ndown_revision = None\ndef upgrade(): pass\ndef downgrade(): op.x()\n"


def rewritten(sql: str, *, lock_timeout: bool = True) -> list[Rewrite]:
    known = copy.deepcopy(RECORDED) | {"locks": []}
    for row in known["classes"]:
        row |= {"bytes": LARGE, "total_bytes": LARGE, "rows": 9_000_000}
    upgrade = rendered(sql)
    catalog = from_facts(known, timezone="UTC", schema="public")
    judge = Judge(copy.deepcopy(catalog), known, RECORDED["server"], Thresholds(), lock_timeout_set=lock_timeout)
    found = statements(upgrade)
    return rewrites(
        Upgrade(
            graph=Graph(
                {"0001": {"down": [], "depends": [], "labels": [], "title": ""}}, ["0001"], ["0001"], "v", None
            ),
            statements=found,
            segments=upgrade.segments,
            findings=judge.judge(found, upgrade.segments).findings,
            catalog=catalog,
            version=RECORDED["server"]["version"] // 10000,
            small=lambda _table: False,
            unknown=frozenset(),
            characters=32,
            lock_timeout_set=lock_timeout,
            texts=lambda _segment: FILE,
            beside=lambda _segment: {"0001.py"},
        )
    )


def check(sql: str, *, lock_timeout: bool = True) -> None:
    for made in rewritten(sql, lock_timeout=lock_timeout):
        json.dumps(made.as_dict())
        assert all(item["reason"] for item in made.uncured)
        for text in made.files.values():
            for call in ast.walk(ast.parse(text)):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "execute":
                    arguments = [item for item in call.args if isinstance(item, ast.Constant)]
                    for argument in arguments:
                        parse_sql(str(argument.value).replace("\\:", ":"))


@pytest.mark.parametrize("lock_timeout", [True, False])
def test_every_kind_of_statement_is_rewritten_or_left(lock_timeout: bool) -> None:
    for sql in fuzz.CORPUS:
        check(f"BEGIN; {sql}; COMMIT;", lock_timeout=lock_timeout)


@pytest.mark.parametrize("case", [case for case in CASES if not case.before], ids=lambda case: case.name)
def test_each_statement_with_a_cost_has_a_rewrite_or_a_reason(case: object) -> None:
    sql, alone = case.sql, case.alone  # type: ignore[attr-defined]
    check(f"{sql};" if alone else f"BEGIN; {sql}; COMMIT;")


@fuzz.THOROUGH
@given(st.lists(fuzz.statements(), min_size=1, max_size=4))
def test_whatever_stands_in_an_upgrade_is_rewritten_or_left(texts: list[str]) -> None:
    check(";\n".join(texts))


def test_the_lists_of_findings_are_of_the_catalogue() -> None:
    assert CATALOGUE.keys() >= CURABLE | OPAQUE
    assert not CURABLE & OPAQUE
