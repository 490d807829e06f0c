"""The libraries that the preflight needs on the machine that runs it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.metadata
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

# The distribution and its first major version that the preflight was tested with.
# pglast 8 carries the grammar of PostgreSQL 18; psycopg 3 has the error classes the connection uses; the Kubernetes
# client drops bearer tokens in 36.0.0 and 36.0.1.
DIRECT: t.Final[dict[str, tuple[int, ...]]] = {
    "pglast": (8,),
    "alembic": (1, 13),
    "SQLAlchemy": (2,),
    "psycopg": (3, 1),
}
FACTS: t.Final = {name: least for name, least in DIRECT.items() if name != "psycopg"}
CLUSTER: t.Final[dict[str, tuple[int, ...]]] = {"pglast": (8,), "kubernetes": (36, 0, 2), "PyYAML": (6, 0)}


def assert_libraries(required: t.Mapping[str, tuple[int, ...]]) -> None:
    """Check that every library is there and new enough.

    :raises FindingError: `library-missing`, which names each library that is absent or too old
    """
    wrong = []
    for name, least in required.items():
        wanted = ".".join(map(str, least))
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} >= {wanted} is not installed")
            continue
        numbers = tuple(int(part) for part in found.lstrip("v").split(".")[: len(least)] if part.isdigit())
        if numbers < least:
            wrong.append(f"{name} is {found}, {wanted} is needed")
    if wrong:
        raise FindingError(
            "library-missing",
            "Python libraries of this module: " + "; ".join(wrong) + "; install them for the interpreter that runs"
            " the module (pip install -r requirements.txt).",
        )


__all__ = ("CLUSTER", "DIRECT", "FACTS", "assert_libraries")
