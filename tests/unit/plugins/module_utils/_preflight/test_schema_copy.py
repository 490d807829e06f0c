"""What of a dump does not come into the copy."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import ScratchError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.schema_copy import Live, copy

LIVE = Live("app", "owner", 15, "UTF8", ("public", "alembic_version"), ["0001"])
ROLES = """
CREATE ROLE owner;
ALTER ROLE owner WITH NOSUPERUSER LOGIN;
ALTER ROLE owner SET search_path TO 'app', 'public';
ALTER ROLE owner SET "app.jwt_secret" TO 's3cret; of
two lines';
ALTER ROLE owner IN DATABASE app SET "app.other" TO 'it''s s3cret';
CREATE ROLE last;
"""
SCHEMA = """
CREATE DATABASE app WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE = 'C';
\\restrict abc
ALTER DATABASE app OWNER TO owner;
ALTER DATABASE app SET "app.settings.jwt_secret" TO 's3cret';
ALTER DATABASE app SET work_mem TO '64MB';
CREATE USER MAPPING FOR owner SERVER other OPTIONS (
    password 's3cret',
    "user" 'u'
);
CREATE TABLE kept (id int);
\\unrestrict abc
"""


class Server:
    """Remembers what it is told; *refuses* is the beginning of SQL that fails."""

    def __init__(self, refuses: str = "nothing") -> None:
        self.told: list[tuple[str, str]] = []
        self._refuses = refuses

    def psql(self, sql: str, database: str = "template1", *, stop: bool = True) -> t.Any:  # noqa: ARG002 - as Scratch
        self.told.append((database, sql))
        refused = int(sql.lstrip().startswith(self._refuses))
        return types.SimpleNamespace(returncode=refused, stderr="psql:1: ERROR:  it is refused\n" * refused)


def dump(program: str, *_options: str) -> str:
    return ROLES if program == "pg_dumpall" else SCHEMA


def test_neither_logins_nor_settings_of_somebodys_own_come_into_the_copy() -> None:
    server = Server()
    copy(LIVE, server, dump, "WATCH", 500)
    everything = "\n".join(sql for _database, sql in server.told)
    assert "s3cret" not in everything
    for kept in (
        "search_path TO 'app', 'public'",
        "CREATE ROLE last",
        "work_mem",
        "CREATE TABLE kept",
        "OWNER TO owner",
    ):
        assert kept in everything
    assert server.told[-1][0] == "app"
    assert 'INSERT INTO "public"."alembic_version" VALUES (\'0001\')' in server.told[-1][1]
    assert server.told[-1][1].endswith("WATCH")


def test_a_new_database_is_its_roles_own() -> None:
    server = Server()
    copy(LIVE, server, None, "WATCH", 500)
    made = [sql for _database, sql in server.told if "CREATE DATABASE" in sql]
    assert made == ["CREATE DATABASE \"app\" OWNER \"owner\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"]


def test_a_locale_that_is_not_here_is_replaced() -> None:
    server = Server("CREATE DATABASE app WITH")
    copy(LIVE, server, dump, "WATCH", 500)
    made = [sql for _database, sql in server.told if "CREATE DATABASE" in sql]
    assert made[-1] == "CREATE DATABASE \"app\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"


def test_what_cannot_be_copied_is_said() -> None:
    with pytest.raises(ScratchError, match="the schema cannot be copied: it is refused"):
        copy(LIVE, Server("INSERT"), dump, "WATCH", 500)
