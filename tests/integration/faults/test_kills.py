"""Installs and upgrades that are killed at moments which nobody chose: the next run mends each, and nobody notices.

KILLS says how many upgrades (half as many installs), KILLS_SEED repeats the moments of a run before.
"""

from __future__ import annotations

import json
import os
import random
import time
import typing as t
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from lab.paths import LAB
from tests.integration.release.conftest import Release

from .at_moments import VICTIMS, Wire, at_work
from .in_controllers import MENDED
from .stage import NEW, Running, Stage

UPGRADES = int(os.environ.get("KILLS", "20"))
INSTALLS = UPGRADES // 2
SEED = int(os.environ.get("KILLS_SEED") or random.SystemRandom().randrange(10**6))
KEPT = LAB / "reports" / "kills.json"
FRESH = "kills"
"""Namespace and name of the release that is installed anew each time."""


@dataclass
class Kill:
    """One killed run, and what became of it.

    :param moment: seconds after its begin
    :param left: Helm's word for the release after it
    :param heal_seconds: how long the next run took
    :param failed: requests that were refused or wrong, from the begin of the killed run to the end of the next one
    """

    what: str
    victim: str
    moment: float
    task: str = ""
    left: str = ""
    heal_seconds: float = 0
    requests: int = 0
    later: int = 0
    failed: int = 0
    healed: bool = False

    def __str__(self) -> str:
        """A line of the table."""
        figures = f"{self.requests:6} requests, {self.later} told 503, {self.failed} failed" if self.requests else ""
        heals = f"healed in {self.heal_seconds:.0f} s" if self.healed else "NOT HEALED"
        where = f"{self.moment:5.1f} s, {self.task[:50]}"
        return f"{self.what:8} {self.victim:9} {where:60} {self.left:16} {heals:16} {figures}"


def planned(what: str, count: int, seed: int) -> list[tuple[str, str, float]]:
    """Victims, each as often as the others, with moments as a share of an undisturbed run."""
    chosen = random.Random(f"{seed} {what}")  # noqa: S311 - moments are no secret
    names = [name for name in VICTIMS if what == "upgrade" or name != "node"]
    return [(what, names[number % len(names)], chosen.uniform(0.02, 0.95)) for number in range(count)]


