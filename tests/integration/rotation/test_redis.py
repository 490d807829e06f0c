"""Redis' password becomes another one on master and replica: no command fails, and a restart at any time is no harm."""

from __future__ import annotations

import itertools
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.redis_rotation import record_of

from tests.integration.rotation.conftest import NEW, OLD, KilledError
from tests.integration.rotation.redis_release import RedisRelease

THIRD = 'a "third" \\x41 $HOME `id` ü'
# Marked, opened on both, switched, stripped, followed, closed on both, cleared.
CHANGES = 9
KILL_POINTS = [sign * number for number, sign in itertools.product(range(1, CHANGES + 1), (-1, 1))]


@pytest.fixture
def release(tmp_path: Path) -> t.Iterator[RedisRelease]:
    made = RedisRelease(tmp_path, OLD)
    try:
        yield made
    finally:
        made.end()


def test_three_rotations_without_a_failed_command_and_without_a_restart(release: RedisRelease) -> None:
    with release.master.client(OLD) as client:
        client.set("kept", "value")
        run = client.info("server")["run_id"]
    release.begin()
    done = release.rotate(NEW)
    assert len(done) == 6
    assert release.changes == CHANGES
    release.assert_whole(NEW, OLD)
    assert record_of(release.kept).since
    assert release.rotate(NEW) == []
    assert release.changes == CHANGES
    for password, old in ((THIRD, NEW), (OLD, THIRD)):
        release.rotate(password)
        release.assert_whole(password, old)
    release.assert_replicas_follow(OLD)
    with release.master.client(OLD) as client:
        assert (client.get("kept"), client.info("server")["run_id"]) == ("value", run)
    assert release.failed == []
    assert release.commands > 100


@pytest.mark.parametrize("kill_at", KILL_POINTS)
def test_killed_at_each_change_the_next_run_finishes(release: RedisRelease, kill_at: int) -> None:
    release.begin(1)
    release.kill_at = kill_at
    with pytest.raises(KilledError):
        release.rotate(NEW)
    assert release.changes == abs(kill_at)
    release.kill_at = 0
    release.rotate(NEW)
    release.assert_whole(NEW, OLD)
    release.assert_replicas_follow(NEW)
    assert release.failed == []
    assert release.commands > 0


@pytest.mark.parametrize("kill_at", [1, -2, 2, 3, -4])
def test_killed_before_the_switch_the_old_password_leads_back(release: RedisRelease, kill_at: int) -> None:
    release.begin(1)
    release.kill_at = kill_at
    with pytest.raises(KilledError):
        release.rotate(NEW)
    release.kill_at = 0
    assert "is wanted again" in release.rotate(OLD)[0]
    release.assert_whole(OLD, NEW)
    release.rotate(NEW)
    release.assert_whole(NEW, OLD)
    assert release.failed == []


@pytest.mark.parametrize("kill_at", range(1, CHANGES))
def test_killed_and_another_password_by_then(release: RedisRelease, kill_at: int) -> None:
    release.begin(1)
    release.kill_at = kill_at
    with pytest.raises(KilledError):
        release.rotate(NEW)
    release.kill_at = 0
    first = release.rotation(THIRD)
    if first.run() == "roll":
        release.roll()
        if release.rotation(THIRD, begin=False).run() == "mark":
            release.rotate(THIRD)
    release.assert_whole(THIRD, OLD, NEW)
    assert release.failed == []


@pytest.mark.parametrize("fresh", [False, True], ids=["stale-volume", "fresh-volume"])
@pytest.mark.parametrize("who", ["master", "replica"])
def test_a_server_that_restarts_after_each_change_lets_every_pod_in(
    release: RedisRelease, who: str, *, fresh: bool
) -> None:
    """An ACL change is in no file, and the volume of a pod is older than the Secret, or as new."""
    release.begin(1)
    server = release.master if who == "master" else release.replicas[0]
    needed = [OLD]

    def restarts() -> None:
        if fresh:
            server.mount(release.kept["data"])
        server.restart()
        now = release.value("redis-password")
        if now != needed[-1]:
            needed.append(now)
        assert [password for password in needed if not server.takes(password)] == []
        assert server.ping("alive") == server.ping("ready") == 0 or who == "replica"

    release.between = restarts
    assert release.rotation(NEW).run() == "roll"
    release.roll()
    # What follows is without agents of the old password.
    needed.remove(OLD)
    assert release.rotation(NEW, begin=False).run() == "nothing"
    release.between = lambda: None
    release.assert_replicas_follow(NEW)
    release.assert_whole(NEW, OLD)
    assert release.refused() == []


def test_all_servers_restart_while_the_pods_are_replaced(release: RedisRelease) -> None:
    release.begin(3)
    assert release.rotation(NEW).run() == "roll"
    release.roll(1)
    for server in release.servers:
        server.restart()
        assert (server.takes(OLD), server.takes(NEW)) == (True, True)
    release.assert_replicas_follow(OLD)
    # Old and new pods work side by side.
    assert release.rotation(THIRD).run() == "roll"
    release.roll()
    assert release.rotation(THIRD, begin=False).run() == "mark"
    release.assert_whole(NEW, OLD)
    assert release.refused() == []


