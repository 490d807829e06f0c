"""A server of others: an administrator runs what is printed, or the run has an administrator's Secret."""

from __future__ import annotations

import itertools
import typing as t

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import rotation
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import login_of, with_password
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation import run
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.run import Rotation, Wanted
from psycopg import sql

from dev.postgresql import Server

from .conftest import NEW, OLD, VERSIONS, KilledError, Release, decoded, encoded


class OutsideRelease(Release):
    """Its Secret has URLs alone, and is somebody else's; `administrator` is what the run knows of one."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        urls = {name: self.kept["data"][name] for name in ("database-url", "migration-database-url")}
        self.kept["data"] = urls | {"redis-url": encoded("redis://:agent@cache/0"), "note": encoded("no URL")}
        self.administrator = ""

    def value(self, key: str) -> str:
        """Before the first rotation it has no rotation id."""
        return decoded(self.kept["data"].get(key, ""))

    def rotation(self, password: str, *, seconds: float = 600, begin: bool = True) -> Rotation:
        told = login_of(self.kept)
        data = with_password(self.kept["data"], told.owner if told else "", password)
        wanted = Wanted(data, seconds, begin, outside=True, admin=self.administrator)
        return Rotation(self, self.ask, wanted, sleep=lambda _seconds: None)

    def by_hand(self, statements: list[str], password: str) -> None:
        """As psql does it, which asks for the password of its command."""
        with psycopg.connect(self.server.url(self.owner), autocommit=True) as admin:
            for statement in statements:
                if statement.startswith("\\password "):
                    role = statement.removeprefix("\\password ").strip('"')
                    kept = admin.pgconn.encrypt_password(password.encode(), role.encode(), None).decode()
                    admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(kept)))
                else:
                    admin.execute(statement)

    def through(self, password: str) -> list[list[str]]:
        """Run the playbook, and after it what it prints, until nothing is left; what was printed."""
        said: list[list[str]] = []
        for _run in range(6):
            one = self.rotation(password)
            step = one.run()
            if step.kind == "roll":
                self.roll()
                one = self.rotation(password, begin=False)
                step = one.run()
            if step.kind == "nothing":
                return said
            assert one.statements, step
            said.append(one.statements)
            self.by_hand(one.statements, password)
        raise AssertionError(said)

    def assert_rotated(self, login: str, password: str) -> None:
        told = login_of(self.kept)
        assert told is not None
        assert (told.login, told.preparing, told.replaces) == (self.owner + login, "", "")
        assert [name for name, may in self.roles().items() if may] == [login]
        self.run("INSERT INTO messages DEFAULT VALUES", password, self.owner + login)
        for key in ("database-url", "migration-database-url"):
            psycopg.connect(self.value(key)).close()
        assert set(self.kept["data"]) == {"database-url", "migration-database-url", "redis-url", "note", "rotation-id"}
        assert self.value("redis-url") == "redis://:agent@cache/0"


@pytest.fixture(params=VERSIONS, ids=str)
def outside(
    request: pytest.FixtureRequest, servers: t.Callable[[int], Server], monkeypatch: pytest.MonkeyPatch
) -> t.Iterator[OutsideRelease]:
    monkeypatch.setattr(run, "CONNECT_SECONDS", 300)
    for name in ("STATEMENT_MS", "LOCK_MS"):
        monkeypatch.setattr(rotation, name, 300_000)
    made = OutsideRelease(servers(request.param))
    try:
        yield made
    finally:
        made.end()


def test_an_administrator_runs_what_is_printed_and_no_login_is_refused(outside: OutsideRelease) -> None:
    outside.admin(f"ALTER ROLE {outside.owner} SET statement_timeout = '77s'")
    outside.begin()
    said = outside.through(NEW)
    assert len(said) == 2
    assert "\\password" in "\n".join(said[0])
    for statements in said:
        assert NEW not in "\n".join(statements)
        assert "SCRAM" not in "\n".join(statements)
    outside.assert_rotated("_a", NEW)
    assert outside.run("SHOW statement_timeout", NEW, f"{outside.owner}_a") == [("77s",)]
    # Nothing is left to say.
    assert outside.through(NEW) == []
    outside.through("a third")
    outside.assert_rotated("_b", "a third")
    assert outside.refused == []
    assert outside.logins > 0


def test_what_is_printed_is_said_again_until_it_was_run(outside: OutsideRelease) -> None:
    first = outside.rotation(NEW)
    assert first.run().kind == "prepare"
    again = outside.rotation(NEW)
    assert again.run().kind == "prepare"
    assert again.statements == first.statements
    assert outside.value("database-url") != ""
    assert outside.roles() == {"": True}


def test_the_old_password_before_the_switch_leads_back(outside: OutsideRelease) -> None:
    first = outside.rotation(NEW)
    first.run()
    outside.by_hand(first.statements, NEW)
    assert outside.roles() == {"": True, "_a": True}
    back = outside.rotation(OLD)
    assert back.run().kind == "withdraw"
    outside.by_hand(back.statements, "")
    assert outside.rotation(OLD).run().kind == "nothing"
    assert outside.roles() == {"": True, "_a": False}


@pytest.mark.parametrize("form", ["URL", "password"])
def test_with_an_administrators_secret_nobody_is_asked(outside: OutsideRelease, form: str) -> None:
    outside.administrator = outside.server.url(outside.owner) if form == "URL" else outside.server.password
    outside.begin()
    assert outside.through(NEW) == []
    outside.assert_rotated("_a", NEW)
    assert outside.refused == []


@pytest.mark.parametrize("kill_at", [sign * number for number, sign in itertools.product(range(1, 6), (-1, 1))])
def test_killed_at_each_change_with_an_administrator(outside: OutsideRelease, kill_at: int) -> None:
    outside.administrator = outside.server.url(outside.owner)
    outside.begin(1)
    outside.kill_at = kill_at
    with pytest.raises(KilledError):
        outside.through(NEW)
    outside.kill_at = 0
    assert outside.through(NEW) == []
    outside.assert_rotated("_a", NEW)
    assert outside.refused == []


def test_another_user_of_the_migrations_keeps_its_password(outside: OutsideRelease) -> None:
    migrator = encoded(outside.value("migration-database-url").replace(f"//{outside.owner}:", "//migrator:"))
    outside.kept["data"]["migration-database-url"] = migrator
    outside.administrator = outside.server.password
    outside.through(NEW)
    assert outside.kept["data"]["migration-database-url"] == migrator
    assert f"//{outside.owner}_a:" in outside.value("database-url")


def test_a_secret_without_a_url() -> None:
    with pytest.raises(FindingError, match="no URL with a user under database-url"):
        with_password({"database-url": encoded("postgresql://host/db")}, "", "new")
