"""Runs modules of this collection in a pod, without a file: `python -c <this file's text> <bundle>`.

The bundle, one line of base64 as _kube/bundle.py makes it, is the argument, or else the first line of stdin.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys

# Python puts the working directory first, where a folder `alembic` or `logging` of the application would hide others.
if sys.path[:1] == [""]:
    sys.path.append(sys.path.pop(0))

import base64
import importlib
import importlib.abc
import importlib.util
import json
import typing as t
import zlib


class Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports modules from sources in memory. A name is a package when another name begins with it and a dot."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = sources

    def find_spec(self, fullname: str, path: t.Any = None, target: t.Any = None) -> t.Any:  # noqa: ARG002 - importlib asks for this signature
        if fullname not in self.sources and not self.is_package(fullname):
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=self.is_package(fullname))

    def is_package(self, fullname: str) -> bool:
        return any(name.startswith(fullname + ".") for name in self.sources)

    def get_source(self, fullname: str) -> str:
        return self.sources.get(fullname, "")


def main() -> None:
    """Import the bundle's entry and call its `main` with the bundle's request."""
    text = sys.argv[1] if len(sys.argv) > 1 else sys.stdin.readline()
    bundle = json.loads(zlib.decompress(base64.b64decode(text)))
    sys.meta_path.insert(0, Finder(bundle["sources"]))
    importlib.import_module(bundle["entry"]).main(bundle["request"])


if __name__ == "__main__":
    main()
