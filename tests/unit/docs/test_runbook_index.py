"""The runbook's index names every section, with a link that leads to it."""

from __future__ import annotations

import re

from dev import runbook_index


def test_index_is_written_from_the_headings() -> None:
    text = runbook_index.RUNBOOK.read_text()
    assert runbook_index.updated(text) == text, "run `python -m dev.runbook_index`"


def test_every_link_leads_to_one_heading() -> None:
    text = runbook_index.RUNBOOK.read_text()
    begun = text.partition(runbook_index.BEGIN)[2]
    links = re.findall(r"\]\(#([^)]+)\)", begun.partition(runbook_index.END)[0])
    headings = [runbook_index.anchor(heading) for _level, heading in runbook_index.HEADING.findall(text)]
    assert len(links) > 100
    assert sorted(links) == sorted(headings)
    assert len(set(links)) == len(links)
