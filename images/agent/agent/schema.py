"""Whether the database has the schema that this image needs. The agent only looks; it never migrates."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.config import Config
from alembic.script import ScriptDirectory

from agent.settings import WORKDIR


@dataclass(frozen=True)
class Graph:
    """The revisions that this image brings."""

    heads: frozenset[str]
    known: frozenset[str]

    @classmethod
    def load(cls) -> Graph:
        """Read the image's migrations folder."""
        scripts = ScriptDirectory.from_config(Config(str(WORKDIR / "alembic.ini")))
        return cls(frozenset(scripts.get_heads()), frozenset(script.revision for script in scripts.walk_revisions()))

    def judge(self, live: frozenset[str]) -> tuple[bool, str]:
        """Whether *live* serves this image, and a sentence about it.

        At or ahead of the image's heads is ready: a newer version may have migrated while this one still serves.
        """
        wanted = ", ".join(sorted(self.heads))
        if not live:
            return False, f"the database has no schema yet, this image needs {wanted}"
        found = ", ".join(sorted(live))
        if self.heads <= live:
            return True, f"at {found}"
        if not live <= self.known:
            return True, f"at {found}, ahead of this image's {wanted}"
        return False, f"at {found}, behind this image's {wanted}"
