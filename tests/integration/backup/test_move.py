"""A database from one server to another one of a newer major version: copied under a freeze, compared, and let go."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
import time
import typing as t
from urllib.parse import quote

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._database import move_judge
from ansible_collections.ai_platform.agent.plugins.module_utils._database.workplace import Workplace
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_restoration, move_freeze, move_run
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError

from dev.postgresql import Server, running
from tests.integration.backup.asking import SCHEMA
from tests.integration.backup.conftest import Place, placed
from tests.integration.backup.test_backup import content

Row = dict[str, t.Any]
OWNER, AGENT, ADMIN = "move_owner", "move_agent", "move_admin"
PASSWORDS = {OWNER: "owner's pass/word", AGENT: "agent@pass%word", ADMIN: "admin"}
NEW = "moved"


@pytest.fixture(scope="module")
def old() -> t.Iterator[Server]:
    with running(15) as started:
        yield started


@pytest.fixture(scope="module")
def new() -> t.Iterator[Server]:
    with running(18) as started:
        with psycopg.connect(started.url(), autocommit=True) as admin:
            for role, password in PASSWORDS.items():
                words = f"CREATE ROLE {role} LOGIN PASSWORD '{password.replace(chr(39), chr(39) * 2)}'"
                admin.execute(t.cast("t.Any", words))
            # As managed servers have it: no superuser.
            admin.execute(t.cast("t.Any", f"ALTER ROLE {ADMIN} CREATEDB"))
            admin.execute(t.cast("t.Any", f"GRANT {OWNER} TO {ADMIN}"))
        yield started


@dataclasses.dataclass
class Move:
    """Both sides."""

    place: Place
    new: Server
    login: str = OWNER
    same_roles: bool = False

    @property
    def request(self) -> Row:
        """As move_pod.py makes it."""
        login = self.login

        def url(role: str) -> str:
            return self.new.url(NEW, role, quote(PASSWORDS[role], safe=""))

        return {
            "source": self.place.url, "admin": self.new.url("postgres", ADMIN, PASSWORDS[ADMIN]),
            "owner_url": url(OWNER), "agent_url": url(login), "same_roles": self.same_roles, "jobs": 2,
            "version_table": "alembic_version", "lock_timeout_ms": 5000, "image": "agent:1",
        }  # fmt: skip

    def sites(self, _major: int, _program: str) -> Workplace:
        """The programs of the old server."""
        return Workplace(self.place.server.folder / "programs" / "bin", self.place.work)

    def copy(self) -> Row:
        """The step that takes long."""
        return move_run.copy(self.request, self.sites)

    def databases(self) -> list[str]:
        """Of the new server."""
        with psycopg.connect(self.new.url()) as connection:
            rows = connection.execute("SELECT datname::text FROM pg_database WHERE datname ~ 'moved'").fetchall()
        return [row[0] for row in rows]

    def may_write(self) -> bool:
        """Whether a session that begins now at the old server may write."""
        try:
            self.place.execute("CREATE TABLE tried (a int)")
        except psycopg.errors.ReadOnlySqlTransaction:
            return False
        self.place.execute("DROP TABLE tried")
        return True

    def findings(self) -> list[str]:
        """What the preflight says, without notes."""
        found = move_judge.judged(move_run.look(self.request), same_roles=self.same_roles, begun=False)
        return [f"{item.id}: {item.message}" for item in found if item.severity == "fail"]


@pytest.fixture
def move(old: Server, new: Server) -> t.Iterator[Move]:
    with placed(old, SCHEMA) as place:
        yield Move(place, new)
    with psycopg.connect(new.url(), autocommit=True) as admin:
        for (name,) in admin.execute("SELECT datname FROM pg_database WHERE datname ~ 'moved'").fetchall():
            admin.execute(t.cast("t.Any", f"DROP DATABASE {name} WITH (FORCE)"))


def test_all_of_it_arrives_and_the_old_one_is_read_only(move: Move) -> None:
    before = content(move.place.url)
    assert move.findings() == []
    done = move.copy()
    assert (done["copied"], done["rows"] > 2000, done["was_frozen"]) == (True, True, False)
    assert done["frozen_at"] <= done["now"]
    assert content(move.new.url(NEW)) == before
    assert not move.may_write()
    with psycopg.connect(move.request["agent_url"]) as connection:
        row = connection.execute("SELECT current_setting('server_version_num')::int / 10000").fetchone()
        assert row == (18,)
        connection.execute("INSERT INTO items (label, amount) VALUES ('new', 1)")
    assert move.databases() == [NEW]
    assert list(move.place.work.iterdir()) == []
    # What was written since is told to whoever goes back.
    assert [words.partition(" ")[0] for words in move_run.differences(move.request)["differences"]] == ["public.items"]
    move_run.thaw(move.request)
    assert move.may_write()


def test_a_session_that_was_there_writes_no_more(move: Move) -> None:
    """Numbers that it was given are all in the copy, whatever it does meanwhile."""
    stop, given = threading.Event(), 0
    refused = threading.Event()

    def write() -> None:
        nonlocal given
        while not stop.is_set():
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(move.place.url) as connection:
                while not stop.is_set():
                    try:
                        connection.execute("INSERT INTO guarded2 VALUES (1)")
                        connection.commit()
                    except psycopg.errors.ReadOnlySqlTransaction:
                        refused.set()
                        connection.rollback()
                        time.sleep(0.01)
                    else:
                        given += 1

    move.place.execute("CREATE TABLE guarded2 (a int)")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.3)
        move.copy()
        assert refused.wait(10)
    finally:
        stop.set()
        writer.join()
    assert given > 0
    for url in (move.place.url, move.new.url(NEW)):
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM guarded2").fetchone() == (given,)


def test_a_second_run_compares_and_copies_nothing(move: Move) -> None:
    move.copy()
    again = move.copy()
    assert (again["copied"], again["was_frozen"]) == (False, True)
    with psycopg.connect(move.new.url(NEW)) as connection:
        connection.execute("INSERT INTO parts VALUES (1, 1)")
    with pytest.raises(CollectorError, match="parts_low has 100 rows instead of 99") as caught:
        move.copy()
    assert caught.value.id == "move-differs"
    # The agent goes on at the old one.
    assert move.may_write()
    with pytest.raises(CollectorError, match="never writes over one"):
        move.copy()


def test_what_fails_leaves_nothing_and_thaws(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: t.Any, **__: t.Any) -> t.NoReturn:
        raise CollectorError("backup-differs", "It differs.")

    monkeypatch.setattr(backup_restoration, "_compared", fails)
    with pytest.raises(CollectorError, match="It differs"):
        move.copy()
    assert (move.databases(), move.may_write()) == ([], True)
    monkeypatch.undo()
    # The role that is to work with it is not its owner, and is given nothing.
    move.login = AGENT
    with pytest.raises(CollectorError, match="may not read") as caught:
        move.copy()
    assert caught.value.id == "move-target"
    assert (move.databases(), move.may_write()) == ([], True)


def test_what_cannot_be_taken_back_is_told(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of no use, where nobody may drop it any more, and a session of the old server that does not end."""

    def fails(*_: t.Any, **__: t.Any) -> t.NoReturn:
        with psycopg.connect(move.new.url(), autocommit=True) as admin:
            admin.execute(f"ALTER ROLE {ADMIN} NOLOGIN")
        stuck.append(psycopg.connect(move.place.url))
        os.kill(stuck[0].info.backend_pid, signal.SIGSTOP)
        monkeypatch.setattr(move_freeze, "END_SECONDS", 1)
        raise CollectorError("move-target", "It is of no use.")

    stuck: list[psycopg.Connection] = []
    monkeypatch.setattr(move_run, "_assert_served", fails)
    try:
        with pytest.raises(move_run.LeftError) as caught:
            move.copy()
    finally:
        for connection in stuck:
            os.kill(connection.info.backend_pid, signal.SIGCONT)
            connection.close()
        with psycopg.connect(move.new.url(), autocommit=True) as admin:
            admin.execute(f"ALTER ROLE {ADMIN} LOGIN")
    said = caught.value.message
    assert (caught.value.id, said.startswith("It is of no use. ")) == ("move-target", True)
    for part in (f"drop the database {NEW} at ", "Sessions of postgres", "stay read-only"):
        assert part in said, said


