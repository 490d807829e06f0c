"""Real projects whose Alembic histories are judged: what they are called on PyPI, and what their env.py needs."""

from __future__ import annotations

import dataclasses
import tempfile
import typing as t
from pathlib import Path

from dev import environments, examples
from tests.integration.strong_secrets import CONTEXTFORGE

# Versions of those that have a values file as well are named once, in examples/servers.yml.
_EXAMPLES: t.Final = examples.read()
# What the projects depend on is taken as it was on this day.
DAY = _EXAMPLES["aegra"].until


def _example(name: str) -> tuple[str, ...]:
    return _EXAMPLES[name].requirements(_EXAMPLES[name].newer)


# What Alembic's template has, and many an env.py asks for.
LOGGING: t.Final = """
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = generic
[formatter_generic]
format = %(levelname)s %(name)s %(message)s
"""

# As `_initialize_tables` has it: the first revisions alter tables that none of them makes.
_MLFLOW: t.Final = """
import sys
from sqlalchemy import create_engine
from mlflow.store.tracking.dbmodels.initial_models import Base
Base.metadata.create_all(create_engine(sys.argv[1]))
"""
# For programs that keep files in the home folder, of which a process of the preflight is told nothing.
_HOME: t.Final = str(Path(tempfile.gettempdir()) / "ai-agent-histories")


@dataclasses.dataclass(frozen=True)
class Project:
    """One project.

    :param requirements: pinned; the project first, then drivers and what its own list forgets
    :param script: the folder with env.py, below site-packages
    :param scheme: of the URL that env.py wants
    :param variables: of the process, with `{url}`, or `{doubled}` where env.py hands it to `set_main_option` as it is
    :param before: what the project runs in a new database before the first revision: Python, with the URL in sys.argv
    """

    name: str
    requirements: tuple[str, ...]
    script: str
    scheme: str = "postgresql"
    variables: dict[str, str] = dataclasses.field(default_factory=dict)
    before: str = ""

    @property
    def python(self) -> Path:
        """The interpreter of an environment with the project, made on first use and kept in the cache.

        :raises LabError: PyPI cannot be reached, or lacks a requirement
        """
        return environments.kept(self.requirements, DAY) / "bin" / "python"

    def ini(self, folder: Path, url: str) -> Path:
        """An alembic.ini in `folder` for the project's own script folder and the database `url`."""
        packages = next(self.python.parent.parent.glob("lib/python*/site-packages"))
        written = self.url(url).replace("%", "%%")
        text = f"[alembic]\nscript_location = {packages / self.script}\nsqlalchemy.url = {written}\n{LOGGING}"
        path = folder / "alembic.ini"
        path.write_text(text)
        return path

    def url(self, url: str) -> str:
        """`url` with the project's scheme."""
        return self.scheme + url.removeprefix("postgresql")

    def environment(self, url: str) -> dict[str, str]:
        """The variables for a process of the project."""
        forms = {"url": self.url(url), "doubled": self.url(url).replace("%", "%%")}
        given = {name: value.format(**forms) for name, value in self.variables.items()}
        # SQLAlchemy takes the indexes of a new table from a set: their order is that of a process.
        return {"PYTHONHASHSEED": "0"} | given


PROJECTS: t.Final = (
    Project(
        "aegra",
        _example("aegra"),
        "aegra_api/alembic",
        "postgresql+asyncpg",
        {"DATABASE_URL": "{url}"},
    ),
    Project(
        "datajunction",
        ("datajunction-server==0.0.272", "greenlet"),
        "datajunction_server/alembic",
        "postgresql+psycopg",
        {"DATABASE_URI": "{url}"},
    ),
    Project(
        "contextforge",
        _example("mcp-contextforge"),
        "mcpgateway/alembic",
        "postgresql+psycopg",
        {"DATABASE_URL": "{url}"} | CONTEXTFORGE,
    ),
    Project(
        "phoenix",
        _example("phoenix"),
        "phoenix/db/migrations",
        "postgresql+asyncpg",
        {"PHOENIX_SQL_DATABASE_URL": "{url}"},
    ),
    Project("optuna", ("optuna==5.0.0", "psycopg[binary]"), "optuna/storages/_rdb/alembic", "postgresql+psycopg"),
    Project(
        "mlflow",
        _example("mlflow"),
        "mlflow/store/db_migrations",
        "postgresql+psycopg",
        before=_MLFLOW,
    ),
    Project(
        "skyvern",
        ("skyvern==1.0.56", "sqlalchemy[asyncio]", "alembic", "psycopg[binary]", "asyncpg", "email-validator"),
        "alembic",
        "postgresql+psycopg",
        {"DATABASE_STRING": "{doubled}"},
    ),
    Project(
        "airflow",
        ("apache-airflow-core==3.3.2", "psycopg2-binary", "asyncpg"),
        "airflow/migrations",
        "postgresql+psycopg2",
        {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "{url}",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "AIRFLOW_HOME": _HOME,
        },
    ),
    Project(
        "argilla",
        ("argilla-server==2.8.0", "psycopg2-binary", "asyncpg"),
        "argilla_server/alembic",
        "postgresql+asyncpg",
        {"ARGILLA_DATABASE_URL": "{doubled}"},
    ),
)
