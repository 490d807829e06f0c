"""What the runbook tells people to type in the night is at least SQL that parses and Python that Alembic renders."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pglast
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import CATALOGUE
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import AlembicProcess
from ansible_collections.ai_platform.agent.plugins.module_utils._release import diagnosis, log_causes

from dev import runbook_index
from tests.unit.plugins.module_utils._in_pod.project import Project

RUNBOOK = (Path(__file__).resolve().parents[5] / "docs" / "runbook.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in RUNBOOK.split("\n### ")[1:]}


def _blocks(language: str) -> list[tuple[str, str]]:
    return [
        (name, text)
        for name, section in SECTIONS.items()
        for text in re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    ]


# What a failed release's last sentence leads to; the last one is waiting.py's.
DIAGNOSED = {*diagnosis.RUNBOOK.values(), *log_causes.HEADINGS, "node-lost"}


def test_each_section_is_a_finding_and_each_link_a_section() -> None:
    parts = set(re.findall(r"^## (.*)$", RUNBOOK, re.MULTILINE))
    assert set(SECTIONS) == set(CATALOGUE) | (DIAGNOSED - parts)
    # The index names the headings of parts too; tests/unit/docs holds its links.
    before, _begin, rest = RUNBOOK.partition(runbook_index.BEGIN)
    text = before + rest.partition(runbook_index.END)[2]
    assert set(re.findall(r"\]\(#([a-z-]+)\)", text)) <= set(SECTIONS)


@pytest.mark.parametrize(("name", "text"), _blocks("sql"))
def test_the_sql_parses(name: str, text: str) -> None:
    assert pglast.parse_sql(text)


def test_the_operations_render(tmp_path: Path) -> None:
    project, last = Project(tmp_path), None
    blocks = _blocks("python")
    for number, (_name, text) in enumerate(blocks):
        body = "    import sqlalchemy as sa\n" + textwrap.indent(text, "    ")
        project.add(f"{number:04}", last, body=body)
        last = f"{number:04}"
    with AlembicProcess(tmp_path / "alembic.ini", "heads", 30) as alembic:
        alembic.graph()
        rendered = alembic.render([])
    assert [(blocks[int(item.revision)][0], item.error) for item in rendered.segments if item.error] == []
    assert len(rendered.segments) == len(blocks) >= 5
    assert pglast.parse_sql(rendered.sql)
