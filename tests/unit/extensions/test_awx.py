"""The controller's objects: what awx.awx takes, complete among themselves, and true of this collection."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "extensions" / "awx"
SCHEMA = json.loads((Path(__file__).with_name("awx_awx.json")).read_text())
Json = dict[str, t.Any]


class Loader(yaml.SafeLoader):
    """As Ansible reads it: `!unsafe` is text that is no template."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(t.cast("yaml.ScalarNode", node)))
OBJECTS: dict[str, list[Json]] = yaml.load((FOLDER / "objects.yml").read_text(), Loader)  # noqa: S506 - a SafeLoader
TASKS: list[Json] = yaml.safe_load((FOLDER / "apply.yml").read_text())[0]["tasks"]
# By the variable of infra.aap_configuration: awx.awx's module.
MODULES = {
    "aap_organizations": "organization",
    "controller_execution_environments": "execution_environment",
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_inventory_sources": "inventory_source",
    "controller_templates": "job_template",
    "controller_schedules": "schedule",
    "controller_workflows": "workflow_job_template",
}
BUILT_IN = {"OpenShift or Kubernetes API Bearer Token", "Vault"}
NODES = "simplified_workflow_nodes"


def names(kind: str) -> set[str]:
    return {item["name"] for item in OBJECTS[kind]}


def test_every_kind_is_known() -> None:
    assert set(OBJECTS) == set(MODULES)
    for kind, items in OBJECTS.items():
        assert len(names(kind)) == len(items), f"{kind}: a name stands there twice"


@pytest.mark.parametrize("kind", MODULES)
def test_awx_awx_takes_it(kind: str) -> None:
    for item in OBJECTS[kind]:
        jsonschema.validate({key: value for key, value in item.items() if key != NODES}, SCHEMA[MODULES[kind]])
        for node in item.get(NODES, ()):
            whole = node | {"workflow_job_template": item["name"]}
            jsonschema.validate(whole, SCHEMA["workflow_job_template_node"])


def test_the_schema_refuses_what_awx_awx_refuses() -> None:
    for wrong in ({"nmae": "x"}, {"name": "x", "job_type": "rehearse"}, {"name": "x", "survey_enabled": "yes"}, {}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA["job_template"])


@pytest.mark.parametrize("kind", MODULES)
def test_the_playbook_hands_on_every_key(kind: str) -> None:
    """What it left out would be missing in the controller, and nobody told."""
    module = f"awx.awx.{MODULES[kind]}"
    [task] = [task for task in TASKS if module in task]
    assert task["loop"] == "{{ " + kind + " }}"
    handed = {key: value for key, value in task[module].items() if f"item.{key}" in value}
    assert set(handed) == set(task[module])
    assert {key for item in OBJECTS[kind] for key in item} - {NODES} == set(handed)
    optional = {key for key, value in handed.items() if "default(omit)" in value}
    assert all(handed.keys() - optional <= item.keys() for item in OBJECTS[kind])


def test_the_playbook_hands_on_every_key_of_a_node() -> None:
    tasks = [
        task["awx.awx.workflow_job_template_node"] for task in TASKS if "awx.awx.workflow_job_template_node" in task
    ]
    handed = {key for task in tasks for key in task} - {"workflow_job_template", "organization"}
    assert handed == {key for item in OBJECTS["controller_workflows"] for node in item[NODES] for key in node}


def test_ansible_warns_of_nothing_in_it() -> None:
    """Of a merged mapping Ansible says that its keys stand there twice."""
    assert "<<:" not in (FOLDER / "objects.yml").read_text()


