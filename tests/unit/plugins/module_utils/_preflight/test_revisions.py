"""The state of a database in a revision graph: by examples, and by random graphs against Alembic's own answers."""

from __future__ import annotations

import pytest
from alembic.script.revision import Revision, RevisionMap
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revision_findings import position_findings
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revisions import (
    Live,
    ancestors,
    position,
    with_deployed_graph,
)
from hypothesis import given, settings
from hypothesis import strategies as st


def revision_map(*lines: str) -> RevisionMap:
    """A graph from lines such as `c: a b > d` (c comes after a and b and depends on d)."""
    revisions = []
    for line in lines:
        name, _, rest = line.partition(":")
        down, _, depends = rest.partition(">")
        label = None
        if "@" in name:
            name, _, label = name.partition("@")
        revisions.append(
            Revision(
                name.strip(),
                tuple(down.split()) or None,
                tuple(depends.split()) or None,
                label.strip() if label else None,
            )
        )
    return RevisionMap(lambda: revisions)


def graph_of(known: RevisionMap, targets: list[str] | None = None) -> Graph:
    nodes = {
        item.revision: {
            "down": list(item._versioned_down_revisions),
            "depends": list(item._resolved_dependencies),
            "labels": sorted(item.branch_labels),
            "title": "",
        }
        for item in known._revision_map.values()
        if item is not None
    }
    return Graph(nodes, list(known.heads), targets or list(known.heads), "alembic_version", None)


LINE = ("a:", "b: a", "c: b")
FORK = ("a:", "b: a", "x: a")
MERGE = (*FORK, "m: b x")
TWO = ("a@left: ", "b: a", "x@right: ", "y: x")


@pytest.mark.parametrize(
    ("lines", "rows", "tables", "targets", "state"),
    [
        (LINE, None, False, None, "absent"),
        (LINE, None, True, None, "unknown"),
        (LINE, (), False, None, "absent"),
        (LINE, (), True, None, "unknown"),
        (LINE, ("a",), True, None, "behind"),
        (LINE, ("c",), True, None, "current"),
        (LINE, ("c",), True, ["b"], "ahead"),
        (LINE, ("zz",), True, None, "unknown"),
        (LINE, ("a", "zz"), True, None, "diverged"),
        (FORK, ("b",), True, None, "behind"),
        (FORK, ("b",), True, ["x"], "diverged"),
        (FORK, ("b", "x"), True, None, "current"),
        (FORK, ("b", "x"), True, ["x"], "ahead"),
        (MERGE, ("b", "x"), True, None, "behind"),
        (MERGE, ("m",), True, None, "current"),
        (TWO, ("a",), True, None, "behind"),
        (TWO, ("a", "y"), True, ["b"], "behind"),
        (TWO, ("b", "y"), True, ["b"], "current"),
        (("a:", "b: a", "d: > a"), ("d",), True, None, "behind"),
        (("a:", "d: > a"), ("d",), True, None, "current"),
    ],
)
def test_state(
    lines: tuple[str, ...], rows: tuple[str, ...] | None, tables: bool, targets: list[str] | None, state: str
) -> None:
    graph = graph_of(revision_map(*lines), targets)
    assert position(graph, Live(rows, tables)).state == state


def test_a_revision_that_the_directory_does_not_know_is_named() -> None:
    graph = graph_of(revision_map(*LINE))
    where = position(graph, Live(("zz",), True))
    assert (where.unknown, where.upgradable) == (("zz",), False)
    [found] = position_findings(graph, ("zz",), where)
    assert (found.id, found.severity) == ("revision-unknown", "fail")
    assert "zz" in found.message


@pytest.mark.parametrize(("lines", "severity"), [(FORK, "fail"), (TWO, "warn")])
def test_several_heads_fail_unless_all_are_labelled_branches(lines: tuple[str, ...], severity: str) -> None:
    graph = graph_of(revision_map(*lines))
    rows = tuple(graph.heads)
    found = {item.id: item for item in position_findings(graph, rows, position(graph, Live(rows, True)))}
    assert found["multiple-heads"].severity == severity
    assert "2 rows" in found["version-table-rows"].message


@st.composite
def graphs(draw: st.DrawFn) -> tuple[RevisionMap, str, list[str]]:
    """A graph, a target in it, and the rows of a version table that Alembic could have written."""
    names = [f"r{number}" for number in range(draw(st.integers(1, 12)))]
    lines = []
    for number, name in enumerate(names):
        before = names[:number]
        down = draw(st.lists(st.sampled_from(before), max_size=2, unique=True)) if before else []
        free = [item for item in before if item not in down]
        depends = draw(st.lists(st.sampled_from(free), max_size=1)) if free else []
        lines.append(f"{name}: {' '.join(down)} > {' '.join(depends)}")
    known = revision_map(*lines)
    applied = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    graph = graph_of(known)
    rows = [one for one in applied if not any(one in ancestors(graph, [other]) for other in applied if other != one)]
    return known, draw(st.sampled_from(["heads", *names])), sorted(rows)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_what_is_pending_is_what_alembic_says(drawn: tuple[RevisionMap, str, list[str]]) -> None:
    known, target, rows = drawn
    targets = [item.revision for item in known.get_revisions(target) if isinstance(item, Revision)]
    graph = graph_of(known, targets)
    steps = known.iterate_revisions(target, tuple(rows), implicit_base=True)
    pending = {item.revision for item in steps if isinstance(item, Revision)}
    assert ancestors(graph, targets) - ancestors(graph, rows) == pending
    where = position(graph, Live(tuple(rows), True))
    if rows:
        assert (where.state in {"current", "ahead"}) == (not pending)
        assert where.upgradable == bool(pending)


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_applied_is_what_alembic_counts_as_applied(drawn: tuple[RevisionMap, str, list[str]]) -> None:
    known, _target, rows = drawn
    revisions = known.get_revisions(tuple(rows))
    counted = known._get_ancestor_nodes(revisions, include_dependencies=True, check=False)
    assert ancestors(graph_of(known), rows) == {item.revision for item in counted}


OLDER = ("a:", "b: a")


@pytest.mark.parametrize(
    ("deployed", "rows", "same", "state"),
    [
        (LINE, ("c",), False, "ahead"),
        (("a:", "b: a", "c: b", "d: c"), ("d",), False, "ahead"),
        # another history, or one that leaves the target aside
        (("x:", "c: x"), ("c",), False, "unknown"),
        (("a:", "c: a"), ("c",), False, "unknown"),
        (LINE, ("zz",), False, "unknown"),
        (None, ("c",), False, "unknown"),
        (None, ("c",), True, "ahead"),
        (LINE, ("b", "c"), False, "ahead"),
    ],
)
def test_a_rollback_is_ahead_by_what_the_deployed_image_knows(
    deployed: tuple[str, ...] | None, rows: tuple[str, ...], same: bool, state: str
) -> None:
    graph = graph_of(revision_map(*OLDER))
    before = position(graph, Live(rows, has_tables=True))
    assert before.state in {"unknown", "diverged"}
    known = graph_of(revision_map(*deployed)) if deployed else None
    found = with_deployed_graph(before, graph, rows, known, same=same)
    assert found.state == state
    assert not found.upgradable
    ids = [item.id for item in position_findings(graph, rows, found)]
    assert ("state-ahead" in ids, "revision-unknown" in ids) == (state == "ahead", state != "ahead")


def test_what_is_known_stays_as_it_is() -> None:
    graph = graph_of(revision_map(*LINE))
    found = position(graph, Live(("a",), has_tables=True))
    assert with_deployed_graph(found, graph, ("a",), None, same=True) == found
