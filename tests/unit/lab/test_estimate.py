from __future__ import annotations

from pathlib import Path

import pytest

from lab import __main__ as commands
from lab import cluster, engine, estimate, images, node, shell, source
from lab.estimate import Plan

ORDER = {"compile": (), "system": (), "pack": ("compile", "system"), "cluster": ("pack",)}
EXPECTED = {"compile": 100.0, "system": 30.0, "pack": 10.0, "cluster": 60.0}


@pytest.mark.parametrize(
    ("done", "running", "seconds"),
    [
        ((), {}, 170),
        ((), {"compile": 40.0, "system": 5.0}, 130),
        (("compile",), {"system": 10.0}, 90),
        # What takes longer than expected counts no less than nothing.
        (("system",), {"compile": 400.0}, 70),
        (("compile", "system", "pack"), {"cluster": 59.0}, 1),
        (tuple(ORDER), {}, 0),
    ],
)
def test_what_remains_is_the_longest_way_through_what_is_left(
    done: tuple[str, ...], running: dict[str, float], seconds: float
) -> None:
    assert Plan(ORDER, EXPECTED, "").remaining(done, running) == pytest.approx(seconds)


def test_a_step_that_takes_longer_is_named() -> None:
    plan = Plan(ORDER, EXPECTED, "")
    assert plan.late({"compile": 129.0, "system": 61.0}) == ["system"]


def test_the_last_run_of_the_same_kind_is_what_is_expected(tmp_path: Path) -> None:
    records = tmp_path / "cache" / "durations.json"
    order = {"deploy": (), "ask": ("deploy",)}
    shipped = estimate.plan(estimate.THERE, order, records)
    assert (shipped.expected["deploy"], shipped.source) == (
        estimate.SHIPPED[estimate.THERE]["deploy"],
        "on two idle cores",
    )
    estimate.record(estimate.THERE, {"deploy": 7.04, "ask": 2.0}, records)
    estimate.record(estimate.BUILT, {"deploy": 50.0}, records)
    last = estimate.plan(estimate.THERE, order, records)
    assert (dict(last.expected), last.source) == ({"deploy": 7.0, "ask": 2.0}, "as the last time")


@pytest.mark.parametrize("text", ["", "[]", '{"there": 3}', '{"there": {"deploy": "long"}}', "\0"])
def test_records_that_cannot_be_read_are_worth_no_failure(tmp_path: Path, text: str) -> None:
    records = tmp_path / "durations.json"
    records.write_text(text)
    assert estimate.plan(estimate.THERE, {"deploy": ()}, records).expected["deploy"] > 0


@pytest.mark.parametrize("kind", [estimate.FIRST, estimate.COMPILED])
def test_every_shipped_figure_is_of_a_step_that_there_is(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "chosen", lambda: source.PACKAGES)
    steps = {step.name for step in commands._lab()} | {"deploy", "ask"}
    assert set(estimate.SHIPPED[kind]) <= steps
    if kind == estimate.FIRST:
        assert set(estimate.SHIPPED[kind]) == steps


COMPILED = ("kubernetes-1", "calico-1", "programs-1")


@pytest.mark.parametrize(
    ("there", "cache", "kind"),
    [
        ((), (), estimate.FIRST),
        (("engine",), ("kubernetes-1", "calico-1"), estimate.FIRST),
        (("image", "cluster"), COMPILED, estimate.COMPILED),
        (("engine", "image"), COMPILED, estimate.BUILT),
        (("engine", "image", "cluster"), (), estimate.THERE),
    ],
)
def test_the_kind_of_a_run_is_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], cache: tuple[str, ...], kind: str
) -> None:
    for name in cache:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(commands, "CACHE", tmp_path)
    monkeypatch.setattr(engine, "answers", lambda: "engine" in there)
    monkeypatch.setattr(images, "present", lambda _name: "image" in there)
    monkeypatch.setattr(node, "reference", lambda: "node:1")
    monkeypatch.setattr(cluster, "exists", lambda: "cluster" in there)
    assert commands._kind() == kind


def test_a_failed_command_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        shell.run(["no-such-program"], log="x", what="trying")

    monkeypatch.setitem(commands.COMMANDS, "up", fail)
    monkeypatch.setattr("sys.argv", ["lab", "up"])
    assert commands.main() == 1
    said = capsys.readouterr()
    assert "error: trying failed" in said.err
    assert "The same command goes on from here: what was finished is kept. The logs are in" in said.out
