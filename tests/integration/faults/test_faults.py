"""Each fault of tests/faults.yml under load: the old version serves, the role says what is wrong, the next run heals.

A fault whose `finding` is empty is one that the same run survives: it must end well.
"""

from __future__ import annotations

import time
import typing as t

import pytest
import yaml

from lab.paths import ROOT
from tests.integration.role.conftest import Run

from . import in_controllers, in_images, in_migration, in_nodes, in_servers
from .stage import NEW, OLD, Stage
from .told import Row, Table, sentence

FAULTS: list[dict[str, t.Any]] = yaml.safe_load((ROOT / "tests/faults.yml").read_text(encoding="utf-8"))["faults"]
PLACES = (in_images, in_migration, in_servers, in_controllers, in_nodes)


def happens(key: str) -> t.Callable[[Stage], Run]:
    """The function that makes a fault, and runs the role in it."""
    (found,) = {getattr(place, key) for place in PLACES if hasattr(place, key)}
    return t.cast("t.Callable[[Stage], Run]", found)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["key"])
def test_the_old_version_serves_on_and_the_next_run_heals(fault: dict[str, t.Any], stage: Stage, table: Table) -> None:
    row = Row(fault["fault"], fault["finding"], "")
    before, begin = stage.asked.counts(), time.monotonic()
    try:
        run = happens(fault["key"])(stage)
        row.said, row.seconds = sentence(run), time.monotonic() - begin
        (stage.there.folder / f"{fault['key']}.log").write_text(run.output, encoding="utf-8")
        at_work = [*sorted(stage.versions()), stage.there.revision()]
        meanwhile = stage.asked.more(5)
        begin = time.monotonic()
        healed = stage.run(**in_controllers.MENDED)
        row.heal_seconds = time.monotonic() - begin
        (stage.there.folder / f"{fault['key']}-healed.log").write_text(healed.output, encoding="utf-8")
        after = stage.asked.more(20)
        row.requests = after["requests"] - before["requests"]
        row.later, row.failed = (after[name] - before[name] for name in ("later", "wrong"))
        row.first_failed = after["first_wrong"]
        row.healed = (healed.code, stage.versions(), stage.there.revision()) == (0, {"1.1.0"}, NEW)
    finally:
        table.add(row)
        print(f"\n{row}", flush=True)
        stage.set_back()
    words = " ".join(run.output.split())
    assert row.healed, healed.output[-3000:]
    assert (run.code == 0) is (not fault["finding"]), words[-3000:]
    assert fault["says"] in words, words[-3000:]
    assert not fault["finding"] or fault["finding"] in words, words[-3000:]
    assert at_work == fault.get("leaves", ["1.0.0", OLD] if fault["finding"] else ["1.1.0", NEW])
    # What a version refuses that ends by itself is its own; nothing more is refused when it is gone.
    spared = meanwhile["wrong"] - before["wrong"] if fault.get("own") else 0
    assert row.failed == spared, row
    assert fault.get("away") or row.later == 0, row
