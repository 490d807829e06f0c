"""The replication password becomes another one under replicas for which commits wait: none loses its primary."""

from __future__ import annotations

import itertools
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.replication_rotation import record_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.replication_run import BRIDGE, KEY

from tests.integration.rotation.conftest import KilledError, decoded
from tests.integration.rotation.replicated_release import PostgresPod, ReplicatedRelease, digest

# Marked, bridged, lent, switched, set, returned, closed on both, cleared.
CHANGES = 9
_NUMBERS = itertools.count()


def another() -> str:
    """A password that was not there before, with what breaks shells, SQL and password files."""
    return f"{next(_NUMBERS)} a:b\\c 'd' \"e\" $HOME `id` %20 ü"


@pytest.fixture(scope="module")
def shared() -> t.Iterator[ReplicatedRelease]:
    made = ReplicatedRelease(another())
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def unwatched() -> t.Iterator[ReplicatedRelease]:
    """Another one, whose primary may restart: nobody is at work in it."""
    made = ReplicatedRelease(another())
    assert made.writer
    made.writer.stop()
    made.writer = None
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def release(shared: ReplicatedRelease) -> t.Iterator[ReplicatedRelease]:
    """One release for all, which each test leaves whole."""
    shared.changes = shared.kill_at = 0
    shared.between = lambda: None
    yield shared
    shared.kill_at, shared.between, shared.before = 0, lambda: None, lambda _pod, _words: None


def current(release: ReplicatedRelease) -> str:
    return decoded(release.kept["data"][KEY])


def killed(release: ReplicatedRelease, kill_at: int, password: str) -> None:
    """A rotation that ends at a change, as by SIGKILL."""
    release.kill_at = kill_at
    with pytest.raises(KilledError):
        release.rotate(password)
    assert release.changes == abs(kill_at)
    release.kill_at = 0


def test_two_rotations_restart_nothing_and_no_commit_waits_for_them(release: ReplicatedRelease) -> None:
    starts = [pod.sql("SELECT pg_postmaster_start_time()") for pod in release.servers]
    for _each in range(2):
        old, new = current(release), another()
        release.changes = 0
        assert len(release.rotate(new)) == 8
        assert release.changes == CHANGES
        release.assert_whole(new, old)
        assert release.rotate(new) == []
    assert [pod.sql("SELECT pg_postmaster_start_time()") for pod in release.servers] == starts
    assert record_of(release.kept).since
    assert release.writer
    assert release.writer.commits > 100
    # A walreceiver that begins anew takes milliseconds, and this machine's other work some seconds.
    assert release.writer.longest < 10


def walked(release: ReplicatedRelease, password: str, meanwhile: t.Callable[[], None]) -> int:
    """A rotation of which each run is killed behind its first change; how often.

    Nothing is kept in a run, so this is being killed at each change.

    :param meanwhile: happens after each, while nobody is at work
    """
    kills = 0
    while True:
        release.changes, release.kill_at = 0, 1
        try:
            release.rotate(password)
        except KilledError:
            kills += 1
            meanwhile()
        else:
            release.kill_at = 0
            return kills


@pytest.mark.parametrize("fresh", [False, True], ids=["stale-volume", "fresh-volume"])
def test_killed_at_each_change_the_replica_goes_on_and_the_next_run_finishes(
    release: ReplicatedRelease, *, fresh: bool
) -> None:
    """While nobody is at work, a replica whose link breaks, or that is made anew, finds its primary again."""
    old, new, replica = current(release), another(), release.servers[1]

    def meanwhile() -> None:
        if fresh:
            for pod in release.servers:
                pod.mount(release.kept["data"])
        release.break_links()
        release.wait_for("any")
        replica.restart()
        release.wait_for("any")

    assert walked(release, new, meanwhile) == CHANGES
    release.assert_whole(new, old)


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_killed_in_the_middle_of_a_change_of_a_server(release: ReplicatedRelease, number: int) -> None:
    """With its pod's program, at a statement; the server lives on with what was done before that."""
    old, new, kills = current(release), another(), 0

    def before(pod: PostgresPod, words: tuple[str, ...]) -> None:
        nonlocal kills
        kills += pod.ask_killed(number, *words)
        release.break_links()
        release.wait_for("any")

    release.before = before
    release.rotate(new)
    assert kills
    release.assert_whole(new, old)


def test_killed_at_each_change_and_the_primary_restarts(unwatched: ReplicatedRelease) -> None:
    """Its rules of access are written anew at each start; those of a rotation stay."""
    old, new, release = current(unwatched), another(), unwatched

    def meanwhile() -> None:
        release.first.restart()
        release.wait_for("any")

    assert walked(release, new, meanwhile) == CHANGES
    # This primary was started with the rules of access of the rotation before.
    release.rotate(third := another())
    release.first.restart()
    release.assert_whole(third, old, new)


def test_killed_before_the_switch_the_old_password_leads_back(release: ReplicatedRelease) -> None:
    old, new = current(release), another()
    killed(release, 1, new)
    release.rotate(old)
    release.assert_whole(old, new)
    release.changes = 0
    killed(release, 3, new)

    def meanwhile() -> None:
        release.break_links()
        release.wait_for("any")

    # Killed at each change of the way back, too.
    assert walked(release, old, meanwhile) == 4
    release.assert_whole(old, new)


@pytest.mark.parametrize("kill_at", [2, 4, 6])
def test_killed_and_another_password_by_then(release: ReplicatedRelease, kill_at: int) -> None:
    old, new, third = current(release), another(), another()
    killed(release, kill_at, new)
    release.break_links()
    release.rotate(third)
    release.assert_whole(third, old, new)


