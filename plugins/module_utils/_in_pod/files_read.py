"""Which files the process that renders has read: what a revision does depends on them as well."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import contextlib
import os
import sys
import tokenize
import typing as t
from pathlib import Path

_LISTING = frozenset({"os.listdir", "os.scandir"})


class FilesRead:
    """Files and folders below one folder, told apart by who read them: revisions, or env.py and what it imports.

    What a module imports is followed in its text too: a module that env.py has loaded is not loaded again.
    """

    def __init__(self, top: str | None) -> None:
        """:param top: None records nothing; an audit hook cannot be removed, so use it in a short-lived process"""
        self._top = os.path.realpath(top) if top else None
        self._for_revisions = False
        # Index 0: opened by env.py; 1: opened by a revision.
        self._opened: tuple[set[str], set[str]] = (set(), set())
        self._listed: set[str] = set()
        self._loaded: set[str] = set()
        if top:
            sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[t.Any, ...]) -> None:
        if event == "open":
            self._opened[self._for_revisions].update(_absolute(arguments[0]))
        elif event in _LISTING and self._for_revisions and not _looks_for_modules(sys._getframe(1)):
            # Who reads all files of a folder would read one more as well.
            self._listed.update(_absolute(arguments[0]))

    @contextlib.contextmanager
    def by_revisions(self) -> t.Iterator[None]:
        """In this block, files that are read count as read by revisions."""
        before = set(sys.modules) if self._top else set()
        self._for_revisions = True
        try:
            yield
        finally:
            self._for_revisions = False
            if self._top:
                self._loaded |= set(sys.modules) - before

    def told(self, revisions: t.Iterable[str]) -> dict[str, list[str]]:
        """`revisions` and `env`: what each have read; `folders`: what revisions have looked through.

        :param revisions: the files of the revisions in question
        """
        modules = {name: path for name, path in self._modules() if path}
        names = self._followed(modules, set(map(str, revisions))) | (self._loaded & modules.keys())
        of_revisions = self._below(self._opened[True]) | {modules[name] for name in names}
        of_env = self._below(self._opened[False]) | set(modules.values())
        return {
            "revisions": sorted(of_revisions),
            "env": sorted(of_env - of_revisions),
            "folders": sorted(self._below(self._listed)),
        }

    def _below(self, paths: t.Iterable[str]) -> set[str]:
        return {real for real in map(os.path.realpath, paths) if self._is_below(real)}

    def _is_below(self, real: str) -> bool:
        return self._top is not None and real.startswith(self._top.rstrip(os.sep) + os.sep)

    def _modules(self) -> t.Iterator[tuple[str, str | None]]:
        """Names of modules and their files below the folder."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            real = os.path.realpath(file) if isinstance(file, str) else ""
            yield name, real if self._is_below(real) else None

    def _followed(self, modules: dict[str, str], files: set[str]) -> set[str]:
        """The modules that these files import, and those that these import, as far as they are in `modules`."""
        found: set[str] = set()
        left = [(file, "") for file in files]
        while left:
            file, package = left.pop()
            for name in _imported(file, package):
                parts = name.split(".")
                # Python runs the packages around a module, too.
                for one in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
                    if one in modules and one not in found:
                        found.add(one)
                        is_package = Path(modules[one]).name == "__init__.py"
                        left.append((modules[one], one if is_package else one.rpartition(".")[0]))
        return found


def _looks_for_modules(frame: t.Any) -> bool:
    """Whether Python itself goes through the folders of its path there."""
    return str(frame.f_globals.get("__name__")).startswith(("importlib", "_frozen_importlib"))


def _absolute(path: t.Any) -> set[str]:
    """The absolute path now, for the working directory may change; empty for a file that is open already."""
    return {str(Path(os.fsdecode(path)).absolute())} if isinstance(path, (str, bytes)) else set()


def _imported(file: str, package: str) -> set[str]:
    """Full names that a file imports, where a name taken from a package may be a module of it."""
    try:
        with tokenize.open(file) as text:
            tree = ast.parse(text.read())
    except (OSError, SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names} | {base}
    return found - {""}
