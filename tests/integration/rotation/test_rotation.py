"""The agent's password in PostgreSQL becomes another one, and no login is refused meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_queries
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import ROTATION, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import login_of
from psycopg.rows import dict_row

from tests.integration.rotation.conftest import KILL_POINTS, NEW, OLD, KilledError, Release


def test_the_owner_hands_over_to_two_roles_that_take_turns(release: Release) -> None:
    release.begin()
    done = release.rotate(NEW)
    assert len(done) == 5
    release.assert_whole("_a", NEW)
    assert release.rotate(NEW) == []

    release.rotate("a third")
    release.assert_whole("_b", "a third")
    release.rotate(OLD)
    release.assert_whole("_a", OLD)
    assert release.refused == []
    assert release.logins > 0


def test_a_pod_that_restarts_at_any_time_logs_in(release: Release) -> None:
    """A container that restarts reads the Secret as it is then, whatever its pod was made with."""
    release.begin(1)
    first = release.rotation(NEW)
    assert first.run().kind == "roll"
    for _each in range(3):
        psycopg.connect(release.value("database-url")).close()
        psycopg.connect(release.pods[0].url).close()
    release.roll()
    release.rotation(NEW, begin=False).run()
    assert release.refused == []


@pytest.mark.parametrize("kill_at", KILL_POINTS)
def test_killed_at_each_change_the_next_run_finishes(release: Release, kill_at: int) -> None:
    release.begin(1)
    release.kill_at = kill_at
    with pytest.raises(KilledError):
        release.rotate(NEW)
    assert release.changes == abs(kill_at)
    release.kill_at = 0
    release.rotate(NEW)
    release.assert_whole("_a", NEW)
    assert release.refused == []


@pytest.mark.parametrize("kill_at", [1, -2, 2, -3])
def test_killed_before_the_switch_the_old_password_leads_back(release: Release, kill_at: int) -> None:
    release.begin(1)
    release.kill_at = kill_at
    with pytest.raises(KilledError):
        release.rotate(NEW)
    release.kill_at = 0
    assert "stays" in release.rotate(OLD)[0]
    release.assert_whole("", OLD)
    assert release.refused == []
    release.rotate(NEW)
    release.assert_whole("_a", NEW)


def test_killed_while_the_pods_are_replaced(release: Release) -> None:
    release.begin(3)
    assert release.rotation(NEW).run().kind == "roll"
    release.roll(1)
    # Old and new pods work side by side, and nothing is locked.
    assert release.rotation("a third").run().kind == "roll"
    assert release.roles()[""]
    release.roll()
    again = release.rotation("a third", begin=False)
    assert again.run().kind == "mark"
    release.assert_whole("_a", NEW)
    release.rotate("a third")
    release.assert_whole("_b", "a third")
    assert release.refused == []


def test_a_session_that_stays_is_waited_for_and_then_ended(release: Release) -> None:
    release.begin(1)
    kept = psycopg.connect(release.value("database-url"), application_name="a report", autocommit=True)
    release.rotation(NEW).run()
    release.roll()
    waited: list[float] = []
    second = release.rotation(NEW, begin=False, seconds=3600)

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        kept.execute("SELECT 1")
        if len(waited) == 2:
            # The limit is over.
            second.clock = lambda: time.monotonic() + 3601

    second.sleep = sleep
    assert second.run().kind == "nothing"
    assert len(waited) == 2
    assert "1 sessions of it were ended (a report from 127.0.0.1)" in second.done[0]
    with pytest.raises(psycopg.OperationalError):
        kept.execute("SELECT 1")
    release.assert_whole("_a", NEW)


def test_settings_of_the_role_go_along(release: Release) -> None:
    quoted = release.owner
    release.admin(f"ALTER ROLE {quoted} SET statement_timeout = '77s'")
    release.admin(f'ALTER ROLE {quoted} SET search_path = "$user", public, "Odd ""name"')
    release.admin(f"ALTER ROLE {quoted} IN DATABASE {quoted} SET app.tenant = 'it''s'")
    release.admin(f"ALTER ROLE {quoted} CONNECTION LIMIT 9")
    before = release.run("SHOW search_path", OLD)
    release.rotate(NEW)
    for role in ("_a", "_b"):
        user, password = release.owner + role, release.value("password")
        assert release.run("SHOW statement_timeout", password, user) == [("77s",)]
        assert release.run("SHOW search_path", password, user) == before
        assert release.run("SHOW app.tenant", password, user) == [("it's",)]
        assert release.admin(f"SELECT rolconnlimit FROM pg_roles WHERE rolname = '{user}'") == [(9,)]  # noqa: S608
        release.rotate("a third")


def test_what_a_session_makes_is_the_owners_also_behind_a_pooler(release: Release) -> None:
    release.rotate(NEW)
    with psycopg.connect(release.value("database-url"), autocommit=True) as connection:
        for number, reset in enumerate(("SELECT 1", "RESET ALL", "DISCARD ALL", "RESET ROLE")):
            connection.execute(reset)
            connection.execute(f"CREATE TABLE made_{number} (i int)")
        # Only who says so leaves it, and the next rotation gives that to the owner.
        connection.execute("SET ROLE NONE")
        connection.execute("CREATE SCHEMA mine CREATE TABLE apart (i int)")
    assert len(release.admin("SELECT 1 FROM pg_tables WHERE tablename LIKE 'made_%'")) == 4
    assert release.admin("SELECT tableowner FROM pg_tables WHERE tablename = 'apart'") == [(f"{release.owner}_a",)]
    release.rotate("a third")
    release.assert_whole("_b", "a third")
    assert release.admin("SELECT tableowner FROM pg_tables WHERE tablename = 'apart'") == [(release.owner,)]


def test_a_role_of_somebody_else_keeps_its_password(release: Release) -> None:
    release.admin(f"CREATE ROLE {release.owner}_a LOGIN PASSWORD 'theirs'")
    with pytest.raises(FindingError, match="that no rotation made") as caught:
        release.rotate(NEW)
    assert caught.value.id == "rotation-role-taken"
    release.run("SELECT 1", "theirs", f"{release.owner}_a")
    assert login_of(release.kept) is None
    assert release.rotate(OLD) == []


def test_a_login_that_does_not_work_from_the_pod_stops_before_the_secret(release: Release) -> None:
    """As where pg_hba.conf names users, or a pooler has a list of them."""
    real = release.ask

    def elsewhere(request: dict[str, object]) -> dict[str, object]:
        answer = real(request)
        return answer | {"works": "The server has no pg_hba.conf entry."} if request["login"] else answer

    rotation = release.rotation(NEW)
    rotation.ask = elsewhere
    with pytest.raises(FindingError, match="still cannot log in") as caught:
        rotation.run()
    assert (caught.value.id, caught.value.changed) == ("rotation-login", True)
    assert release.value("password") == OLD
    release.rotate(NEW)
    release.assert_whole("_a", NEW)


def test_a_superuser_has_nobody_to_take_turns_with(release: Release) -> None:
    release.admin(f"ALTER ROLE {release.owner} SUPERUSER")
    with pytest.raises(FindingError, match="is a superuser") as caught:
        release.rotate(NEW)
    assert caught.value.id == "rotation-refused"


def test_an_administrator_with_a_wrong_password(release: Release) -> None:
    release.kept["data"]["postgres-password"] = release.kept["data"]["rotation-id"]
    with pytest.raises(CollectorError, match="refuses the user or the password"):
        release.rotate(NEW)


def test_no_password_reaches_the_server_as_it_is_or_the_annotation(release: Release) -> None:
    """log_statement shows what the server is sent."""
    release.admin("ALTER SYSTEM SET log_statement = 'all'")
    release.admin("SELECT pg_reload_conf()")
    release.rotate("c4nary-second")
    release.admin("ALTER SYSTEM RESET log_statement")
    release.admin("SELECT pg_reload_conf()")
    log = "".join(path.read_text() for path in release.server.folder.glob("*log*") if path.is_file())
    assert "ALTER ROLE" in log
    assert "c4nary-second" not in log
    assert "c4nary-second" not in json.dumps(release.kept["metadata"])


def test_the_preflight_counts_sessions_of_the_role_as_the_releases_own(release: Release) -> None:
    """Else every pod's session would take away from the room that its own release has."""
    release.rotate(NEW)
    url = release.value("database-url")
    with psycopg.connect(url) as one, psycopg.connect(url, row_factory=dict_row) as other:
        assert one.execute("SELECT session_user::text").fetchone() == (f"{release.owner}_a",)
        server = other.execute(live_queries.SERVER).fetchone()
        sessions = other.execute(live_queries.SESSIONS).fetchall()
        assert server is not None
        assert server["role"] == release.owner
        assert [each["user"] for each in sessions if each["here"]] == [release.owner]


def test_the_program_runs_from_its_bundle_and_its_answer_has_no_secret(release: Release) -> None:
    """As exec starts it: the request on stdin, one line of JSON back."""
    release.rotate(NEW)
    request = release.asked[-1] | {"login": release.value("database-url")}
    program = [sys.executable, *command()[1:]]
    done = subprocess.run(program, input=bundle(ROTATION, request) + "\n", capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["works"] == ""
    assert answer["roles"][release.owner]["login"] is False
    assert release.server.password not in done.stdout + done.stderr + " ".join(program)
