"""Bad input to the playbook: one clear line for each, and nothing half done."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from . import living
from .conftest import LAB_VARS, ROOT, VENV, Run, play

DEV = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password"]
NAMESPACE = "role-bad-input"
SECRETS = ["demo-only"]
FakeHelm = Callable[..., Path]
_PASSWORDS = (
    "ai_agent_postgresql_password",
    "ai_agent_postgresql_admin_password",
    "ai_agent_replication_password",
    "ai_agent_redis_password",
)


def deploy(helm: Path | str, **variables: t.Any) -> Run:
    """Deploy to dev with ``helm`` and further extra variables, without the lab's."""
    return play(*DEV, "site.yml", ai_agent_helm_binary=str(helm), **variables)


def assert_one_clear_line(run: Run, *parts: str) -> None:
    """The run failed, changed nothing, and says why in one line that contains ``parts``."""
    assert run.code != 0, run.output
    assert len(run.errors) == 1, run.output
    for part in parts:
        assert part in run.errors[0], run.output
    assert "Traceback" not in run.output
    assert run.recap("changed") == 0
    for secret in SECRETS:
        assert secret not in run.output


# What is wrong with the variables, and what the line must say. None of these asks the cluster.
VARIABLES: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "unknown subcharts": ({"ai_agent_subcharts": "helm"}, ["ai_agent_subcharts", "bitnami, embedded", "got: helm"]),
    "no environment": ({"ai_agent_environment": ""}, ["ai_agent_environment is not set", "agent-dev"]),
    "unknown environment": ({"ai_agent_environment": "qa"}, ['environment "qa"', "values-dev.yaml"]),
    "demo password outside dev": (
        {"ai_agent_environment": "prod"},
        ["ai_agent_redis_password", "demo or placeholder", "prod"],
    ),
    "no password": ({"ai_agent_redis_password": ""}, ["ai_agent_redis_password", "vault", "ai_agent_existing_secret"]),
    "password missing for replication": (
        {"ai_agent_replication_password": "", "ai_agent_values": {"postgresql": {"architecture": "replication"}}},
        ["ai_agent_replication_password"],
    ),
    "password among the values": (
        {"ai_agent_values": {"redis": {"auth": {"password": "x"}}}},
        ["redis.auth.password", "readable"],
    ),
    "a Secret among the values": (
        {"ai_agent_values": {"existingSecret": "mine"}},
        ["existingSecret to mine", "name it in ai_agent_existing_secret"],
    ),
    "password of digits": ({"ai_agent_redis_password": 70}, ["ai_agent_redis_password is a number", "in quotes"]),
    "password with a line break": (
        {"ai_agent_postgresql_password": "demo-only\n"},
        ["ai_agent_postgresql_password holds a line break", "printf", "runbook.md#password-unfit"],
    ),
    "password that is a reference": (
        {"ai_agent_redis_password": "ref+vault://secret/agent#/redis"},
        ["ai_agent_redis_password is a reference", "runbook.md#password-unfit"],
    ),
    "a variable of libpq among the values": (
        {"ai_agent_values": {"agent": {"env": {"PGPASSWORD": "K9-xQ-canary"}}}},
        ["ai_agent_values sets agent.env.PGPASSWORD", "readable in the release"],
    ),
    "password that PostgreSQL takes for a hash": (
        {"ai_agent_postgresql_password": "md5" + "0" * 32},
        ["ai_agent_postgresql_password has the form of a hash", "runbook.md#password-unfit"],
    ),
    "password of the vault among the values": (
        {"ai_agent_redis_password": "Kx9!real-one", "ai_agent_values": {"agent": {"env": {"A": "Kx9!real-one"}}}},
        ["ai_agent_values sets agent.env.A", "readable in the release"],
    ),
    "password that is a template": (
        {"ai_agent_postgresql_password": "demo-only{{ nosuch"},
        ["ai_agent_postgresql_password holds {{", "!unsafe"],
    ),
    "release name": ({"ai_agent_release_name": "my_agent"}, ['"my_agent"', "lower-case"]),
    "no namespace": ({"ai_agent_namespace": None}, ["ai_agent_namespace", "lower-case", "agent-dev"]),
    "namespace": ({"ai_agent_namespace": "My_Agents"}, ['"My_Agents"', "lower-case", "ai_agent_namespace"]),
    "time-out": ({"ai_agent_timeout": "600"}, ['ai_agent_timeout is "600"', "10m"]),
    "no time at all": ({"ai_agent_timeout": "0m0s"}, ['ai_agent_timeout is "0m0s"', "10m"]),
    "kubeconfig that is not there": (
        {"ai_agent_kubeconfig": "/nowhere/config"},
        ["Could not find or access '/nowhere/config'", "host agent-dev, ai_agent_kubeconfig"],
    ),
    "preflight's policy": (
        {"ai_agent_preflight_fail_on": "sometimes"},
        ["ai_agent_preflight_fail_on", "unknown, warn"],
    ),
    "acceptance without a reason": ({"ai_agent_preflight_accept": [{"id": "destructive"}]}, ["reason"]),
    "wrong type": ({"ai_agent_images": "agent:1"}, ["ai_agent_images"]),
    "values as a text, from a survey of AWX": (
        {"ai_agent_values": '{"agent": {"replicaCount": 2}}'},
        ["ai_agent_values of host agent-dev is a text", "must be a dictionary"],
    ),
    "values that are null": ({"ai_agent_values": None}, ["ai_agent_values must be a dictionary, and is null (host"]),
    "values as a list": ({"ai_agent_values": [{"agent": {}}]}, ["ai_agent_values must be a dictionary, and is a list"]),
    "an image as a text": (
        {"ai_agent_images": {"agent": "registry.example.com/agent:1"}},
        ["ai_agent_images.agent must be a dictionary, and is a text (host"],
    ),
    "an image of nobody": (
        {"ai_agent_images": {"postgres": {"tag": "15"}}},
        ["ai_agent_images.postgres does not exist: there are agent, postgresql, redis (host"],
    ),
    "neither yes nor no": (
        {"ai_agent_preflight": "maybe"},
        ["ai_agent_preflight must be true or false, and is a text"],
    ),
    "a letter missing": ({"ai_agent_namespce": "x"}, ["ai_agent_namespce", "did you mean ai_agent_namespace?"]),
    "two mistyped": (
        {"ai_agent_reports_dirs": "x", "ai_agent_time_out": "1m"},
        ["ai_agent_reports_dirs, ai_agent_time_out", "did you mean ai_agent_reports_dir, ai_agent_timeout?"],
    ),
    "external database": (
        {"ai_agent_values": {"postgresql": {"enabled": False}}},
        ["ai_agent_existing_secret", "enabled: false"],
    ),
    "external cache": (
        {"ai_agent_values": {"redis": {"enabled": False}}},
        ["ai_agent_existing_secret", "agent.urls.cache: []"],
    ),
}