def test_replicas_that_are_made_meanwhile_follow_in_the_end(release: ReplicatedRelease) -> None:
    """They have the password that the Secret had at their start, also where that is too old for their first copy."""
    old, new, made = current(release), another(), [release.servers[0]][:0]
    mounted = release.secret()["data"]

    def add() -> None:
        if release.changes in {1, 4, 5}:
            made.append(pod := release.add())
            pod.mount(mounted)
            pod.begin()

    release.between = add
    try:
        release.rotate(new)
        release.between = lambda: None
        assert len(made) == 3
        for pod in made:
            pod.wait()
        release.assert_whole(new, old)
    finally:
        for pod in made:
            release.servers.remove(pod)
            pod.stop()


def test_a_pod_whose_volume_stays_old_is_waited_for_and_then_told(release: ReplicatedRelease) -> None:
    old, new = current(release), another()
    # Behind the switch.
    killed(release, 4, new)
    rotation = release.rotation(new)
    rotation.sleep, rotation.wait_seconds = lambda _seconds: None, 0.0
    words = "Pod postgresql-primary-0, postgresql-read-0 does not have what the Secret has after 0 s"
    with pytest.raises(FindingError, match=words) as caught:
        rotation.run()
    assert (caught.value.id, caught.value.changed) == ("rotation-replication", False)
    release.rotate(new)
    release.assert_whole(new, old)


def test_what_stands_in_the_way_is_told_before_anything_is_changed(release: ReplicatedRelease) -> None:
    def refused(words: str) -> None:
        with pytest.raises(FindingError, match=words) as caught:
            release.rotate(another())
        assert (caught.value.id, caught.value.changed) == ("rotation-replication", False)

    first, replica = release.servers
    release.bitnami = True
    refused("of Bitnami's chart")
    release.bitnami = False
    first.sql("CREATE ROLE repl_user_rotation")
    refused("has a role that no rotation made")
    first.sql("DROP ROLE repl_user_rotation")
    replica.sql("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 user=other'")
    replica.sql("SELECT pg_reload_conf()")
    refused("a primary_conninfo of its own")
    replica.sql("ALTER SYSTEM RESET primary_conninfo")
    replica.sql("SELECT pg_reload_conf()")
    for pod in release.servers:
        (pod.folder / "opt/secrets/postgres-password").write_text("another")
    refused("does not let postgres in with a mounted password")
    for pod in release.servers:
        pod.mount(release.kept["data"])
    mode = first.env.pop("POSTGRES_REPLICATION_MODE")
    refused("has no read replicas")
    first.env["POSTGRES_REPLICATION_MODE"] = mode
    release.assert_whole(current(release))
    assert release.changes == 0


def test_rules_of_access_of_ones_own_need_a_line_for_the_second_role(unwatched: ReplicatedRelease) -> None:
    release, old, new = unwatched, current(unwatched), another()
    own = release.first.folder / "postgresql/conf/pg_hba.conf"
    own.parent.mkdir(parents=True)
    own.write_text("host all all all scram-sha-256\nhost replication repl_user all scram-sha-256\n")
    release.first.restart()
    release.wait_for("own")
    with pytest.raises(FindingError, match=r"has a pg_hba.conf of its own") as caught:
        release.rotate(new)
    assert caught.value.id == "rotation-replication"
    with own.open("a") as file:
        file.write("host replication repl_user_rotation all scram-sha-256\n")
    release.rotate(new)
    own.unlink()
    release.first.restart()
    release.assert_whole(new, old)


def test_a_primary_without_replicas(release: ReplicatedRelease) -> None:
    old, new, replica = current(release), another(), release.servers.pop()
    try:
        assert "By it follow" not in str(release.rotate(new))
        assert (release.enters(new), release.enters(old)) == (True, False)
    finally:
        release.servers.append(replica)
        # Nobody told it.
        replica.mount(release.kept["data"])
        replica.restart()
    release.wait_for("own")


def test_no_password_in_annotation_answer_log_or_list_of_processes(release: ReplicatedRelease) -> None:
    old, new, bridge, seen = current(release), "c4nary-new", "", ""

    def look() -> None:
        nonlocal seen, bridge
        bridge = bridge or decoded(release.kept["data"].get(BRIDGE, ""))
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen += path.read_text(errors="replace")
            except OSError:
                continue

    def log(value: str) -> None:
        for pod in release.servers:
            pod.sql(f"ALTER SYSTEM {value}")
            pod.sql("SELECT pg_reload_conf()")

    log("SET log_statement = 'all'")
    release.between = look
    done = release.rotate(new)
    log("RESET log_statement")
    release.first.ask("look", digest(new), "-")
    seen += json.dumps(release.kept["metadata"]) + " ".join(done)
    seen += "".join(pod.log() + pod.asked for pod in release.servers)
    assert "postgres" in seen
    assert len(bridge) == 40
    assert [each for each in (old, new, bridge, "SCRAM-SHA-256") if each in seen] == []
    release.assert_whole(new, old)


def test_a_password_reaches_a_replica_in_a_file_that_it_alone_reads(release: ReplicatedRelease) -> None:
    modes: set[int] = set()

    def look() -> None:
        pods: list[PostgresPod] = release.servers[1:]
        for pod in pods:
            for path in (pod.folder / "volume/.rotation.pass", pod.folder / "opt/conf/replication.pass"):
                if path.exists():
                    modes.add(path.stat().st_mode & 0o777)

    release.between = look
    release.rotate(another())
    assert modes == {0o600}
