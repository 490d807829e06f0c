"""``make test``: the stages in order, each counted; the last line is ``N passed, N failed``."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev import browser, sanity
from dev.fresh.run import two_commands
from dev.tally import VENV, Tally, environment
from lab import cluster, engine, needs, registry, source, tools
from lab.paths import BIN, LAB, ROOT
from lab.progress import LabError, minutes, say

MOLECULE = LAB / "molecule"


def lint(tally: Tally) -> None:
    """Linters, ansible-test sanity, and Helm's own on the assembled chart with the values of every environment."""

    def playbooks(count: Tally) -> None:
        count.command("ansible-lint (production)", [VENV / "ansible-lint", "--offline", "--strict"])
        for core in sanity.OLDER:
            _sanity(count, core, sanity.DEPENDENT)

    def newest(count: Tally) -> None:
        _sanity(count, sanity.NEWEST)

    # ansible-lint, and pylint in the sanity tests, take as long as all the others each.
    tally.side_by_side(playbooks, newest, _lint_others)


def sanity_older(tally: Tally) -> None:
    """The artefact: all of ansible-test sanity with the older ansible-core too, Galaxy's rules, its documentation."""
    tally.command("galaxy-importer", [sys.executable, "-m", "dev.importer"])
    tally.pytest("site", ["tests/integration/site"])
    for core in sanity.OLDER:
        _sanity(tally, core)


def _sanity(tally: Tally, core: str, tests: Sequence[str] = ()) -> None:
    words: list[object] = [sys.executable, "-m", "dev.sanity", core]
    for test in tests:
        words += ["--test", test]
    note = ": what depends on it" if tests else ""
    tally.command(f"ansible-test sanity, ansible-core {sanity.CORES[core]}{note}", words)


def _lint_others(tally: Tally) -> None:
    tally.command("commit subjects", [VENV / "python", "-m", "dev.commit_subjects"])
    tally.command("ruff", [VENV / "ruff", "check", "."])
    tally.command("ruff format", [VENV / "ruff", "format", "--check", "."])
    tally.command("mypy", [ROOT / "dev" / "mypy.sh"])
    tally.command("yamllint", [VENV / "yamllint", "--strict", "."])
    docs = [VENV / "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=self", "."]
    # antsibull-docs copies kubernetes.core for the documentation that ours includes; inside a git repository it copies
    # only what is committed there, and the virtual environment is not. Its log goes to the home folder.
    home = LAB / "home"
    home.mkdir(parents=True, exist_ok=True)
    tally.command("antsibull-docs", docs, {"GIT_CEILING_DIRECTORIES": str(VENV.parent), "HOME": str(home)})
    tally.command("antsibull-changelog", [VENV / "antsibull-changelog", "lint"])
    if tally.command("make chart", [VENV / "python", "-m", "dev.assemble_chart"]):
        chart = ROOT / "build" / "ai-agent-chart"
        for values in sorted(chart.glob("values-*.yaml")):
            tally.command(f"helm lint {values.name}", [BIN / "helm", "lint", "--strict", chart, "-f", values])


def unit(tally: Tally) -> None:
    """Logic, without a server."""
    tally.pytest("unit", ["tests/unit"], workers=2)


def chart(tally: Tally) -> None:
    """Rendered manifests."""
    tally.pytest("chart", ["tests/chart"], workers=2)


def host(tally: Tally) -> None:
    """A newcomer's machine: apt in all its states, and bare Debians in containers."""
    engine.ensure()
    tally.pytest("host", ["tests/integration/host"], workers=2)


def fresh(tally: Tally) -> None:
    """The README's two commands on a bare Debian with an engine of its own; FRESH_CACHE=folder lends it caches."""
    engine.ensure()
    lent = os.environ.get("FRESH_CACHE")
    for title, why in two_commands(Path(lent) if lent else None):
        tally.count(title, why)


def preflight(tally: Tally) -> None:
    """The modules that work on a database, each on an old and a new PostgreSQL, without Docker."""
    servers = {"PREFLIGHT_VERSIONS": "15,18"}
    tally.pytest("preflight", ["tests/integration/preflight"], workers=2, seconds=2700, extra=servers)
    tally.pytest("retention", ["tests/integration/retention"], workers=2)
    tally.pytest("rotation", ["tests/integration/rotation"], workers=2)
    tally.pytest("backup", ["tests/integration/backup"], workers=2, extra=servers)


def report(tally: Tally) -> None:
    """The report's page and the agent's chat in a real browser, and the module in playbooks without a cluster."""
    browser.ensure()
    tally.pytest("report", ["tests/integration/report", "tests/integration/chat_page"], workers=2)


