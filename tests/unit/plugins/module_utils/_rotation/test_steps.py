"""The next step of a rotation, from what is there."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import Login
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.steps import Facts, Role, Step, next_step

ON, OFF = Role(login=True, ours=True), Role(login=False, ours=True)
BUSY, LOCKED_BUSY = Role(login=True, sessions=2, ours=True), Role(login=False, sessions=1, ours=True)
NEVER = Login("agent", "agent")
FIRST = Login("agent", "agent_a")
PREPARING = Login("agent", "agent", preparing="agent_a")
SWITCHED = Login("agent", "agent_a", replaces="agent", before="old")


def facts(login: Login, **given: t.Any) -> Facts:
    values: dict[str, t.Any] = {"login": login, "wanted": False, "works": False, "rolled": False, "roles": {}}
    return Facts(**values | given)


@pytest.mark.parametrize(
    ("given", "step"),
    [
        # Nothing is under way.
        (facts(NEVER, wanted=True), Step("nothing")),
        (facts(FIRST, wanted=True), Step("nothing")),
        (facts(NEVER), Step("mark", "agent_a")),
        (facts(FIRST), Step("mark", "agent_b")),
        (facts(Login("agent", "agent_b")), Step("mark", "agent_a")),
        # Before the Secret is switched.
        (facts(PREPARING), Step("prepare", "agent_a")),
        (facts(PREPARING, roles={"agent_a": ON}), Step("prepare", "agent_a")),
        (facts(PREPARING, works=True, roles={"agent_a": ON}), Step("switch", "agent_a")),
        (facts(PREPARING, wanted=True), Step("withdraw", "agent_a")),
        (facts(PREPARING, wanted=True, roles={"agent_a": ON}), Step("withdraw", "agent_a")),
        # Behind it.
        (facts(SWITCHED, wanted=True, roles={"agent": BUSY}), Step("roll", "agent_a")),
        (facts(SWITCHED, wanted=True, roles={"agent": ON}), Step("roll", "agent_a")),
        (facts(SWITCHED, wanted=True, rolled=True, roles={"agent": BUSY}), Step("wait", "agent")),
        (facts(SWITCHED, wanted=True, rolled=True, roles={"agent": BUSY}, patient=False), Step("lock", "agent")),
        (facts(SWITCHED, wanted=True, rolled=True, roles={"agent": ON}), Step("lock", "agent")),
        (facts(SWITCHED, wanted=True, rolled=True, roles={"agent": LOCKED_BUSY}), Step("wait", "agent")),
        (facts(SWITCHED, wanted=True, rolled=True, roles={"agent": LOCKED_BUSY}, patient=False), Step("lock", "agent")),
        (facts(SWITCHED, wanted=True, rolled=True, roles={"agent": OFF}), Step("clear", "agent")),
        (facts(SWITCHED, wanted=True, rolled=True), Step("clear", "agent")),
        # A third password waits until what was begun is done.
        (facts(SWITCHED, roles={"agent": BUSY}), Step("roll", "agent_a")),
        (facts(SWITCHED, rolled=True, roles={"agent": OFF}), Step("clear", "agent")),
    ],
)
def test_the_next_step(given: Facts, step: Step) -> None:
    assert next_step(given) == step


def test_the_role_in_use_is_never_prepared_or_locked() -> None:
    for login in ("agent", "agent_a", "agent_b"):
        step = next_step(facts(Login("agent", login)))
        assert step.role not in {login, "agent"}


def test_a_name_that_leaves_no_room_for_two_more() -> None:
    long = "u" * 62
    with pytest.raises(FindingError, match="too long a name") as caught:
        next_step(facts(Login(long, long)))
    assert caught.value.id == "rotation-refused"
