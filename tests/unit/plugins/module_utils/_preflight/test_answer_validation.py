"""What a foreign image may answer: only the form of our own program gets through, everything else is one error."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Online
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.answer_validation import (
    validated_graph,
    validated_sql,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.env_findings import own_timeouts

NODE = {"down": ["0001"], "depends": [], "labels": [], "title": "Two."}
GRAPH: dict[str, t.Any] = {
    "nodes": {"0001": NODE | {"down": []}, "0002": NODE},
    "heads": ["0002"],
    "targets": ["0002"],
    "version_table": {"name": "alembic_version", "schema": None},
}
SEGMENT = {"revision": "0002", "start": 0, "end": 8, "doc": "", "path": "2.py", "error": None, "inspects": None}
SEGMENT |= {"source": "versions/2.py", "lines": [[0, 14]], "checkfirst_spans": [[0, 8]]}
PART: dict[str, t.Any] = {"sql": "SELECT 1", "segments": [SEGMENT]}


def changed(answer: dict[str, t.Any], path: tuple[t.Any, ...], value: t.Any) -> dict[str, t.Any]:
    """A copy with another value at this path; `...` as the value removes it."""
    answer = copy.deepcopy(answer)
    place: t.Any = answer
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return answer


def test_the_form_of_our_own_program() -> None:
    graph = validated_graph(GRAPH)
    seen: list[str] = []
    rendered = validated_sql(iter([PART | {"more": True}, PART]), graph, lambda sql, _segments: seen.append(sql))
    assert (graph.heads, graph.version_table) == (["0002"], "alembic_version")
    assert (len(rendered.segments), seen) == (2, ["SELECT 1", "SELECT 1"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("nodes",), []),
        (("nodes", "0002"), None),
        (("nodes", "0002", "down"), "0001"),
        (("nodes", "0002", "down"), [["0001"]]),
        (("nodes", "0002", "down"), ["0009"]),
        (("nodes", "0002", "depends"), ...),
        (("nodes", "0002", "title"), 7),
        (("heads",), ...),
        (("heads",), ["0009"]),
        (("targets",), [{}]),
        (("version_table",), "alembic_version"),
        (("version_table", "name"), None),
        (("version_table", "schema"), 1),
    ],
)
def test_another_graph(path: tuple[t.Any, ...], value: t.Any) -> None:
    with pytest.raises(FindingError) as caught:
        validated_graph(changed(GRAPH, path, value))
    assert caught.value.id == "alembic-env-failed"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("sql",), None),
        (("segments",), {}),
        (("segments", 0), "0002"),
        (("segments", 0, "revision"), "0009"),
        (("segments", 0, "revision"), ["0002"]),
        (("segments", 0, "revision"), ...),
        (("segments", 0, "start"), "0"),
        (("segments", 0, "more"), 1),
        (("segments", 0, "doc"), None),
        (("segments", 0, "error"), 3),
        (("segments", 0, "source"), 1),
        (("segments", 0, "lines"), [[0, "14"]]),
        (("segments", 0, "lines"), [[0, 1, 2]]),
        (("segments", 0, "lines"), {}),
    ],
)
def test_another_part_of_the_sql(path: tuple[t.Any, ...], value: t.Any) -> None:
    with pytest.raises(FindingError) as caught:
        validated_sql(iter([changed(PART, path, value)]), validated_graph(GRAPH), lambda _sql, _segments: None)
    assert caught.value.id == "alembic-env-failed"


def test_none_at_all() -> None:
    answers: tuple[t.Any, ...] = (None, [], "x", 1)
    for answer in answers:
        with pytest.raises(FindingError):
            validated_graph(answer)


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("40", 40), ("2s", 2000), ("10min", 600_000), ("0", 0), ("1.5 s", 1500), ("soon", None)]
)
def test_time_outs_of_env_are_read(text: str, milliseconds: int | None) -> None:
    online = Online({}, {}, None, [], autocommit=False, problem=None, timeouts={"statement_timeout": text})
    assert own_timeouts(online) == ({} if milliseconds is None else {"statement_timeout": milliseconds})
