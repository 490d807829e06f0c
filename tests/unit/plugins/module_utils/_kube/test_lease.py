"""A Lease has one holder, whatever clocks say, and changes hands only when nobody gives a sign of life."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.lease import Lease, Lost, seen

from .lease_server import LeaseServer

SECONDS = 60


class Clock:
    """Seconds of one machine."""

    def __init__(self, begin: float = 0.0) -> None:
        self.now = begin

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> LeaseServer:
    return LeaseServer()


def lease(server: LeaseServer, holder: str, clock: Clock | None = None) -> Lease:
    return Lease(
        t.cast("t.Any", server), ("demo-writer", "demo"), holder, seconds=SECONDS, labels={}, clock=clock or Clock()
    )


def test_the_first_one_has_it_and_the_second_is_told_who(server: LeaseServer) -> None:
    assert lease(server, "alice").take() is None
    there = lease(server, "bob").take()
    assert there is not None
    assert there.holder == "alice"
    assert there.since
    assert there.seconds == SECONDS


def test_what_is_given_back_is_had_at_once(server: LeaseServer) -> None:
    alice = lease(server, "alice")
    assert alice.take() is None
    alice.free()
    assert lease(server, "bob").take() is None
    assert seen(server.kept).holder == "bob"
    assert server.kept is not None
    assert server.kept["spec"]["leaseTransitions"] == 1


def test_who_is_silent_loses_it_after_its_time_by_the_watchers_clock(server: LeaseServer) -> None:
    assert lease(server, "alice").take() is None
    clock = Clock(1e6)
    bob = lease(server, "bob", clock)
    assert bob.take() is not None
    clock.now += SECONDS - 1
    assert bob.take() is not None
    clock.now += 1
    assert bob.take() is None
    assert seen(server.kept).holder == "bob"


@pytest.mark.parametrize("stamp", ["2000-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z"])
def test_the_other_machines_clock_may_go_wrong(server: LeaseServer, stamp: str) -> None:
    assert lease(server, "alice").take() is None
    clock = Clock()
    bob = lease(server, "bob", clock)
    for _sign in range(5):
        server.spoil(renewTime=f"{stamp[:-4]}{_sign}00Z")
        assert bob.take() is not None
        clock.now += SECONDS - 1


def test_a_sign_of_life_begins_the_time_anew_and_a_label_does_not(server: LeaseServer) -> None:
    alice = lease(server, "alice")
    assert alice.take() is None
    clock = Clock()
    bob = lease(server, "bob", clock)
    assert bob.take() is not None
    clock.now = SECONDS - 1
    alice.renew()
    assert bob.take() is not None
    clock.now = 2 * SECONDS - 2
    server.spoil()
    assert bob.take() is not None
    clock.now = 2 * SECONDS - 1
    assert bob.take() is None


def test_who_lost_it_is_told_so_and_takes_nothing_back(server: LeaseServer) -> None:
    alice = lease(server, "alice")
    assert alice.take() is None
    server.spoil(holderIdentity="bob")
    for attempt in (alice.renew, alice.free):
        with pytest.raises(Lost, match="bob"):
            attempt()
    assert seen(server.kept).holder == "bob"


def test_a_label_in_between_costs_nothing(server: LeaseServer) -> None:
    alice = lease(server, "alice")
    assert alice.take() is None
    server.spoil()
    alice.renew()
    server.spoil()
    alice.free()
    assert not seen(server.kept).holder


@pytest.mark.parametrize("first", ["create", "update"])
def test_an_answer_that_was_lost_is_found_again(server: LeaseServer, first: str) -> None:
    if first == "update":
        before = lease(server, "before")
        assert before.take() is None
        before.free()
    alice = lease(server, "alice")
    server.swallow = 1
    with pytest.raises(FindingError):
        alice.take()
    assert alice.take() is None
    server.swallow = 1
    with pytest.raises(FindingError):
        alice.renew()
    alice.renew()
    assert seen(server.kept).holder == "alice"


def test_only_what_arrived_counts_as_a_sign(server: LeaseServer) -> None:
    clock = Clock(5)
    alice = lease(server, "alice", clock)
    assert alice.take() is None
    clock.now = 20
    server.away = True
    with pytest.raises(FindingError):
        alice.renew()
    assert alice.touched == 5
    server.away = False
    alice.renew()
    assert alice.touched == 20


def test_two_that_come_at_once(server: LeaseServer) -> None:
    """Both saw it free; the second write is refused."""
    before = lease(server, "before")
    assert before.take() is None
    before.free()
    alice, bob = lease(server, "alice"), lease(server, "bob")
    stale = [server.get()]
    assert alice.take() is None
    real = server.get
    server.get = lambda *names: stale.pop() if stale else real(*names)  # type: ignore[method-assign]
    there = bob.take()
    assert there is not None
    assert there.holder == "alice"
    assert seen(server.kept).holder == "alice"
