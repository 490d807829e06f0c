"""The page of a plan: the word at its top, everything on it, nothing of it believed."""

from __future__ import annotations

import html
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._page.plan_page import headline, plan_page

from tests.unit.plugins.module_utils._page.plans import ALL, MARKUP, doubtful, entry, nothing, plan, upgrade

Json = dict[str, t.Any]


@pytest.mark.parametrize(
    ("made", "word", "level"),
    [
        (nothing(), "Would change nothing", "good"),
        (upgrade(), "Would change", "neutral"),
        (doubtful(), "Would stop", "bad"),
        (doubtful() | {"stops": []}, "Would change", "warn"),
        (plan(entry("Service", "old", "removed")), "Would change", "warn"),
        (plan(entry("Service", "new", "added"), preflight={}), "Would change", "warn"),
        (plan(entry("Service", "new", "added"), volumes=["data grows."]), "Would change", "warn"),
    ],
)
def test_the_word_at_the_top(made: Json, word: str, level: str) -> None:
    assert headline(made) == (word, level)


@pytest.mark.parametrize("name", ALL)
def test_everything_is_on_it_and_escaped(name: str) -> None:
    made = ALL[name]()
    page = plan_page(made)
    assert "<script>" not in page
    fields = [each for one in made["objects"] for each in one["differences"]]
    values = [each[key] for each in fields for key in ("path", "before", "after") if each[key] is not None]
    values += [line for each in fields for line in each.get("lines", ())]
    values += [*made["stops"], *made["hooks"], *made["pods"], *made["volumes"], *made["unseen"], made["digest"]]
    for value in values:
        assert html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page


def test_one_object_stays_as_it_is() -> None:
    assert "would change 3 objects, add 1; 1 object would stay as it is." in plan_page(upgrade())


def test_the_gravest_stands_first() -> None:
    page = plan_page(doubtful())
    assert page.index("PodDisruptionBudget") < page.index(html.escape(MARKUP)) < page.index("PersistentVolumeClaim")
    assert page.index("What would stop it") < page.index("What happens")