def test_a_pod_that_is_about_to_end_keeps_the_old_password_until_it_is_gone(release: RedisRelease) -> None:
    release.begin(1)
    assert release.rotation(NEW).run() == "roll"
    release.roll(slowly=True)
    rotation, before = release.rotation(NEW, begin=False), release.changes
    rotation.wait_seconds = -1
    with pytest.raises(FindingError, match="still about to end") as caught:
        rotation.run()
    assert (caught.value.id, release.changes) == ("rotation-redis", before)
    rotation = release.rotation(NEW, begin=False)

    def sleep(_seconds: float) -> None:
        if release.ending:
            release.ending.pop().stop()
        release.kubelet()

    rotation.sleep = sleep
    assert rotation.run() == "nothing"
    release.assert_whole(NEW, OLD)
    assert release.failed == []


def test_a_pod_whose_volume_stays_old_is_waited_for_and_then_told(release: RedisRelease) -> None:
    rotation = release.rotation(NEW)
    waited: list[float] = []
    rotation.sleep, rotation.clock = waited.append, lambda: 1000.0 * len(waited)
    with pytest.raises(FindingError, match=r"Pod redis-master-0, redis-replicas-0 does not run") as caught:
        rotation.run()
    assert (caught.value.id, caught.value.changed, len(waited)) == ("rotation-redis", True, 1)
    assert release.value("redis-password") == OLD
    release.rotate(NEW)
    release.assert_whole(NEW, OLD)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('rename-command ACL ""', "no ACL or CONFIG commands"),
        ('rename-command CONFIG ""', "no ACL or CONFIG commands"),
        ("user default on >x ~cache:* +@all", "takes no password of|rules of its own"),
    ],
)
def test_a_server_that_cannot_be_changed_is_told_before_anything_is(tmp_path: Path, lines: str, words: str) -> None:
    release = RedisRelease(tmp_path, OLD, replicas=0)
    try:
        (release.master.folder / "mounted-etc/1.conf").write_text(lines + "\n")
        release.master.restart()
        with pytest.raises(FindingError, match=words) as caught:
            release.rotate(NEW)
        assert (caught.value.id, caught.value.changed, release.changes) == ("rotation-redis", False, 0)
        with pytest.raises(FindingError, match=words):
            release.rotation(NEW).plan()
        assert release.rotate(OLD) == []
    finally:
        release.end()


def test_rules_of_ones_own_beside_the_secrets_password(release: RedisRelease) -> None:
    with release.master.client(OLD) as client:
        client.execute_command("ACL", "SETUSER", "default", "-@dangerous", "+acl", "+config")
    with pytest.raises(FindingError, match="rules of its own"):
        release.rotate(NEW)


def test_an_image_of_before_takes_no_second_password(release: RedisRelease) -> None:
    release.master.script.write_text("exec redis-server\n")
    with pytest.raises(FindingError, match="takes no second password at its start"):
        release.rotate(NEW)
    assert release.changes == 0


def test_a_server_that_loads_or_is_away_is_waited_for(release: RedisRelease) -> None:
    release.begin(1)
    release.replicas[0].stop()
    rotation = release.rotation(NEW)

    def sleep(_seconds: float) -> None:
        if not release.replicas[0].runs():
            release.replicas[0].start()
        release.kubelet()

    rotation.sleep = sleep
    assert rotation.run() == "roll"


def test_bitnamis_redis_is_followed_and_told_what_a_person_has_to_do(release: RedisRelease) -> None:
    release.bitnami = True
    release.begin()
    with pytest.raises(FindingError, match=r"does not take the new password yet.*ACL SETUSER default >NEW") as caught:
        release.rotate(NEW)
    assert (caught.value.id, caught.value.changed, release.changes) == ("rotation-redis", False, 0)
    for server in release.servers:
        with server.client(OLD) as client:
            client.execute_command("ACL", "SETUSER", "default", f">{NEW}")
    done = release.rotate(NEW)
    assert "CONFIG SET masterauth NEW, CONFIG SET requirepass NEW (redis-master-0, redis-replicas-0)" in done[-1]
    assert NEW not in str(done)
    # As it is told.
    with release.replicas[0].client(NEW) as client:
        client.config_set("masterauth", NEW)
    for server in release.servers:
        with server.client(NEW) as client:
            client.config_set("requirepass", NEW)
    release.assert_whole(NEW, OLD)
    release.assert_replicas_follow(NEW)
    assert release.rotate(NEW) == []
    assert release.failed == []


@pytest.mark.parametrize("kill_at", [-1, 1, -2])
def test_bitnamis_killed_at_each_change_the_next_run_finishes(release: RedisRelease, kill_at: int) -> None:
    release.bitnami = True
    release.begin(1)
    for server in release.servers:
        with server.client(OLD) as client:
            client.execute_command("ACL", "SETUSER", "default", f">{NEW}")
    release.kill_at = kill_at
    with pytest.raises(KilledError):
        release.rotate(NEW)
    release.kill_at = 0
    assert "is done" in release.rotate(NEW)[-2]
    assert record_of(release.kept).began == ""
    assert (release.value("redis-password"), release.failed) == (NEW, [])


def test_no_password_and_no_hash_in_annotation_answer_log_or_list_of_processes(release: RedisRelease) -> None:
    secret, seen = "c4nary-second", ""

    def look() -> None:
        nonlocal seen
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen += path.read_text(errors="replace")
            except OSError:
                continue

    release.between = look
    with release.master.client(OLD) as client:
        client.config_set("slowlog-log-slower-than", 0)
    done = release.rotate(secret)
    look()
    with release.master.client(secret) as client:
        seen += str(client.slowlog_get(1000))
    seen += json.dumps(release.kept["metadata"]) + " ".join(done)
    seen += "".join(server.log() + server.ask("look", "a", "b") for server in release.servers)
    assert "requirepass" in seen
    assert secret not in seen
    assert OLD not in seen