@pytest.mark.parametrize("case", VARIABLES)
def test_variables(case: str, fake_helm: FakeHelm) -> None:
    variables, parts = VARIABLES[case]
    assert_one_clear_line(deploy(fake_helm("v4.3.1"), **variables), *parts)


PRINTABLE = "'\"\\$`!&|;<>()*?[]{{ {% {# }}%:@/+=,~^ end"


def test_any_printable_password_of_an_inventory_arrives(tmp_path: Path, fake_helm: FakeHelm) -> None:
    """As the examples write it, in a file that ansible-vault encrypted; debug shows what the role would write."""
    folder = tmp_path / "prod"
    shutil.copytree(ROOT / "inventories/prod", folder)
    example = (folder / "group_vars/all/vault.yml.example").read_text()
    assert example.count(": !unsafe 'change-me'") == 4
    vault = folder / "group_vars/all/vault.yml"
    vault.write_text(example.replace("change-me", PRINTABLE.replace("'", "''")))
    (tmp_path / "password").write_text("v\n")
    subprocess.run(
        [VENV / "ansible-vault", "encrypt", "--vault-id", f"prod@{tmp_path}/password", vault],
        check=True,
        capture_output=True,
    )
    words: list[str | Path] = ["-i", folder, "--vault-id", f"prod@{tmp_path}/password"]
    # What stops this run is the old helm; the passwords were taken.
    run = play(*words, "site.yml", ai_agent_helm_binary=str(fake_helm("v4.1.0")), ai_agent_context="c")
    assert_one_clear_line(run, "helm 4.1.0")
    (tmp_path / "show.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - ansible.builtin.copy: {content: '{{ ai_agent_redis_password }}', dest: '"
        + f"{tmp_path}/arrived"
        + "'}\n"
    )
    shown = play(*words, str(tmp_path / "show.yml"))
    assert shown.code == 0, shown.output
    assert (tmp_path / "arrived").read_text() == PRINTABLE


