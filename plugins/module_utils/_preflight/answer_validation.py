"""Answers of a foreign image: used only after their form was checked, so that none can trip what reads them."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import (
    Each,
    Graph,
    graph_of,
    rendered_of,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered, Segment

Message = dict[str, t.Any]

_SEGMENT = {field.name for field in dataclasses.fields(Segment)}


def validated_graph(answer: t.Any) -> Graph:
    """The graph, all of whose revisions are known.

    :raises FindingError: the answer has not the form that our program gives it
    """
    with_form = _dictionary(answer)
    table = _dictionary(with_form.get("version_table"))
    _check(isinstance(table.get("name"), str) and isinstance(table.get("schema"), str | None))
    if "online" in with_form:
        _online(with_form["online"])
    nodes = _dictionary(with_form.get("nodes"))
    for node in map(_dictionary, nodes.values()):
        _check(isinstance(node.get("title"), str))
        for name in ("down", "depends", "labels"):
            _check(_texts(node.get(name)))
        _check({*node["down"], *node["depends"]} <= nodes.keys())
    for name in ("heads", "targets"):
        _check(_texts(with_form.get(name)) and set(with_form[name]) <= nodes.keys())
    return graph_of(with_form)


def _online(answer: t.Any) -> None:
    seen = _dictionary(answer)
    _check({"options", "offline", "driver", "executed", "autocommit", "problem", "begun", "timeouts"} <= seen.keys())
    for options in (_dictionary(seen.get("options")), _dictionary(seen.get("offline"))):
        _check(all(isinstance(value, str | bool | None) for value in options.values()))
    _check(all(isinstance(value, str) for value in _dictionary(seen.get("timeouts")).values()))
    _check(_texts(seen.get("executed")) and isinstance(seen.get("autocommit"), bool))
    _check(all(isinstance(seen.get(name), str | None) for name in ("driver", "problem", "begun")))


def validated_sql(answers: t.Iterator[Message], graph: Graph, each: Each) -> Rendered:
    """The SQL, cut by revisions of `graph`.

    :raises FindingError: an answer has not the form that our program gives it
    """
    return rendered_of((_part(answer, graph) for answer in answers), each)


def _part(answer: Message, graph: Graph) -> Message:
    _check(isinstance(answer.get("sql"), str) and isinstance(answer.get("segments"), list))
    for segment in map(_dictionary, answer["segments"]):
        _check(segment.keys() == _SEGMENT)
        _check(isinstance(segment["revision"], str) and segment["revision"] in graph.nodes)
        _check(all(isinstance(segment[name], int) for name in ("start", "end")))
        _check(all(isinstance(segment[name], str) for name in ("doc", "path")))
        _check(all(isinstance(segment[name], str | None) for name in ("error", "inspects", "source")))
        for name in ("lines", "checkfirst_spans"):
            _check(isinstance(segment[name], list) and all(map(_is_pair, segment[name])))
    return answer


def _is_pair(value: t.Any) -> bool:
    """Two whole numbers, as JSON has them."""
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, int) for item in value)


def _dictionary(value: t.Any) -> Message:
    _check(isinstance(value, dict))
    return t.cast("Message", value)


def _texts(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _check(fits: object) -> None:
    if not fits:
        words = "The image's answer has not the form that the collection's own program gives it"
        raise FindingError("alembic-env-failed", f"{words}; look for what changes Python itself in the image.")


__all__ = ("validated_graph", "validated_sql")
