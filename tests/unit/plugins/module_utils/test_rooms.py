"""The rooms of module_utils are strictly layered, and what runs in pods needs nothing but what an image has."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
HERE = ROOT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.ai_platform.agent.plugins.module_utils"
# Each room may import what stands to its right, and itself; rooms of one floor do not know each other.
FLOORS = [
    {"_page"},
    {"_preflight", "_connectivity", "_retention", "_contract", "_rotation"},
    {"_database"},
    {"_release"},
    {"_kube"},
    {"_in_pod"},
    {"_common", "_sql"},
]
FILES = sorted(HERE.rglob("*.py"))
IN_POD = sorted((HERE / "_in_pod").glob("*.py"))
# Alembic is made on SQLAlchemy and brings it.
DRIVERS = {"alembic", "psycopg", "pyrage", "redis", "sqlalchemy"}
# Where certifi is installed, httpx takes certificate authorities from it; without it the system's are taken. Who keeps
# backups in an S3-compatible store has an image with minio, which brings urllib3.
OPTIONAL = {"certifi", "minio", "urllib3"}


def imported(file: Path) -> set[str]:
    """Full names of what a file imports of the collection, at run time and for its types alike."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = f"{PACKAGE}.{file.parent.name}.{node.module or ''}" if node.level == 1 else str(node.module)
            names |= {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.startswith("ansible_collections.ai_platform.")}


def test_there_is_no_file_outside_the_rooms() -> None:
    assert {file.parent.name for file in FILES} == set().union(*FLOORS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_room_imports_only_rooms_below_it(file: Path) -> None:
    room = file.parent.name
    floor = next(number for number, rooms in enumerate(FLOORS) if room in rooms)
    allowed = {room}.union(*FLOORS[floor + 1 :])
    found = {name.removeprefix(f"{PACKAGE}.").partition(".")[0] for name in imported(file)}
    assert found <= allowed


def test_the_page_knows_reports_and_nothing_of_how_they_came_about() -> None:
    names = {name for file in (HERE / "_page").glob("*.py") for name in imported(file)}
    rooms = {name.removeprefix(f"{PACKAGE}.").partition(".")[0] for name in names}
    assert rooms <= {"_page", "_connectivity", "_release", "_common"}


@pytest.mark.parametrize("file", IN_POD, ids=lambda file: file.name)
def test_what_runs_in_pods_needs_python_3_10_and_the_drivers_of_an_image(file: Path) -> None:
    """docs/agent-image.md promises Python 3.10."""
    named = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 10))):
        if isinstance(node, ast.Import):
            named |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, "outside of _in_pod"
            named |= {str(node.module).partition(".")[0]} if not node.level else set()
    assert named <= sys.stdlib_module_names | DRIVERS | OPTIONAL


def test_the_charts_pods_run_the_same_programs() -> None:
    links = {file.name: file for file in (ROOT / "chart" / "files").glob("*.py") if file.is_symlink()}
    assert set(links) == {file.name for file in IN_POD if file.name.startswith(("backup", "probe", "retention"))} | {
        "errors.py",
        "framing.py",
        "guest_memory.py",
        "libpq_url.py",
        "session.py",
    }
    assert not {file.name for file in IN_POD} & {file.name for file in (ROOT / "chart" / "files").glob("*.py")} - set(
        links
    )
    assert all(link.is_symlink() and link.resolve() == HERE / "_in_pod" / name for name, link in links.items())