def test_whatever_is_named_is_there() -> None:
    organizations = names("aap_organizations")
    templates = names("controller_templates")
    for kind, items in OBJECTS.items():
        assert all(item.get("organization", "ai-platform") in organizations for item in items), kind
    for item in OBJECTS["controller_credentials"]:
        assert item["credential_type"] in BUILT_IN | names("controller_credential_types")
    for item in OBJECTS["controller_templates"]:
        assert item["project"] in names("controller_projects")
        assert item["inventory"] in names("controller_inventories")
        assert item["execution_environment"] in names("controller_execution_environments")
        assert set(item["credentials"]) <= names("controller_credentials")
        assert (ROOT / item["playbook"]).is_file()
    for item in OBJECTS["controller_inventory_sources"]:
        assert item["inventory"] in names("controller_inventories")
        assert item["source_project"] in names("controller_projects")
        assert (ROOT / item["source_path"]).is_file()
    assert {item["unified_job_template"] for item in OBJECTS["controller_schedules"]} <= templates
    for item in OBJECTS["controller_workflows"]:
        nodes = {node["identifier"]: node for node in item[NODES]}
        for node in nodes.values():
            assert set(node.get("success_nodes", ())) <= set(nodes)
            assert node.get("unified_job_template") in templates or node["approval_node"]["name"]


def test_prod_is_reached_only_through_a_person() -> None:
    [workflow] = OBJECTS["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow[NODES]}
    followed = {name for node in nodes.values() for name in node.get("success_nodes", ())}
    waiting = [name for name in nodes if name not in followed]
    assert waiting == ["staging-deploy"]
    without_a_person = set()
    while waiting:
        name = waiting.pop()
        if "approval_node" not in nodes[name]:
            without_a_person.add(name)
            waiting += nodes[name].get("success_nodes", ())
    assert without_a_person == {"staging-deploy", "staging-verify", "prod-preflight"}
    # Nothing follows a failure.
    assert not {key for node in nodes.values() for key in node} & {"failure_nodes", "always_nodes"}


def test_a_template_has_the_credentials_of_its_own_environment() -> None:
    for item in OBJECTS["controller_templates"]:
        environment = item["inventory"].removeprefix("ai-agent ")
        assert item["name"].startswith(f"ai-agent {environment} ")
        assert all(name.startswith(f"ai-agent {environment} ") for name in item["credentials"])


def test_a_survey_asks_for_what_the_role_or_the_inventory_knows() -> None:
    specification = yaml.safe_load((ROOT / "roles/ai_agent/meta/argument_specs.yml").read_text())
    options = specification["argument_specs"]["main"]["options"]
    types = {"text": "str", "multiplechoice": "str", "integer": "int"}
    for item in [*OBJECTS["controller_templates"], *OBJECTS["controller_workflows"]]:
        for question in item["survey_spec"]["spec"]:
            if question["variable"] != "agent_tag":
                assert options[question["variable"]]["type"] == types[question["type"]]
    guide = (ROOT / "docs/awx.md").read_text()
    assert 'tag: "{{ agent_tag }}"' in guide


def test_secrets_are_variables_and_the_example_has_them_all() -> None:
    text = (FOLDER / "objects.yml").read_text()
    example = yaml.safe_load((FOLDER / "controller_vars.yml.example").read_text())
    used = set(re.findall(r"ai_agent_controller_\w+(?:\.\w+)?", text))
    given = {f"{key}.{name}" for key, value in example.items() if isinstance(value, dict) for name in value}
    given |= {key for key, value in example.items() if isinstance(value, str)}
    assert used == given
    for item in OBJECTS["controller_credentials"]:
        secret = [value for key, value in item["inputs"].items() if key in {"bearer_token", "token", "vault_password"}]
        assert len(secret) == 1
        assert re.fullmatch(r"\{\{ ai_agent_controller_\w+\.\w+ \}\}", secret[0])
    [credentials] = [task for task in TASKS if "awx.awx.credential" in task]
    assert credentials["no_log"] is True


def test_the_verifiers_token_goes_where_the_role_reads_it() -> None:
    [kind] = OBJECTS["controller_credential_types"]
    specification = yaml.safe_load((ROOT / "roles/ai_agent/meta/argument_specs.yml").read_text())
    [(variable, value)] = kind["injectors"]["extra_vars"].items()
    assert specification["argument_specs"]["main"]["options"][variable]["no_log"] is True
    assert value == "{{ token }}"
    assert kind["inputs"]["fields"][0]["id"] == "token"
    assert kind["inputs"]["fields"][0]["secret"] is True
