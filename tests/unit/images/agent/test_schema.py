from __future__ import annotations

import pytest

from agent.schema import Graph

GRAPH = Graph(frozenset({"0006"}), frozenset({"0001", "0002", "0006"}))


@pytest.mark.parametrize(
    ("live", "ready", "sentence"),
    [
        ([], False, "no schema yet, this image needs 0006"),
        (["0002"], False, "at 0002, behind this image's 0006"),
        (["0006"], True, "at 0006"),
        (["0007"], True, "at 0007, ahead of this image's 0006"),
    ],
)
def test_at_or_ahead_is_ready_and_behind_is_not(live: list[str], ready: bool, sentence: str) -> None:
    found, said = GRAPH.judge(frozenset(live))
    assert found is ready
    assert sentence in said


def test_the_image_has_one_head_and_the_next_version_is_one_ahead() -> None:
    graph = Graph.load()
    assert graph.heads == {"0006"}
    assert "0007" not in graph.known
