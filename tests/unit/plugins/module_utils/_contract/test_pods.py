"""What a pod says of itself."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import pods


def pod(**status: t.Any) -> dict[str, t.Any]:
    return {"spec": {"containers": [{"name": "agent"}, {"name": "side"}]}, "status": status}


def container(restarts: int = 0, name: str = "agent", **state: t.Any) -> dict[str, t.Any]:
    return {"name": name, "restartCount": restarts, "state": state, "lastState": {"terminated": {"exitCode": 3}}}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (pod(), ""),
        (pod(containerStatuses=[container(running={})]), ""),
        (pod(containerStatuses=[container(1, waiting={"reason": "CrashLoopBackOff"})]), ""),
        (pod(containerStatuses=[container(2, waiting={"reason": "CrashLoopBackOff"})]), "exit code 3"),
        (pod(containerStatuses=[container(waiting={"reason": "ErrImagePull", "message": "not  found"})]), "not found"),
        (pod(initContainerStatuses=[container(2, name="wait")]), "container wait ended 2 times"),
        (pod(phase="Failed", reason="Evicted", message="no room"), "Evicted: no room"),
    ],
)
def test_when_there_is_no_hope(found: dict[str, t.Any], words: str) -> None:
    why = pods.hopeless(found)
    assert words in why
    assert bool(why) == bool(words)


def test_a_process_and_its_ports() -> None:
    said = [
        "Name:\tpython",
        "Uid:\t1000\t1001\t1000\t1000",
        "Gid:\t0\t5\t0\t0",
        "  sl  local_address rem_address   st tx_queue",
        "   0: 00000000:1F40 00000000:0000 0A 00000000:00000000",
        "   1: 0100007F:1F41 00000000:0000 01 00000000:00000000",
        "   0: 00000000000000000000000000000000:1388 00000000000000000000000000000000:0000 0A 0",
    ]
    assert pods.user(said) == (1001, 5)
    assert pods.ports(said) == (5000, 8000)
    assert pods.user(["cat: /proc/1/status: denied"]) == (None, None)


def test_the_end_of_a_container() -> None:
    ended = pod(containerStatuses=[container(terminated={"exitCode": 137}), container(name="side", running={})])
    assert pods.exit_code(ended) == 137
    assert pods.exit_code(ended, "side") is None
    assert pods.exit_code(pod()) is None


def test_which_container_stands_in_the_way() -> None:
    assert pods.container_of(pod(initContainerStatuses=[container(name="wait", running={})])) == "wait"
    done = container(name="wait", terminated={"exitCode": 0})
    assert pods.container_of(pod(initContainerStatuses=[done])) == "agent"