def controller(tally: Tally) -> None:
    """Controllers that cannot write to the project or to a home folder, up to the point where a cluster is needed."""
    tally.pytest("controller", ["tests/integration/controller", "tests/integration/oci"], workers=2)


def events(tally: Tally) -> None:
    """The rulebook in ansible-rulebook, which needs Java."""
    tally.pytest("events", ["tests/integration/events"])


def versions(tally: Tally) -> None:
    """migration_preflight against the other major versions of PostgreSQL."""
    servers = {"PREFLIGHT_VERSIONS": "14,16,17"}
    tally.pytest("versions", ["tests/integration/preflight"], workers=2, seconds=7200, extra=servers)


def histories(tally: Tally) -> None:
    """Whole Alembic histories of real projects from PyPI, judged and run; and input that nobody would write."""
    tally.pytest("histories", ["tests/integration/histories"], workers=2, seconds=3600)
    fuzz = ["tests/unit/plugins/module_utils/_preflight/test_fuzz.py", "tests/integration/preflight/test_fuzz.py"]
    tally.pytest("fuzz", fuzz, workers=2, extra={"FUZZ_EXAMPLES": "10000", "PREFLIGHT_VERSIONS": "18"})


def servers(tally: Tally) -> None:
    """Each server of examples/, from PyPI, as processes: its migration and start by values alone, and its contract."""
    # The trial waits until a server that was taken away is missed, more than for a processor.
    tally.pytest("contract", ["tests/integration/contract"], workers=3)
    # One server after the other: each listens on the port of its values.
    tally.pytest("servers", ["tests/integration/servers"], seconds=3600)


def integration(tally: Tally) -> None:
    """A real PostgreSQL and Redis, in containers of the project's images."""
    folders = [f"tests/integration/{name}" for name in ("agent", "schema", "images", "connectivity")]
    folders.append("tests/integration/mirror/test_images.py")
    # These tests wait for containers and time limits more than for a processor.
    tally.pytest("integration", folders, [VENV / "python", "-m", "dev.servers"], workers=3)


def on_cluster(tally: Tally) -> None:
    """The lab itself, an install, the role's bad input, the preflight; a cluster that was up before stays up."""

    # Three that take equally long: each waits for the cluster, for Helm or for ssh more than for a processor.
    def on_the_lab(count: Tally) -> None:
        _molecule(count, "install")
        count.pytest("lab", ["tests/integration/lab"])
        count.pytest("preflight-cluster", ["tests/integration/preflight_cluster"])

    def role(count: Tally) -> None:
        count.pytest("role", ["tests/integration/role"], seconds=2400)
        count.pytest("fleet", ["tests/integration/fleet"])

    def beside_it(count: Tally) -> None:
        # This stage runs the lab's programs and an API server of its own.
        count.pytest("api-server", ["tests/integration/api_server"], seconds=2400)

    with _lab():
        tally.side_by_side(on_the_lab, role, beside_it)


def release(tally: Tally) -> None:
    """A release's life and the three environments at once: plain helm, then the role; what the preflight stops."""
    with _lab():
        tally.pytest("release", ["tests/integration/release"], seconds=3600)
        _molecule(tally, "environments")
        _molecule(tally, "preflight")
        _molecule(tally, "connectivity")
        _molecule(tally, "uninstall")
        _molecule(tally, "retention")


def operations(tally: Tally) -> None:
    """What is done to a release that serves, under load: passwords that rotate, a version that does worse."""
    with _lab():
        tally.pytest("operations", ["tests/integration/operations"], seconds=4800)
        _molecule(tally, "rotation")


def faults(tally: Tally) -> None:
    """Nineteen faults of an upgrade under load: the old version serves on, the role names each, the next run heals."""
    with _lab():
        tally.pytest("faults", ["tests/integration/faults/test_faults.py"], seconds=5400)


def kills(tally: Tally) -> None:
    """Installs and upgrades killed at moments that nobody chose: each is mended by the next run, and nobody notices."""
    with _lab():
        tally.pytest("kills", ["tests/integration/faults/test_kills.py"], seconds=7200)


def helm3(tally: Tally) -> None:
    """A release's life, and the three environments at once, with Helm 3."""
    # Everything that this stage starts inherits it; Molecule brings up the lab, which links the Helm that is asked for.
    os.environ["LAB_HELM"] = "3"
    try:
        with _lab():
            tally.pytest("release-helm3", ["tests/integration/release"], seconds=3600)
            _molecule(tally, "environments", "Helm 3")
    finally:
        del os.environ["LAB_HELM"]
        tally.command("Helm 4 again", [sys.executable, "-m", "lab", "helm"])