def test_killed_in_the_middle(move: Move) -> None:
    """The source stays read-only, which the next run knows it by; it copies anew."""
    child = os.fork()
    if child == 0:  # pragma: no cover - another process

        def restored(*_: t.Any, **__: t.Any) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        backup_restoration._named = restored
        with contextlib.suppress(BaseException):
            move.copy()
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert not move.may_write()
    assert move_run.look(move.request)["source"]["frozen"] is True
    deadline = time.monotonic() + 30
    while list(move.place.work.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    done = move.copy()
    assert (done["copied"], done["was_frozen"]) == (True, True)
    assert move.databases() == [NEW]


def test_the_preflight_says_all_at_once(move: Move) -> None:
    with psycopg.connect(move.place.server.url(), autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS reader")
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'r' IN ROLE pg_read_all_data")
    request = move.request
    request["source"] = move.place.server.url(move.place.database, "reader", "r")
    request["owner_url"] = move.new.url(NEW, OWNER, "wrong")
    request["agent_url"] = move.new.url(NEW, AGENT, quote(PASSWORDS[AGENT], safe=""))
    move.place.execute("ALTER ROLE reader SET default_transaction_read_only = off")
    with psycopg.connect(move.place.url), psycopg.connect(move.new.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {NEW}")
        facts = move_run.look(request)
    found = move_judge.judged(facts, same_roles=False, begun=False)
    said = {item.message for item in found if item.severity == "fail"}
    words = " ".join(sorted(said))
    for part in (
        "is not its owner",
        "sessions of postgres",
        "reader",
        "has a database moved",
        "refuses the user or the password",
        "move_agent is not the owner",
    ):
        assert part in words, (part, said)
    assert move.may_write()


def test_check_looks_and_changes_nothing(move: Move) -> None:
    facts = move_run.look(move.request)
    assert facts["target"]["exists"] is False
    assert (move.databases(), move.may_write()) == ([], True)
