"""galaxy-importer on the artefact: what Galaxy and Automation Hub ask of a collection before they take it.

Its ansible-lint and its ansible-test are not used: `make lint` runs both, with our pins and in every supported version.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from dev import artefact, environments, sanity
from lab.cache import cached
from lab.paths import LAB
from lab.progress import LabError

VERSION = "0.4.44"
SETTINGS = {
    "CHECK_CHANGELOG": "true",
    "CHECK_REQUIRED_TAGS": "true",
    "REQUIRE_V1_OR_GREATER": "true",
    "RUN_ANSIBLE_DOC": "true",
    "RUN_ANSIBLE_LINT": "false",
    "RUN_ANSIBLE_TEST": "false",
    "RUN_FLAKE8": "false",
}
EXPECTED = re.compile(
    r"WARNING: Ignore files skip ansible-test sanity tests, found ignore-\S+ with \d+ statement"
    r"|WARNING: Could not get role description, no role metadata found"
)
"""Said of any ignore file (each line of ours has its reason), and of a role that is in a collection alone."""


def program() -> Path:
    """The Python that has galaxy-importer, in the user's cache.

    :raises LabError: PyPI cannot be reached
    """

    def build(folder: Path) -> None:
        environments.fill(folder / "venv", f"galaxy-importer=={VERSION}")
        # The importer's ansible-doc needs the collections that our documentation extends; Galaxy has none of them.
        import ansible_collections

        site = next((folder / "venv").glob("lib/python*/site-packages")) / "ansible_collections"
        for namespace, name in sanity.DEPENDENCIES:
            (site / namespace).mkdir(parents=True)
            shutil.copytree(Path(ansible_collections.__path__[0]) / namespace / name, site / namespace / name)

    return cached("galaxy-importer", f"{VERSION}-{environments.python()}-docs", build) / "venv" / "bin" / "python"


def complaints(output: str) -> list[str]:
    """The lines of its output by which a collection would be refused, or a reviewer would ask."""
    found = [line for line in output.splitlines() if re.match(r"(WARNING|ERROR|CRITICAL):", line)]
    found = [line for line in found if not EXPECTED.match(line)]
    if "Importer processing completed successfully" not in output:
        found.append("it did not come to its end")
    return found


def run(archive: Path, work: Path) -> int:
    """Let it read an artefact; print its output and return 1 where it has something to say.

    :raises LabError: PyPI cannot be reached
    """
    python = program()
    work.mkdir(parents=True, exist_ok=True)
    # The importer's own ansible-doc comes first on PATH. The importer writes importer_result.json where it runs.
    env = {
        **os.environ,
        **{f"GALAXY_IMPORTER_{name}": value for name, value in SETTINGS.items()},
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    words: list[str | Path] = [python, "-m", "galaxy_importer.main", archive]
    done = subprocess.run(words, cwd=work, env=env, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    print(output)
    for line in (found := complaints(output)):
        print(f"galaxy-importer: {line}", file=sys.stderr)
    return 1 if found or done.returncode else 0


def main() -> int:
    """Exit code 0 when Galaxy would take the artefact without a warning."""
    work = LAB / "importer"
    try:
        return run(artefact.build(work / "artefact"), work)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