def bitnami(tally: Tally) -> None:
    """The three environments with Bitnami's own charts, where their registry can be reached."""
    words = [sys.executable, "-m", "dev.assemble_chart", "--subcharts", "bitnami"]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"  SKIPPED, nothing was proven: {done.stderr.strip()}")
        return
    with _lab():
        folder = "tests/integration/release/test_environments.py"
        tally.pytest("bitnami", [folder], extra={"LAB_SUBCHARTS": "bitnami"})


def documentation(tally: Tally) -> None:
    """Every command of the documentation, in the printed order, on the lab."""
    with _lab():
        tally.pytest("documentation", ["tests/integration/documentation"], seconds=5400)


def disturbances(tally: Tally) -> None:
    """Nodes drained and lost, the lab killed in each of its steps."""
    with _lab():
        tally.pytest("disturbances", ["tests/integration/disturbances"])


def mirror(tally: Tally) -> None:
    """The lab in a closed network: a mirror is filled, and everything that is released comes from there."""
    engine.ensure()
    tally.pytest("mirror", ["tests/integration/mirror"], seconds=3000)


def _molecule(tally: Tally, scenario: str, note: str = "") -> None:
    title = f"molecule scenario {scenario}" + (f" ({note})" if note else "")
    # Molecule's own folder outlives a killed run: with instances that are gone, and locks that nobody gives back.
    shutil.rmtree(MOLECULE, ignore_errors=True)
    env = {"LAB_KEEP": "1", "MOLECULE_EPHEMERAL_DIRECTORY": str(MOLECULE)}
    tally.command(title, [VENV / "molecule", "test", "-s", scenario], env)


@contextmanager
def _lab() -> Iterator[None]:
    engine.ensure()
    there = cluster.exists()
    words = [sys.executable, "-m", "lab", "lab-up"]
    if subprocess.run(words, cwd=ROOT, check=False).returncode:
        raise LabError("the lab's cluster did not come up, so no scenario could run: its message is above")
    try:
        yield
    finally:
        if not there:
            cluster.remove()
            registry.remove()


# What a stage takes from this machine's distribution; all of it is asked for before the first stage begins.
_LAB = (needs.ENGINE, needs.ROOTS)
NEEDS = {"report": (needs.BROWSER,), "sanity": (needs.BROWSER,), "events": (needs.JAVA,)} | dict.fromkeys(
    (
        "host",
        "fresh",
        "integration",
        "cluster",
        "release",
        "operations",
        "faults",
        "kills",
        "helm3",
        "bitnami",
        "documentation",
        "disturbances",
        "mirror",
    ),
    _LAB,
)
HELM = {"lint", "chart", "controller", "integration", "cluster", "release", "operations", "helm3", "bitnami"}
HELM |= {"documentation", "faults", "kills", "servers"}
"""Stages that call helm."""

STAGES: dict[str, Callable[[Tally], None]] = {
    "lint": lint,
    "sanity": sanity_older,
    "unit": unit,
    "chart": chart,
    "host": host,
    "fresh": fresh,
    "preflight": preflight,
    "report": report,
    "controller": controller,
    "events": events,
    "integration": integration,
    "cluster": on_cluster,
    "release": release,
    "operations": operations,
    "faults": faults,
    "kills": kills,
    "helm3": helm3,
    "bitnami": bitnami,
    "versions": versions,
    "histories": histories,
    "servers": servers,
    "documentation": documentation,
    "disturbances": disturbances,
    "mirror": mirror,
}


def require(stages: Sequence[str]) -> None:
    """Leave with what *stages* take from this machine's distribution.

    :raises LabError: something is missing and this run may not, or cannot, install it
    """
    wanted = {need: None for name in stages for need in NEEDS.get(name, ())}
    if needs.ROOTS in wanted and source.chosen() == source.REGISTRIES:
        del wanted[needs.ROOTS]
    needs.ensure(*wanted)


def main() -> int:
    """Exit code 0 when everything passed."""
    parser = argparse.ArgumentParser(prog="python -m dev.suite", description=__doc__)
    parser.add_argument("stages", nargs="+", choices=STAGES)
    tally = Tally()
    begin = time.monotonic()
    stages = parser.parse_args().stages
    try:
        require(stages)
        if HELM.intersection(stages):
            tools.helm()
    except LabError as error:
        say(f"error: {error}")
        return 1
    for name in stages:
        say(f"\n== {name}: {(STAGES[name].__doc__ or '').strip()}")
        start = time.monotonic()
        try:
            STAGES[name](tally)
        except LabError as error:
            say(f"error: {error}")
            tally.failures.append(name)
        say(f"== {name} took {minutes(time.monotonic() - start)}")
    for failure in tally.failures:
        say(f"FAILED {failure}")
    say(f"took {minutes(time.monotonic() - begin)}{' in CI' if os.environ.get('CI') else ''}")
    say(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 1 if tally.failures or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
