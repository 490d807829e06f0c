"""guard: the first condition that holds stops the host with its own name; a message is read only where it is needed."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.template import Templar, trust_as_template
from ansible_collections.ai_platform.agent.plugins.action.guard import ActionModule

Row = dict[str, t.Any]
VARIABLES = {"name": "agent-dev", "empty": {}, "words": ["one", "two"], "untrusted": "{{ name }}"}


def stop(name: str, when: t.Any, msg: str, **others: t.Any) -> Row:
    """As Ansible reads it from a file of tasks: its texts may be templates."""
    conditions = [trust_as_template(one) for one in when] if isinstance(when, list) else trust_as_template(when)
    return {"name": name, "when": conditions, "msg": trust_as_template(msg)} | others


def run(*stops: t.Any, **arguments: t.Any) -> Row:
    """The task's result."""
    task = types.SimpleNamespace(args={"stops": list(stops)} | arguments, check_mode=True, diff=False, async_val=0)
    connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir=""))
    result: Row = ActionModule(task, connection, None, None, Templar(variables=VARIABLES), None).run(task_vars={})
    return result


def test_nothing_holds() -> None:
    result = run(stop("a", "name == 'x'", "{{ missing }}"), stop("b", ["true", "words | length > 2"], "b"))
    assert (result["skipped"], result["changed"], result["said"]) == (True, False, [])
    assert "failed" not in result


def test_the_first_that_holds_speaks_and_nothing_behind_it_is_read() -> None:
    result = run(
        stop("a", ["name == 'agent-dev'", "words | length > 2"], "a"),
        stop("b", ["name == 'agent-dev'", "words | length == 2"], "Host {{ name }} says {{ words | join(', ') }}."),
        stop("c", "empty.missing.deeper", "c"),
    )
    assert (result["failed"], result["stop"], result["msg"]) == (True, "b", "Host agent-dev says one, two.")


def test_what_warns_is_said_and_the_host_goes_on() -> None:
    said = stop("a", "true", "{{ words }}", warn=True), stop("b", "true", "mind {{ name }}", warn=True)
    result = run(*said)
    assert (result["msg"], result["changed"]) == (["one", "two", "mind agent-dev"], False)
    assert not result.get("failed")
    assert not result.get("skipped")
    stopped = run(*said, stop("c", "true", "no"))
    assert (stopped["failed"], stopped["said"], stopped["msg"]) == (True, ["one", "two", "mind agent-dev"], "no")


def test_what_a_variable_holds_is_no_template() -> None:
    assert run(stop("a", "true", "{{ untrusted }}"))["msg"] == "{{ name }}"


def test_a_condition_that_cannot_be_evaluated_fails() -> None:
    with pytest.raises(AnsibleError, match="missing"):
        run(stop("a", "empty.missing.deeper", "a"))


@pytest.mark.parametrize(
    "stops", [["a"], [{"name": "a", "msg": "b"}], [{"name": "a", "when": "true", "msg": "b", "unless": "c"}]]
)
def test_another_form(stops: list[t.Any]) -> None:
    with pytest.raises(AnsibleError, match="Each of stops has name, when and msg"):
        run(*stops)


def test_another_option() -> None:
    with pytest.raises(AnsibleError, match="guard takes one option"):
        run(stop("a", "true", "b"), others=[])


def test_only_the_stops_stay_as_they_are_written() -> None:
    templar = Templar(variables=VARIABLES)
    raw = [stop("a", "true", "{{ name }}")]
    assert ActionModule.finalize_task_arg("stops", raw, templar, None) is raw
