"""playbooks/fleet.yml: all are judged before any is changed, waves, a stop that says who is on what, a second run."""

from __future__ import annotations

import subprocess
import typing as t

from tests.integration.fleet.conftest import REFUSED, Fleet
from tests.integration.role import living


def test_one_that_fails_stops_all_before_anything_was_changed(fleet: Fleet) -> None:
    fleet.hosts = {"stop-a": {}, "stop-b": REFUSED, "stop-c": {"ai_agent_environment": "nowhere"}}
    done = fleet.run()
    assert done.code != 0
    assert fleet.revisions() == {}
    assert fleet.states == {"stop-a": "waiting", "stop-b": "failed", "stop-c": "failed"}
    assert [one["host"] for one in fleet.page["releases"]][-1] == "stop-a"
    assert "Nothing was changed: 2 of 3 releases stop the fleet: stop-b (stopped), stop-c (stopped)" in done.output
    # The recorded failures are told apart from the one that waits, and each leads to its own page.
    assert "FAILED  stop-b: Stopped." in done.output
    assert "OK  stop-a: Not begun." in done.output
    assert (fleet.reports / "stop-b/report.html").is_file()
    assert not (fleet.reports / "stop-a").exists()

    # By name they are left out, and the others go.
    done = fleet.run(ai_agent_fleet_skip=["stop-b", "stop-c"])
    assert done.code == 0, done.output
    assert fleet.states == {"stop-a": "deployed", "stop-b": "left out", "stop-c": "left out"}
    assert fleet.revisions() == {"stop-a": 1}


def test_waves_a_stop_and_a_second_run_that_goes_on(fleet: Fleet) -> None:
    fleet.hosts = {f"wave-{name}": {} for name in "abcde"}
    # The second wave takes two; one of them never becomes ready.
    broken: dict[str, t.Any] = {"ai_agent_timeout": "20s"}
    fleet.hosts["wave-c"] = broken
    fleet.workloads.broken = {"wave-c"}
    done = fleet.run(ai_agent_fleet_waves=[1, 2, "100%"])
    assert done.code != 0
    waves = {one["host"]: (one["state"], one["wave"]) for one in fleet.page["releases"]}
    assert waves == {
        "wave-a": ("deployed", 1),
        "wave-b": ("deployed", 2),
        "wave-c": ("failed", 2),
        "wave-d": ("waiting", None),
        "wave-e": ("waiting", None),
    }
    assert "wave-c (failed, wave 2) stopped the fleet" in done.output
    assert not {"wave-d", "wave-e"} & set(fleet.revisions())
    [known] = [one for one in fleet.page["versions"] if one["chart"]]
    assert known["hosts"] == ["wave-a", "wave-b"]

    fleet.workloads.broken = set()
    fleet.hosts["wave-c"] = {}
    before = fleet.revisions()
    rehearsed = fleet.run("--check")
    assert "Check mode changed nothing: 3 of 5 releases would change (wave-c, wave-d, wave-e)" in " ".join(
        rehearsed.output.split()
    )
    assert "OK  wave-d: Not begun. It would change." in rehearsed.output
    assert fleet.revisions() == before
    assert fleet.page["word"] == "Stopped", "check mode leaves the page of the last deployment"

    done = fleet.run()
    assert done.code == 0, done.output
    assert fleet.states == {
        "wave-a": "unchanged", "wave-b": "unchanged", "wave-c": "deployed", "wave-d": "deployed", "wave-e": "deployed",
    }  # fmt: skip
    after = fleet.revisions()
    assert {name: after[name] for name in ("wave-a", "wave-b")} == {"wave-a": 1, "wave-b": 1}

    done = fleet.run()
    assert done.code == 0
    assert fleet.page["word"] == "Unchanged"
    assert fleet.revisions() == after
    # What is as wanted is not even rehearsed.
    assert "TASK [ai_platform.agent.ai_agent : Install or upgrade the release]" not in done.output
    assert "Could not match" not in done.output


def test_what_is_not_as_wanted_is_seen(fleet: Fleet) -> None:
    """Each of these is another reason to deploy; what none of them happened to stays as it is."""
    fleet.hosts = {f"drift-{name}": {} for name in ("none", "values", "secret", "replicas")}
    assert fleet.run(ai_agent_fleet_waves=["100%"]).code == 0
    before = fleet.revisions()
    words = [living.helm(), "upgrade", "drift-values", _chart(fleet), "--namespace", "drift-values", "--reuse-values"]
    words += ["--set", "agent.env.LOG_LEVEL=warning", "--kubeconfig", str(fleet.cluster.kubeconfig)]
    subprocess.run(words, capture_output=True, check=True)
    removed = '[{"op": "remove", "path": "/metadata/labels/app.kubernetes.io~1component"}]'
    secret = ("secret", "drift-secret-secret", "-n", "drift-secret", "--type=json", "-p", removed)
    for asked in (("patch", *secret), ("scale", "deployment/drift-replicas", "-n", "drift-replicas", "--replicas=7")):
        done = fleet.cluster.ask(*asked)
        assert done.returncode == 0, done.stderr

    run = fleet.run(ai_agent_fleet_waves=["100%"])
    assert run.code == 0, run.output
    assert fleet.states == {
        "drift-none": "unchanged", "drift-values": "deployed", "drift-secret": "deployed", "drift-replicas": "deployed",
    }  # fmt: skip
    after = fleet.revisions()
    assert after["drift-none"] == before["drift-none"]
    assert after["drift-values"] == before["drift-values"] + 2


def _chart(fleet: Fleet) -> str:
    """The chart that the run assembled."""
    [chart] = (fleet.folder / "charts").glob("*/ai-agent")
    return str(chart)


def test_a_name_to_leave_out_that_no_host_has(fleet: Fleet) -> None:
    fleet.hosts = {"skip-a": {}, "other": {}}
    done = fleet.run(ai_agent_fleet_skip=["skip-b", "skip-*", "fleet", "other"])
    assert done.code != 0
    assert fleet.revisions() == {}
    assert "names skip-b, skip-*, fleet, which is no host of this inventory" in done.output


def test_limit_leaves_out_by_name_as_well(fleet: Fleet) -> None:
    fleet.hosts = {"limit-a": {}, "limit-b": REFUSED}
    done = fleet.run("--limit", "limit-a")
    assert done.code == 0, done.output
    assert fleet.states == {"limit-a": "deployed", "limit-b": "left out"}


def test_a_host_that_cannot_be_reached_stops_all(fleet: Fleet) -> None:
    # A bare machine has no ssh, and this is how one ends that reaches nobody.
    program = fleet.folder / "ssh"
    program.write_text("#!/bin/sh\necho 'ssh: connect to host 127.0.0.1 port 1: Connection refused' >&2\nexit 255\n")
    program.chmod(0o755)
    gone = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_ssh_executable": str(program)}
    fleet.hosts = {"gone-a": {}, "gone-b": gone}
    done = fleet.run()
    assert done.code != 0
    assert fleet.revisions() == {}
    assert fleet.states == {"gone-a": "waiting", "gone-b": "unfinished"}
    assert "gone-b (not finished)" in done.output
