"""The servers of PyPI for which examples/ has values: what pip installs, and Secrets that their values name."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import yaml

from tests.integration.histories.projects import _GUESSED_BY_NOBODY, PROJECTS, Project

EXAMPLES: t.Final = Path(__file__).resolve().parents[3] / "examples"


@dataclasses.dataclass(frozen=True)
class Server:
    """One server.

    :param project: what is installed; that of the histories where it is one of them, so that it is installed once
    :param secrets: that its values name and nobody makes
    :param tables: that its migration must have made
    :param lasting: parts of the contract that this release does not keep, with the status that is seen
    """

    name: str
    project: Project
    tables: tuple[str, ...]
    secrets: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    lasting: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def values(self) -> dict[str, t.Any]:
        """Of the example."""
        return t.cast("dict[str, t.Any]", yaml.safe_load((EXAMPLES / self.name / "values.yaml").read_text()))


_HISTORIES: t.Final = {project.name: project for project in PROJECTS}

SERVERS: t.Final = (
    Server("aegra", _HISTORIES["aegra"], ("assistant", "thread", "runs")),
    Server(
        "mcp-contextforge",
        _HISTORIES["contextforge"],
        ("tools", "gateways", "alembic_version"),
        {"mcp-contextforge": _GUESSED_BY_NOBODY},
    ),
    Server(
        "mlflow",
        Project("mlflow", ("mlflow==3.17.0", "psycopg[binary]"), "mlflow/store/db_migrations"),
        ("experiments", "runs", "alembic_version"),
    ),
    Server(
        "phoenix",
        # Its own driver, and the one of the chart's programs.
        Project("served-phoenix", ("arize-phoenix==20.26.1", "asyncpg", "psycopg[binary]"), "phoenix/db/migrations"),
        ("projects", "traces", "spans"),
    ),
)
