"""What rotate.yml makes of the answers of three modules, of which a run asks those that have something to do."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.unit.roles.test_secrets_in_tasks import tasks

ROLE = Path(__file__).parents[3] / "roles" / "ai_agent"
BLOCK = yaml.safe_load((ROLE / "tasks/rotate.yml").read_text())
TASKS = {task["name"]: task for task in tasks(BLOCK)}
NAMES = ("__ai_agent_rotated", "__ai_agent_model_rotated", "__ai_agent_redis_rotated")
SKIPPED: dict[str, t.Any] = {"changed": False, "skipped": True}
Row = dict[str, t.Any]


def value(text: str, **variables: t.Any) -> t.Any:
    return Templar(DataLoader(), variables=variables).template(trust_as_template(text))


def fact(task: str, name: str, **variables: t.Any) -> t.Any:
    return value(TASKS[task]["ansible.builtin.set_fact"][name], **variables)


@pytest.mark.parametrize(
    ("database", "model", "redis", "rolls", "rotation_id"),
    [
        ({"next": "roll", "rotation_id": "d"}, {}, {}, True, "d"),
        (SKIPPED, {"next": "roll", "rotation_id": "m"}, {}, True, "m"),
        (SKIPPED, {}, {"next": "roll", "rotation_id": "r"}, True, "r"),
        # Who is asked later knows the id that stands in the Secret now.
        ({"next": "roll", "rotation_id": "last"}, {}, {"next": "roll", "rotation_id": "r"}, True, "last"),
        ({"next": "nothing", "rotation_id": "r"}, {}, {"next": "roll", "rotation_id": "r"}, True, "r"),
        ({"next": "nothing", "rotation_id": "x"}, {}, {"next": "nothing", "rotation_id": "x"}, False, "x"),
    ],
)
def test_the_pods_are_replaced_once_for_all(
    database: Row, model: Row, redis: Row, rotation_id: str, *, rolls: bool
) -> None:
    answers = dict(zip(NAMES, (database, model, redis), strict=True))
    assert fact("See whether the pods are to be replaced", "__ai_agent_rolls", **answers) is rolls
    assert fact("Take the id of the new credentials", "__ai_agent_new_rotation_id", **answers) == rotation_id


@pytest.mark.parametrize(
    ("existing", "differing", "began", "due"),
    [
        ("", ["redis-password", "redis-url"], "", True),
        ("", ["password"], "", False),
        ("", [], "now", True),
        ("theirs", ["redis-password"], "now", False),
    ],
)
def test_redis_has_something_to_do(existing: str, differing: list[str], began: str, *, due: bool) -> None:
    known = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    found = {"secret": {"differing": differing, "redis_rotation": {"began": began}}}
    expression = known["__ai_agent_redis_due"]
    given = {"ai_agent_existing_secret": existing, "__ai_agent_found": found}
    assert value(expression, __ai_agent_made={}, **given) is due
    # One that this run has made.
    assert value(expression, __ai_agent_made={"redis-password": "x"}, **given) is (existing == "")
    found["secret"] = {
        "differing": ["replication-password" if each == "redis-password" else each for each in differing],
        "replication_rotation": {"began": began},
    }
    expression = known["__ai_agent_replication_due"]
    assert value(expression, __ai_agent_made={}, **given) is due
    assert value(expression, __ai_agent_made={"replication-password": "x"}, **given) is (existing == "")


REDIS, REPLICATION = "ai_agent_redis_password", "ai_agent_replication_password"


@pytest.mark.parametrize(
    ("chosen", "differing", "began", "made"),
    [
        (["ai_agent_postgresql_password"], [], "", []),
        ([REDIS, REPLICATION], [], "", ["redis-password", "replication-password"]),
        (["ai_agent_postgresql_password", REPLICATION], [], "", ["replication-password"]),
        # What is wanted already, or was begun, is finished first.
        ([REDIS, REPLICATION], ["redis-password", "redis-url"], "", ["replication-password"]),
        ([REDIS, REPLICATION], [], "now", ["replication-password"]),
    ],
)
def test_which_further_passwords_a_rotation_makes(
    chosen: list[str], differing: list[str], began: str, made: list[str]
) -> None:
    known = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    records = {"redis_rotation": {"began": began}, "replication_rotation": {"began": ""}}
    given = {
        "ai_agent_rotation_passwords": chosen,
        "__ai_agent_password_variables": known["__ai_agent_password_variables"],
        "__ai_agent_found": {"secret": {"differing": differing, **records}},
        "__ai_agent_needed": ["password", "redis-password", "replication-password"],
    }
    assert sorted(value(known["__ai_agent_to_make"], **given)) == made
    assert value(known["__ai_agent_to_make"], **given | {"__ai_agent_needed": ["password"]}) == []


def test_a_password_that_this_run_made_takes_the_place_of_the_inventorys() -> None:
    known = yaml.safe_load((ROLE / "vars/main.yml").read_text())["__ai_agent_passwords"]
    given = {"ai_agent_redis_password": "old", "ai_agent_replication_password": "old"}
    made = {"redis-password": "new"}
    assert value(known["redis-password"], __ai_agent_made=made, **given) == "new"
    assert value(known["replication-password"], __ai_agent_made=made, **given) == "old"


@pytest.mark.parametrize(
    ("ages", "old"),
    [({}, []), ({"redis-password": 30}, []), ({"redis-password": 31, "replication-password": 2}, ["redis-password"])],
)
def test_which_passwords_are_older_than_they_may_be(ages: dict[str, int], old: list[str]) -> None:
    known = yaml.safe_load((ROLE / "tasks/guard_cluster.yml").read_text())
    expression = next(task["vars"] for task in known if "__ai_agent_old_credentials" in task.get("vars", {}))
    given: Row = {"__ai_agent_found": {"secret": {"ages_days": ages}}, "ai_agent_max_credential_age": 30}
    given["__ai_agent_needed"] = ["redis-password", "replication-password"]
    found = value(expression["__ai_agent_old_credentials"], **given)
    assert [each["key"] for each in found] == old
    # One that no server asks for.
    assert value(expression["__ai_agent_old_credentials"], **given | {"__ai_agent_needed": ["password"]}) == []
