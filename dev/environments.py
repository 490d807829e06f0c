"""Virtual environments of programs whose pins would fight with everybody's, made by uv as pip is set up here."""

from __future__ import annotations

import ast
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from lab import shell
from lab.cache import cached, digest


def python() -> str:
    """Version and place of the Python that runs this, for the key of an environment in a cache.

    An environment links to its Python, and a cache may outlive that: pyenv removes one, a home moves elsewhere.
    """
    version = ".".join(str(number) for number in sys.version_info[:3])
    return f"{version}-{digest([os.path.realpath(sys.executable)])[:4]}"


def fill(
    folder: Path, *requirements: str, pins: Path | None = None, until: str | None = None, compiled: bool = False
) -> None:
    """Make an environment of this Python's version that can be moved, and install requirements in it.

    :param requirements: pinned ones, or such that *pins*, a file of constraints, pins
    :param until: a day, YYYY-MM-DD; what they depend on is taken as it was then, and nothing is built from source
    :param compiled: with their bytecode, as pip leaves it in an image: for what is started often and may not write it
    :raises LabError: PyPI cannot be reached, or does not have it for this Python
    """
    settings = pip_settings().get("global", {})
    # uv reads no configuration of pip.
    names = {"UV_DEFAULT_INDEX": "index-url", "SSL_CERT_FILE": "cert"}
    env = {name: settings[key] for name, key in names.items() if key in settings and name not in os.environ}
    uv = Path(sys.executable).with_name("uv")
    what = f"fetching {requirements[0]} from PyPI"
    made = [uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, folder]
    shell.run(made, log="environments", what=what, env=env)
    words = [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *requirements]
    words += ["--constraints", pins] if pins else []
    words += ["--only-binary", ":all:", "--exclude-newer", until] if until else []
    words += ["--compile-bytecode"] if compiled else []
    shell.run(words, log="environments", what=what, env=env)


def kept(requirements: Sequence[str], until: str) -> Path:
    """An environment of a package that is pinned, the first requirement, made on first use and kept in the cache.

    :param until: the day as of which the others are taken, YYYY-MM-DD
    :raises LabError: PyPI cannot be reached, or lacks a requirement
    """
    key = digest([until, python(), *requirements])
    name = requirements[0].replace("==", "-")

    def build(folder: Path) -> None:
        fill(folder / "venv", *requirements, until=until, compiled=True)

    return cached(f"environment-{name}", key, build) / "venv"


def pip_settings() -> dict[str, dict[str, str]]:
    """What pip is told on this machine by files and variables, as sections of keys and values."""
    settings: dict[str, dict[str, str]] = {}
    done = shell.capture([sys.executable, "-m", "pip", "config", "list"])
    for section, key, value in re.findall(r"^([^.\n]+)\.([\w-]+)=(.*)$", done.stdout, re.MULTILINE):
        # Variables stand above files, and pip lists them first.
        place = settings.setdefault("global" if section == ":env:" else section, {})
        place.setdefault(key, str(ast.literal_eval(value)))
    return settings


def pip_configuration() -> str:
    """The same as a pip.conf, for a pip that gets neither those variables nor this home."""
    lines = []
    for section, values in pip_settings().items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {textwrap.indent(value, '  ').strip()}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
