"""``ansible-test sanity`` on the artefact, once for each ansible-core that the collection supports.

ansible-test makes virtual environments of its own, and fetches pip's bootstrap script from a server of Ansible's CI.
So each ansible-core gets an environment and a home in the user's cache, where that script is one of ours; everything
else comes from PyPI, once.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev import artefact, environments
from lab.cache import cached, digest
from lab.paths import LAB
from lab.progress import LabError

CORES = {"2.19": "2.19.14", "2.20": "2.20.10", "2.21": "2.21.5"}
"""The releases that judge the collection, by the minor version after which ansible-test names its ignore files."""

*OLDER, NEWEST = CORES
DEPENDENT = (
    "action-plugin-docs",
    "ansible-doc",
    "compile",
    "ignores",
    "import",
    "runtime-metadata",
    "validate-modules",
)
"""The tests that ask ansible-core itself; the others judge text, and say the same with each of its releases."""

DEPENDENCIES = [("kubernetes", "core")]
"""Collections whose documentation and plugins ours builds upon, as namespace and name."""

BOOTSTRAP = '''\
"""Stands in for pip's bootstrap script, which ansible-test would fetch: Python's own ensurepip, then pip from PyPI."""
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
options = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *options]).returncode)
'''


def environment(core: str) -> Path:
    """The folder with an ansible-core (``venv``) and the home that its ansible-test uses (``home``), made on first use.

    :param core: a key of CORES
    :raises LabError: PyPI cannot be reached, or does not have it for this Python
    """

    def build(folder: Path) -> None:
        home = folder / "home"
        scripts = home / ".ansible" / "test" / "cache"
        scripts.mkdir(parents=True)
        # ansible-test hands no PIP_… variable on, but pip reads a file in the home that it is given.
        (home / ".config" / "pip").mkdir(parents=True)
        (home / ".config" / "pip" / "pip.conf").write_text(environments.pip_configuration())
        (home / ".config" / "pip" / "pip.conf").chmod(0o600)
        environments.fill(folder / "venv", f"ansible-core=={CORES[core]}")
        for version in _pip_versions(folder / "venv"):
            (scripts / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP)

    return cached("sanity", f"{CORES[core]}-{environments.python()}-{digest([BOOTSTRAP])[:4]}", build)


def _pip_versions(venv: Path) -> set[str]:
    """The versions of pip that the environment's ansible-test bootstraps."""
    source = next(venv.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py")).read_text()
    return set(re.findall(r"\bpip='([\d.]+)'", source))


def lay_out(archive: Path, root: Path) -> Path:
    """Unpack the collection to ``<root>/ansible_collections``, its dependencies beside it, and return its folder."""
    shutil.rmtree(root, ignore_errors=True)
    collection = artefact.unpack(archive, root)
    # What PyPI's `ansible` brought into this environment.
    import ansible_collections

    site = Path(ansible_collections.__path__[0])
    for namespace, name in DEPENDENCIES:
        (root / "ansible_collections" / namespace).mkdir()
        (root / "ansible_collections" / namespace / name).symlink_to(site / namespace / name)
    # ansible-test lists files by git where there is one; this keeps it from finding the checkout around.
    subprocess.run(["git", "init", "--quiet"], cwd=collection, check=True)
    return collection


@contextmanager
def home(folder: Path) -> Iterator[Path]:
    """The home of an environment, for one run at a time: two at once would make the same virtual environments."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / "home"


def run(core: str, archive: Path, tests: Sequence[str] = ()) -> int:
    """Run ansible-test's sanity tests on an artefact, all or those named; return its exit code.

    :raises LabError: there is no ansible-core to run them with
    """
    folder = environment(core)
    collection = lay_out(archive, LAB / "sanity" / core)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    words: list[str | Path] = [folder / "venv" / "bin" / "python", folder / "venv" / "bin" / "ansible-test", "sanity"]
    words += ["--color", "no", "--python", python]
    for test in tests:
        words += ["--test", test]
    with home(folder) as place:
        path = f"{folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "HOME": str(place), "PATH": path}
        return subprocess.run(words, cwd=collection, env=env, stdin=subprocess.DEVNULL, check=False).returncode


def main() -> int:
    """Exit code 0 when every test passed."""
    parser = argparse.ArgumentParser(prog="python -m dev.sanity", description=__doc__)
    parser.add_argument("core", choices=CORES, help="minor version of ansible-core")
    parser.add_argument("--test", action="append", default=[], help="one test of ansible-test; may be repeated")
    options = parser.parse_args()
    try:
        return run(options.core, artefact.build(LAB / "sanity" / f"artefact-{options.core}"), options.test)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
