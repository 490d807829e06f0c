"""The checkout is a collection and a project at once: the link, the metadata and the inventories that make it work."""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.ai_platform.agent.plugins.module_utils._release.passwords import PLACEHOLDER

ROOT = Path(__file__).resolve().parents[3]
INVENTORIES = sorted(path.name for path in (ROOT / "inventories").iterdir())


def load(path: str) -> t.Any:
    """Return the YAML file ``path`` of the project."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_link_leads_to_this_checkout() -> None:
    link = ROOT / "collections/ansible_collections/ai_platform/agent"
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == ROOT


def test_kubernetes_core_is_the_same_everywhere() -> None:
    galaxy = load("galaxy.yml")["dependencies"]
    required = load("collections/requirements.yml")["collections"]
    role = load("roles/ai_agent/vars/main.yml")
    span = f">={role['__ai_agent_kubernetes_core_floor']},<{role['__ai_agent_kubernetes_core_ceiling']}"
    assert galaxy == {"kubernetes.core": span}
    assert required == [{"name": "kubernetes.core", "version": span}]


def test_ansible_floor_is_the_same_everywhere() -> None:
    floor = load("roles/ai_agent/vars/main.yml")["__ai_agent_ansible_floor"]
    assert load("meta/runtime.yml")["requires_ansible"] == f">={floor}"


def test_no_vault_password_is_named_in_the_configuration() -> None:
    assert not re.search(r"^\s*vault_", (ROOT / "ansible.cfg").read_text(encoding="utf-8"), re.MULTILINE)


def test_action_group_takes_in_those_of_kubernetes_core() -> None:
    group = load("meta/runtime.yml")["action_groups"]["ai_agent"]
    extended = [name for entry in group if isinstance(entry, dict) for name in entry["metadata"]["extend_group"]]
    assert extended == ["kubernetes.core.k8s", "kubernetes.core.helm"]


def test_action_group_lists_exactly_our_modules_that_take_its_options() -> None:
    group = load("meta/runtime.yml")["action_groups"]["ai_agent"]
    takers = {
        path.stem
        for path in (ROOT / "plugins/modules").glob("*.py")
        # release_deploy has the options of kubernetes.core.helm, which are fewer.
        if re.search("kubernetes.core.k8s_auth_options|\n  kubeconfig:\n", path.read_text(encoding="utf-8"))
    }
    assert {entry for entry in group if isinstance(entry, str)} == takers


@pytest.mark.parametrize("environment", INVENTORIES)
def test_inventory_is_complete(environment: str) -> None:
    folder = f"inventories/{environment}"
    hosts = load(f"{folder}/hosts.yml")
    variables = load(f"{folder}/group_vars/all/main.yml")
    assert list(hosts) == [environment]
    assert hosts[environment]["hosts"]
    assert variables["ai_agent_environment"] == environment
    assert (ROOT / f"chart/values-{environment}.yaml").is_file()
    assert variables["ansible_connection"] == "local"
    assert variables["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"


@pytest.mark.parametrize("environment", INVENTORIES)
def test_inventory_takes_its_passwords_from_the_vault(environment: str) -> None:
    folder = ROOT / "inventories" / environment / "group_vars/all"
    used = set(re.findall(r"\{\{ (vault_\w+)", (folder / "main.yml").read_text(encoding="utf-8")))
    vault = folder / "vault.yml"
    if vault.exists():
        assert vault.read_text(encoding="utf-8").startswith(f"$ANSIBLE_VAULT;1.2;AES256;{environment}\n")
    else:
        # !unsafe is a tag of Ansible's.
        example = ROOT / f"inventories/{environment}/group_vars/all/vault.yml.example"
        assert used == set(DataLoader().load_from_file(str(example)))
    assert len(used) == 4


def test_demo_vault_opens_with_the_demo_password_and_holds_demo_secrets() -> None:
    vault = ROOT / "inventories/dev/group_vars/all/vault.yml"
    command: list[str | Path] = [Path(sys.executable).parent / "ansible-vault", "view", vault]
    command += ["--vault-id", f"dev@{ROOT / 'lab/dev-vault-password'}"]
    opened = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    secrets = yaml.safe_load(opened)
    used = re.findall(r"\{\{ (vault_\w+)", (vault.parent / "main.yml").read_text(encoding="utf-8"))
    assert set(secrets) == set(used)
    for secret in secrets.values():
        assert secret.startswith("demo-only")
        assert PLACEHOLDER.search(secret)


def test_exec_is_a_right_of_its_own_and_nothing_else() -> None:
    manifests = load("roles/ai_agent/files/exec-rbac.yaml")["items"]
    assert sorted(item["kind"] for item in manifests) == ["Role", "RoleBinding"]
    (role,) = (item for item in manifests if item["kind"] == "Role")
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"pods", "pods/exec"}


def test_deployer_has_no_right_outside_its_namespace() -> None:
    text = (ROOT / "roles/ai_agent/files/deployer-rbac.yaml").read_text(encoding="utf-8")
    manifests = yaml.safe_load(text)["items"]
    assert sorted(item["kind"] for item in manifests) == ["Role", "RoleBinding", "ServiceAccount"]
    rules = next(item for item in manifests if item["kind"] == "Role")["rules"]
    assert not [rule for rule in rules if "*" in rule["resources"] + rule["verbs"] + rule["apiGroups"]]
    assert not {"pods/exec", "roles", "rolebindings", "serviceaccounts/token"} & {
        r for x in rules for r in x["resources"]
    }


def test_deployer_may_write_every_kind_that_the_chart_can_make() -> None:
    made: set[tuple[str, str]] = set()
    library = (ROOT / "subcharts/platform-library/templates").glob("*.tpl")
    for path in [*(ROOT / "chart/templates").rglob("*.yaml"), *library]:
        text = path.read_text(encoding="utf-8")
        for version, kind in re.findall(r"^apiVersion: (\S+)\nkind: (\w+)$", text, re.MULTILINE):
            group = version.rpartition("/")[0]
            # As the API server spells them: Ingress is ingresses, NetworkPolicy is networkpolicies.
            name = re.sub(r"y$", "ie", kind.lower()) if not kind.endswith("ss") else f"{kind.lower()}e"
            made.add((group, f"{name}s"))
    assert len(made) >= 15, made
    manifests = load("roles/ai_agent/files/deployer-rbac.yaml")["items"]
    rules = next(item for item in manifests if item["kind"] == "Role")["rules"]
    writes = {"get", "list", "watch", "create", "update", "patch", "delete"}
    allowed = {(group, resource) for rule in rules if writes <= set(rule["verbs"])
               for group in rule["apiGroups"] for resource in rule["resources"]}  # fmt: skip
    assert made - allowed == set()


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.stem)
def test_a_playbook_of_releases_stops_at_a_mistyped_variable(path: Path) -> None:
    """Each part of the role that a playbook runs has guard among its tasks, or comes after it."""
    parts = re.findall(r"tasks_from: (\S+)", path.read_text(encoding="utf-8"))
    begun: list[str] = []
    for part in parts:
        text = (ROOT / "roles/ai_agent/tasks" / part).read_text(encoding="utf-8")
        begun += [part, *re.findall(r"(?:import_tasks|include_tasks|file): (\S+)", text)]
        assert {"guard_names.yml", "guard.yml", "fleet_judge.yml", "plan_look.yml", "steps.yml"} & set(begun), part