@pytest.fixture(scope="session")
def kills() -> Iterator[list[Kill]]:
    """All of this session, printed at its end and kept in a file."""
    made: list[Kill] = []
    yield made
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps({"seed": SEED, "kills": [asdict(each) for each in made]}, indent=1), encoding="utf-8")
    print(f"\nKILLS_SEED={SEED}")
    for each in made:
        print(each)
    healed = sum(each.healed for each in made)
    print(f"{healed} of {len(made)} healed, {sum(each.failed for each in made)} requests failed")


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """The way to the cluster, for the runs that are killed."""
    made = Wire(tmp_path_factory.mktemp("wire"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def upgrade_seconds(stage: Stage, wire: Wire) -> float:
    """How long an upgrade takes that nobody disturbs."""
    begin = time.monotonic()
    run = stage.begin(ai_agent_kubeconfig=str(wire.kubeconfig), **MENDED).end()
    assert run.code == 0, run.output[-3000:]
    seconds = time.monotonic() - begin
    stage.set_back()
    return seconds


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A release that is not there yet; each test takes it away again."""
    made = Stage(tmp_path_factory.mktemp("kills"))
    made.there = Release(FRESH, FRESH, made.there.folder)
    yield made
    made.there.kubectl("delete", "namespace", FRESH, "--ignore-not-found", "--wait=false", check=False)


@pytest.fixture(scope="session")
def install_seconds(installed: Stage, wire: Wire) -> float:
    """How long an install takes that nobody disturbs."""
    gone(installed)
    begin = time.monotonic()
    run = installed.begin(**new_release(wire)).end()
    assert run.code == 0, run.output[-3000:]
    return time.monotonic() - begin


def new_release(wire: Wire) -> dict[str, t.Any]:
    """Variables of an install."""
    names: dict[str, t.Any] = {"ai_agent_namespace": FRESH, "ai_agent_release_name": FRESH}
    return names | {"ai_agent_create_namespace": True, "ai_agent_kubeconfig": str(wire.kubeconfig)} | MENDED


def gone(installed: Stage) -> None:
    """Take the release away, its volumes and its Secret too."""
    installed.there.kubectl("delete", "namespace", FRESH, "--ignore-not-found", timeout=240)


def killed(kill: Kill, run: Running, wire: Wire) -> None:
    """Wait for the moment, or for the end of the run where that comes first, and strike."""
    end = time.monotonic() + kill.moment
    while time.monotonic() < end and run.process.poll() is None:
        time.sleep(0.05)
    kill.task = at_work(run)
    if run.process.poll() is None:
        VICTIMS[kill.victim](run, wire)
    run.end(600)


def status(stage: Stage) -> str:
    """Helm's word for the release."""
    return stage.there.status() if stage.there.helm("status", stage.there.name).returncode == 0 else "not there"


def whole(stage: Stage) -> bool:
    """Whether the new version serves, alone, on its schema, and Helm says so too."""
    there = stage.there
    return (stage.versions(), there.revision(), status(stage)) == ({"1.1.0"}, NEW, "deployed")


def finished(kill: Kill, kills: list[Kill], folder: Path, output: str) -> None:
    """Keep what was seen, and the output of the run that was to heal it."""
    kills.append(kill)
    print(f"\n{kill}", flush=True)
    (folder / f"kill-{len(kills)}.log").write_text(output, encoding="utf-8")
    assert kill.healed, output[-3000:]


@pytest.mark.parametrize("plan", planned("upgrade", UPGRADES, SEED), ids=lambda plan: f"{plan[1]}-{plan[2]:.3f}")
def test_an_upgrade_is_killed_and_the_next_run_ends_it(
    plan: tuple[str, str, float], stage: Stage, wire: Wire, upgrade_seconds: float, kills: list[Kill]
) -> None:
    kill = Kill(plan[0], plan[1], plan[2] * upgrade_seconds)
    rows = stage.there.sql("SELECT count(*) FROM sessions")
    before = stage.asked.counts()
    run = stage.begin(ai_agent_kubeconfig=str(wire.kubeconfig), **MENDED)
    killed(kill, run, wire)
    kill.left = status(stage)
    begin = time.monotonic()
    healed = stage.run(**MENDED)
    kill.heal_seconds = time.monotonic() - begin
    after = stage.asked.more(20)
    kill.requests, kill.later, kill.failed = (after[name] - before[name] for name in ("requests", "later", "wrong"))
    kill.healed = healed.code == 0 and whole(stage)
    assert int(stage.there.sql("SELECT count(*) FROM sessions")) >= int(rows), "sessions are lost"
    try:
        finished(kill, kills, stage.there.folder, run.output + healed.output)
    finally:
        stage.set_back()
    # A node that is lost takes with it what it was answering.
    assert kill.victim == "node" or (kill.failed, kill.later) == (0, 0), after["first_wrong"]


@pytest.mark.parametrize("plan", planned("install", INSTALLS, SEED), ids=lambda plan: f"{plan[1]}-{plan[2]:.3f}")
def test_an_install_is_killed_and_the_next_run_ends_it(
    plan: tuple[str, str, float], installed: Stage, wire: Wire, install_seconds: float, kills: list[Kill]
) -> None:
    kill = Kill(plan[0], plan[1], plan[2] * install_seconds)
    gone(installed)
    run = installed.begin(**new_release(wire))
    killed(kill, run, wire)
    kill.left = status(installed)
    begin = time.monotonic()
    healed = installed.run(**new_release(wire))
    kill.heal_seconds = time.monotonic() - begin
    kill.healed = healed.code == 0 and whole(installed)
    finished(kill, kills, installed.there.folder, run.output + healed.output)


def test_a_plan_of_kills_can_be_repeated() -> None:
    once, again = (planned("upgrade", 10, 7) for _ in range(2))
    assert once == again != planned("upgrade", 10, 8)
    assert {victim for _, victim, _ in once} == set(VICTIMS)