def test_outside_dev_a_cluster_is_named(tmp_path: Path, fake_helm: FakeHelm) -> None:
    # What a shell has as its current context is no choice for prod.
    config = kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:1")
    nothing = {"KUBECONFIG": str(config)}
    passwords = dict.fromkeys(_PASSWORDS, "9q!xR-a-real-one")
    given = {"ai_agent_helm_binary": str(fake_helm("v4.3.1")), **passwords}
    for playbook in ("site.yml", "playbooks/preflight.yml", "playbooks/verify.yml"):
        run = play("-i", "inventories/prod", playbook, env=nothing, **given)
        assert_one_clear_line(run, "No cluster is named for host agent-prod", "ai_agent_context", "ai_agent_cluster")
    # It is asked, and named in the first lines, once anything names it.
    for named in ({"ai_agent_context": "c"}, {"ai_agent_cluster": "https://127.0.0.1:1"}):
        run = play("-i", "inventories/prod", "site.yml", env=nothing, **given, **named)
        where = "Release agent-prod in namespace prod, environment prod, cluster https://127.0.0.1:1"
        assert where in " ".join(run.output.split()), run.output
        assert run.recap("changed") == 0


@pytest.mark.parametrize("playbook", ["site.yml", "playbooks/preflight.yml", "playbooks/verify.yml"])
def test_a_shell_that_contradicts_the_inventory(playbook: str, tmp_path: Path, fake_helm: FakeHelm) -> None:
    config = kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:1")
    given = dict.fromkeys(_PASSWORDS, "9q!xR-a-real-one") | {"ai_agent_helm_binary": str(fake_helm("v4.3.1"))}
    given |= {"ai_agent_kubeconfig": str(config), "ai_agent_context": "c"}
    run = play("-i", "inventories/prod", playbook, env={"K8S_AUTH_HOST": "https://127.0.0.1:2"}, **given)
    assert_one_clear_line(run, "ai_agent_kubeconfig and ai_agent_context of host agent-prod", "K8S_AUTH_HOST", "unset")
    assert "127.0.0.1" not in run.errors[0]


def test_a_kubeconfig_with_several_contexts_names_no_cluster(tmp_path: Path, fake_helm: FakeHelm) -> None:
    config = kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:1")
    content = yaml.safe_load(config.read_text())
    content["contexts"].append(content["contexts"][0] | {"name": "another"})
    config.write_text(yaml.safe_dump(content))
    given: dict[str, t.Any] = dict.fromkeys(_PASSWORDS, "9q!xR-a-real-one") | {
        "ai_agent_helm_binary": str(fake_helm("v4.3.1"))
    }
    run = play("-i", "inventories/prod", "site.yml", ai_agent_kubeconfig=str(config), **given)
    assert_one_clear_line(run, "No cluster is named for host agent-prod", "has several", "set ai_agent_context")


def test_another_cluster_than_the_one_that_is_meant(tmp_path: Path, fake_helm: FakeHelm) -> None:
    config = kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:1")
    meant = "https://prod.example:6443"
    run = deploy(fake_helm("v4.3.1"), ai_agent_kubeconfig=str(config), ai_agent_cluster=meant)
    assert_one_clear_line(run, "https://127.0.0.1:1 is not the one that is meant", meant, "runbook.md#cluster-another")


