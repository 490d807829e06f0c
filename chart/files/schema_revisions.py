"""The revisions inside an agent image, and where a live database stands among them. Part of schema.py."""

from __future__ import annotations

import enum
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class RevisionsError(Exception):
    """The image's revisions cannot be used; its text is one sentence."""


class State(enum.Enum):
    """Where a live database stands, seen from one image's revisions."""

    ABSENT = "absent"
    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"
    UNKNOWN = "unknown"
    DIVERGED = "diverged"

    @property
    def serves(self) -> bool:
        """Whether the image can run: all that it needs is there, or a newer image has taken the schema over."""
        return self in (State.CURRENT, State.AHEAD, State.UNKNOWN)


def judge(live: frozenset[str], heads: frozenset[str], ancestors: Mapping[str, frozenset[str]]) -> State:
    """Compare the rows of the version table with an image's revisions.

    :param live: revisions in the database's version table, empty where there is no table
    :param heads: the image's head revisions
    :param ancestors: for each revision of the image, itself and all that comes before it
    """
    if live == heads:
        return State.CURRENT
    if not live:
        return State.ABSENT
    unknown = live - ancestors.keys()
    applied = frozenset().union(*(ancestors[revision] for revision in live - unknown))
    if heads and heads <= applied:
        return State.AHEAD if unknown else State.CURRENT
    if not unknown:
        return State.BEHIND
    return State.DIVERGED if applied else State.UNKNOWN


def close_over(parents: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Return for each revision itself and everything reachable over `parents` (down revisions and dependencies)."""
    closed: dict[str, frozenset[str]] = {}
    for start in parents:
        seen: set[str] = set()
        queue = [start]
        while queue:
            revision = queue.pop()
            if revision not in seen:
                seen.add(revision)
                queue.extend(parents.get(revision, ()))
        closed[start] = frozenset(seen)
    return closed


@dataclass(frozen=True)
class Graph:
    """The revisions inside the image, in the form that `judge` takes."""

    heads: frozenset[str]
    ancestors: Mapping[str, frozenset[str]]

    @property
    def head(self) -> str:
        """What the image needs, for messages."""
        return named(self.heads)

    def missing(self, live: frozenset[str]) -> int:
        """How many revisions lie between `live`, all of them known, and the heads."""
        applied = frozenset().union(*(self.ancestors[revision] for revision in live))
        return len(self.ancestors.keys() - applied)


def named(revisions: Iterable[str]) -> str:
    """Return revisions for a message."""
    return ", ".join(sorted(revisions)) or "no revision"


def read_graph(config_file: str) -> Graph:
    """Read the image's revisions with Alembic's API.

    :raises RevisionsError: they cannot be read, or have several heads
    """
    # As Alembic's own command line, from 1.16 on: what alembic.ini does not say may stand in [tool.alembic].
    toml = Path("pyproject.toml").absolute()
    knows_toml = toml.is_file() and hasattr(Config, "toml_alembic_config")
    if not Path(config_file).is_file() and not knows_toml:
        raise RevisionsError(
            f"There is no {config_file} in {Path.cwd()}: the image must start in its Alembic directory."
        )
    # Revision files may import the application; nothing of it may hide Python's own modules.
    sys.path.append(str(Path.cwd()))
    parents: dict[str, list[str]] = {}
    try:
        more = {"toml_file": str(toml)} if knows_toml else {}
        scripts = ScriptDirectory.from_config(Config(config_file, **more))  # type: ignore[arg-type]
        for script in scripts.walk_revisions():
            before = [*_names(script.down_revision), *_names(script.dependencies)]
            found = [known for name in before for known in scripts.get_revisions(name)]
            parents[script.revision] = [known.revision for known in found if known]
        heads = frozenset(scripts.get_heads())
    except Exception as error:  # revision files are the image's own code: any error is possible
        text = " ".join(str(error).split()).rstrip(".")
        raise RevisionsError(f"Alembic cannot read the image's revisions: {type(error).__name__}: {text}.") from error
    if not heads:
        raise RevisionsError(
            f"Alembic finds no revision by {config_file}: name their folder in script_location or version_locations "
            "there, not in env.py alone; an image without a schema has migration.enabled=false."
        )
    if len(heads) > 1:
        raise RevisionsError(
            f"The image has {len(heads)} Alembic heads ({named(heads)}): "
            "join them with `alembic merge heads` and build it again."
        )
    return Graph(heads, close_over(parents))


def _names(value: str | Iterable[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