@pytest.mark.parametrize("place", ["group_vars/all.yml", "host_vars/h/main.yml", "hosts.yml"])
def test_a_variable_is_mistyped_wherever_it_is_set(place: str, tmp_path: Path) -> None:
    wrong = {"ai_agent_kubconfig": "/nowhere"}
    hosts = {"all": {"hosts": {"h": {"ansible_connection": "local", **(wrong if place == "hosts.yml" else {})}}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    if place != "hosts.yml":
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(yaml.safe_dump(wrong))
    assert_one_clear_line(play("-i", tmp_path, "site.yml"), "ai_agent_kubconfig", "did you mean ai_agent_kubeconfig?")


def test_a_variable_without_effect_is_named_and_stops_nothing(fake_helm: FakeHelm) -> None:
    run = deploy(fake_helm("v4.1.0"), ai_agent_owner="me")
    assert "no such variable: ai_agent_owner" in run.output
    assert_one_clear_line(run, "helm 4.1.0")


def test_account_without_rights(tmp_path: Path) -> None:
    said = 'secrets is forbidden: User "bare" cannot list resource "secrets" in API group "" in the namespace "dev"'
    helm = tmp_path / "helm"
    helm.write_text(f"#!/bin/sh\n[ \"$1\" = version ] && echo v4.3.1 && exit\necho 'Error: {said}' >&2\nexit 1\n")
    helm.chmod(0o755)
    # A cluster has to be named, or the run ends before helm is asked.
    config = kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:1")
    run = deploy(helm, ai_agent_kubeconfig=str(config))
    assert_one_clear_line(run, "account bare may not list secrets in namespace dev", "files/deployer-rbac.yaml")
    assert "gives no answer" not in run.output


def test_a_vault_in_plain_text_warns_outside_dev(tmp_path: Path, fake_helm: FakeHelm) -> None:
    for environment in ("dev", "staging"):
        folder = tmp_path / environment
        shutil.copytree(ROOT / "inventories/staging", folder)
        main = folder / "group_vars/all/main.yml"
        main.write_text(
            main.read_text().replace("ai_agent_environment: staging", f"ai_agent_environment: {environment}")
        )
        example = (folder / "group_vars/all/vault.yml.example").read_text()
        (folder / "group_vars/all/vault.yml").write_text(example.replace("change-me", "8Rz!a-real-one"))
        run = play("-i", folder, "site.yml", ai_agent_helm_binary=str(fake_helm("v4.1.0")), ai_agent_context="c")
        # It warns; what stops this run is the old helm.
        assert_one_clear_line(run, "helm 4.1.0")
        assert ("stand in plain text" in run.output) == (environment == "staging"), run.output
        assert "8Rz!a-real-one" not in run.output


def test_environment_without_inventory() -> None:
    assert_one_clear_line(play("-i", "inventories/qa", "site.yml"), "inventories/qa", "failed to parse")


def test_wrong_vault_password(tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("not-it\n")
    run = play("-i", "inventories/dev", "--vault-id", f"dev@{wrong}", "site.yml")
    # The line is Ansible's own: it reads group_vars before the first task. The warning before it is the callback's.
    assert_one_clear_line(run, "Decryption failed (no vault secrets were found that could decrypt)")
    assert "[WARNING]: inventories/dev/group_vars/all/vault.yml cannot be decrypted" in run.output.replace(
        f"{ROOT}/", ""
    )
    assert "--vault-id dev@prompt" in run.output


def test_no_vault_password_and_the_right_one() -> None:
    run = play("-i", "inventories/dev", "site.yml")
    assert run.code != 0
    assert "inventories/dev/group_vars/all/vault.yml cannot be decrypted" in run.output
    assert "--vault-id dev@lab/dev-vault-password" in run.output
    assert "cannot be decrypted" not in deploy("/nowhere/helm").output


def test_the_last_line_is_the_outcome_also_where_the_rest_is_hidden(fake_helm: FakeHelm) -> None:
    words = [*DEV, "site.yml"]
    for env in ({}, {"ANSIBLE_DISPLAY_OK_HOSTS": "no"}):
        run = play(*words, env=env, ai_agent_helm_binary=str(fake_helm("v4.1.0")), ai_agent_quiet=True)
        last = run.output.rstrip().splitlines()[-1]
        assert last.startswith("FAILED  agent-dev: Stop at a helm that does not fit: "), run.output
        assert "helm 4.1.0" in last


@pytest.mark.parametrize(
    ("version", "part"),
    [
        ("v4.2.1", "every hook waits"),
        ("v4.1.0", "helm 4.1.0"),
        ("v3.18.6", "helm 3.18.6"),
        ("v5.0.0", "helm 5.0.0"),
        ("v4.3", "full version"),
    ],
)
def test_helm_version(version: str, part: str, fake_helm: FakeHelm) -> None:
    assert_one_clear_line(deploy(fake_helm(version)), part, "4.2.4")


def test_no_helm() -> None:
    assert_one_clear_line(deploy("/nowhere/helm"), "helm was not found", "/nowhere/helm")


def test_old_kubernetes_core_that_shadows_the_new_one(tmp_path: Path, fake_helm: FakeHelm) -> None:
    installed = Path(sysconfig.get_paths()["purelib"]) / "ansible_collections"
    old = tmp_path / "ansible_collections/kubernetes/core"
    shutil.copytree(installed / "kubernetes/core", old)
    manifest = json.loads((old / "MANIFEST.json").read_text())
    manifest["collection_info"]["version"] = "6.2.0"
    (old / "MANIFEST.json").write_text(json.dumps(manifest))
    run = play(
        *DEV,
        "site.yml",
        env={"ANSIBLE_COLLECTIONS_PATH": f"{tmp_path}:{ROOT / 'collections'}"},
        ai_agent_helm_binary=str(fake_helm("v4.3.1")),
    )
    assert_one_clear_line(run, "kubernetes.core 6.2.0", "6.6.0 or later")


def test_python_without_the_kubernetes_client(tmp_path: Path, fake_helm: FakeHelm) -> None:
    bare = tmp_path / "bare"
    subprocess.run(["python3", "-m", "venv", "--without-pip", bare], check=True)
    run = deploy(fake_helm("v4.3.1"), ansible_python_interpreter=str(bare / "bin/python"))
    assert_one_clear_line(run, str(bare), "kubernetes 36.0.2 or later", "ansible_playbook_python")


@pytest.mark.parametrize(
    ("status", "what", "remedy"),
    [
        ("pending-install", "install", "helm uninstall agent-dev"),
        # Without a revision that was deployed there is nothing to go back to.
        ("pending-upgrade", "upgrade", "helm uninstall agent-dev"),
        ("pending-rollback", "rollback", "helm uninstall agent-dev"),
        ("uninstalling", "removal", "helm uninstall agent-dev"),
    ],
)
def test_release_left_half_way(status: str, what: str, remedy: str, fake_helm: FakeHelm, tmp_path: Path) -> None:
    release = {"name": "agent-dev", "status": status, "updated": "2026-11-21 05:00:00 UTC", "chart": "ai-agent-1.0.0"}
    with living.release([], "unused", tmp_path) as cluster:
        run = deploy(fake_helm("v4.3.1", json.dumps([release])), ai_agent_kubeconfig=str(cluster.kubeconfig))
    assert_one_clear_line(run, f"The {what} of release agent-dev", "did not come to its end", remedy, "ai_agent_repair")


def test_a_release_of_another_chart_is_not_replaced(fake_helm: FakeHelm, tmp_path: Path) -> None:
    release = {"name": "agent-dev", "status": "deployed", "chart": "wordpress-24.1.0"}
    with living.release([], "unused", tmp_path) as cluster:
        run = deploy(fake_helm("v4.3.1", json.dumps([release])), ai_agent_kubeconfig=str(cluster.kubeconfig))
    assert_one_clear_line(run, "is of the chart wordpress-24.1.0", "runbook.md#release-of-another-chart")


def kubeconfig(path: Path, server: str) -> Path:
    """Write a kubeconfig for ``server`` to ``path``."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "a-token-of-nobody"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


def test_unreachable_cluster(tmp_path: Path, lab: dict[str, t.Any]) -> None:
    config = kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:1")
    run = deploy(lab["ai_agent_helm_binary"], ai_agent_kubeconfig=str(config))
    assert_one_clear_line(run, "https://127.0.0.1:1", "gives no answer", "connection refused", "ai_agent_kubeconfig")
    assert "a-token-of-nobody" not in run.output


def test_context_that_does_not_exist(lab: dict[str, t.Any]) -> None:
    run = play(*DEV, "site.yml", "-e", f"@{LAB_VARS}", ai_agent_context="elsewhere")
    assert_one_clear_line(run, "elsewhere", "ai_agent_context")


def test_namespace_that_does_not_exist(lab: dict[str, t.Any]) -> None:
    words = [*DEV, "site.yml", "-e", f"@{LAB_VARS}"]
    run = play(*words, ai_agent_namespace="role-nowhere", ai_agent_create_namespace=False)
    assert_one_clear_line(run, "Namespace role-nowhere does not exist", "ai_agent_create_namespace")


class Cluster:
    """A namespace of the lab's cluster and the playbook in it."""

    def __init__(self, lab: dict[str, t.Any]) -> None:
        self.kubeconfig = lab["ai_agent_kubeconfig"]
        self.images = lab["ai_agent_images"]

    def deploy(self, **variables: t.Any) -> Run:
        """Deploy release `bad` into the namespace."""
        words = [*DEV, "site.yml", "-e", f"@{LAB_VARS}"]
        return play(*words, ai_agent_namespace=NAMESPACE, ai_agent_release_name="bad", **variables)

    def kubectl(self, *words: str) -> str:
        """Run kubectl of the lab in the namespace and return its output."""
        command = [str(ROOT / ".lab/bin/kubectl"), "--kubeconfig", self.kubeconfig, "-n", NAMESPACE, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def cluster(lab: dict[str, t.Any]) -> Iterator[Cluster]:
    there = Cluster(lab)
    there.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")
    yield there
    there.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def test_image_that_does_not_exist_and_the_repair(cluster: Cluster) -> None:
    missing = {**cluster.images["agent"], "tag": "0.0.0-missing"}
    run = cluster.deploy(ai_agent_images={**cluster.images, "agent": missing}, ai_agent_timeout="40s")
    assert run.code != 0
    assert len(run.errors) == 1, run.output
    assert f"{missing['repository']}:0.0.0-missing does not exist" in run.output
    assert "Traceback" not in run.output
    assert SECRETS[0] not in run.output

    # The second time there is a namespace to try the image in, and nothing is changed before it is known.
    again = cluster.deploy(ai_agent_images={**cluster.images, "agent": missing})
    assert_one_clear_line(again, "Nothing was changed", "0.0.0-missing cannot be pulled", "runbook.md#image-pull")

    # A password in the vault that is not the live one stops the run and touches nothing.
    before = cluster.kubectl("get", "secret", "bad-secret", "-o", "jsonpath={.data}")
    changed = cluster.deploy(ai_agent_redis_password="another one")
    assert_one_clear_line(changed, "ai_agent_redis_password", "runbook.md#password-differs", f"{NAMESPACE}/bad-secret")
    assert "another one" not in changed.output
    assert cluster.kubectl("get", "secret", "bad-secret", "-o", "jsonpath={.data}") == before

    # So does another choice of subcharts.
    other = cluster.deploy(ai_agent_subcharts="bitnami")
    assert_one_clear_line(other, "postgresql-12.12.10_embedded", "ai_agent_subcharts=bitnami", "another database")

    # And values that the chart refuses.
    refused = cluster.deploy(ai_agent_values={"agent": {"replicas": 2}})
    assert_one_clear_line(refused, "refuses the values", "replicas")

    # The next run repairs what the failed one left.
    repaired = cluster.deploy()
    assert repaired.code == 0, repaired.output
    assert cluster.deploy().recap("changed") == 0
    assert cluster.kubectl("get", "secret", "bad-secret", "-o", "jsonpath={.data}") == before
