"""Where a database password comes from: a generator that keeps it in the vault, and a Secret that others rotate.

Without pods a rotation goes as far as to where it would try the new login; tests/integration/operations has the rest.
"""

from __future__ import annotations

import base64
import typing as t
import uuid
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from kubernetes import client, config

from tests.integration.role.conftest import Run

from .conftest import Fleet

VAULT = VaultLib([("team", VaultSecret(b"of the team"))])
FIRST = "first-of-the-vault"
ROTATE = "playbooks/rotate_credentials.yml"


class Host:
    """One release of a fleet, whose password stands in a vault file beside the inventory."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.name = f"pw-{uuid.uuid4().hex[:8]}"
        self.core = client.CoreV1Api(config.new_client_from_config(str(fleet.cluster.kubeconfig)))
        self.core.create_namespace({"metadata": {"name": self.name}})
        self.vault = fleet.folder / "host_vars" / self.name / "vault.yml"
        self.vault.parent.mkdir(parents=True)
        text = f"# of the team\nvault_ai_agent_postgresql_password: {FIRST}\nother: 1\n"
        self.vault.write_bytes(VAULT.encrypt(text, vault_id="team"))
        password = fleet.folder / "password"
        password.write_text("of the team")
        self.words = ["--vault-id", f"team@{password}"]
        fleet.hosts[self.name] = {
            "ai_agent_release_name": self.name,
            "ai_agent_postgresql_password": "{{ vault_ai_agent_postgresql_password }}",
        }

    def run(self, playbook: str = "site.yml", *words: str, **variables: t.Any) -> Run:
        self.fleet.hosts[self.name] |= variables
        return self.fleet.run(*self.words, *words, playbook=playbook)

    def text(self) -> str:
        return str(VAULT.decrypt(self.vault.read_text()).decode())

    def in_vault(self) -> str:
        return self.text().partition("vault_ai_agent_postgresql_password: ")[2].partition("\n")[0].strip('"')

    def secret(self, name: str = "", key: str = "password") -> str:
        data = self.core.read_namespaced_secret(name or f"{self.name}-secret", self.name).data
        return base64.b64decode(data[key]).decode()

    def deployed_id(self) -> str:
        """With which the agent's pods are made."""
        apps = client.AppsV1Api(self.core.api_client)
        [found] = apps.list_namespaced_deployment(self.name).items
        return str(found.spec.template.metadata.annotations["ai-agent/rotation-id"])

    def give(self, password: str, **metadata: t.Any) -> None:
        """As External Secrets does."""
        body = {"metadata": {"name": "given", **metadata}, "stringData": {"db": password}}
        try:
            self.core.create_namespaced_secret(self.name, body)
        except client.ApiException:
            self.core.patch_namespaced_secret("given", self.name, body)


@pytest.fixture
def host(fleet: Fleet) -> t.Iterator[Host]:
    made = Host(fleet)
    yield made
    made.core.delete_namespace(made.name)


def test_the_key_of_the_model_reaches_its_secret_and_the_pods_are_replaced(host: Host) -> None:
    """The key is not tried, for no pod runs here; what is left of the way is the whole one."""
    host.core.create_namespaced_secret(host.name, {"metadata": {"name": "model"}, "stringData": {"api-key": "one"}})
    llm = {"baseUrl": "http://model.example/v1", "existingSecret": "model"}
    values = {"agent": {"llm": llm}, "networkPolicy": {"enabled": False}}
    installed = host.run(ai_agent_values=values, ai_agent_verify_model={"ask": False})
    assert installed.code == 0, installed.output
    first = host.secret(key="rotation-id")
    revision = host.fleet.revisions()[host.name]

    check = host.run(ROTATE, "--check", ai_agent_model_key="key-number-two")
    assert (check.code, "would be tried from an agent pod" in " ".join(check.output.split())) == (0, True), check.output
    assert host.secret("model", "api-key") == "one"
    run = host.run(ROTATE)
    assert run.code == 0, run.output
    assert "Revoke the old one at the provider" in " ".join(run.output.split()), run.output
    assert host.secret("model", "api-key") == "key-number-two"
    second = host.secret(key="rotation-id")
    assert second != first
    assert host.deployed_id() == second
    assert host.fleet.revisions()[host.name] == revision + 1

    again = host.run(ROTATE)
    assert (again.code, again.recap("changed")) == (0, 0), again.output
    deployed = host.run()
    assert (deployed.code, deployed.recap("changed")) == (0, 0), deployed.output
    for output in (check.output, run.output, again.output, deployed.output):
        assert "key-number-two" not in output


def files_with(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_generated_password_is_in_the_vault_before_anything_changes(host: Host) -> None:
    assert host.run().code == 0
    given = {"ai_agent_rotation_generate": True, "ai_agent_rotation_vault_file": str(host.vault)}
    before = host.vault.read_text()
    check = host.run(ROTATE, "--check", **given)
    said = " ".join(check.output.split())
    assert "would stand encrypted (vault id team) as vault_ai_agent_postgresql_password" in said, check.output
    assert host.vault.read_text() == before

    run = host.run(ROTATE)
    assert run.code != 0
    assert "docs/runbook.md#rotation-no-pod" in run.errors[0], run.output
    new = host.in_vault()
    assert len(new) == 40
    assert host.text() == f'# of the team\nvault_ai_agent_postgresql_password: "{new}"\nother: 1\n'
    assert host.vault.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;team\n")
    assert host.secret() == FIRST

    # It is wanted now: the next run makes no other one.
    again = host.run(ROTATE)
    assert "docs/runbook.md#rotation-no-pod" in again.errors[0], again.output
    assert host.in_vault() == new
    deployed = host.run("site.yml", ai_agent_rotation_generate=False)
    assert "playbooks/rotate_credentials.yml makes ai_agent_postgresql_password true" in deployed.errors[0]
    for output in (check.output, run.output, again.output, deployed.output):
        assert new not in output
    assert files_with(host.fleet.folder, new) == []


def test_what_cannot_keep_a_generated_password(host: Host) -> None:
    assert host.run().code == 0
    nowhere = host.run(ROTATE, ai_agent_rotation_generate=True)
    assert "no place for the new password" in nowhere.errors[0], nowhere.output
    plain = host.fleet.folder / "plain.yml"
    plain.write_text(f"ai_agent_postgresql_password: {FIRST}\n")
    refused = host.run(ROTATE, ai_agent_rotation_vault_file=str(plain))
    assert "in plain text" in refused.errors[0], refused.output
    assert "docs/runbook.md#rotation-vault" in refused.errors[0]
    assert FIRST in plain.read_text()


def test_a_generated_password_of_redis_is_in_the_vault_before_anything_changes(host: Host) -> None:
    host.vault.write_bytes(VAULT.encrypt(f"{host.text()}vault_ai_agent_redis_password: {FIRST}\n", vault_id="team"))
    assert host.run(ai_agent_redis_password="{{ vault_ai_agent_redis_password }}").code == 0
    given = {"ai_agent_rotation_generate": True, "ai_agent_rotation_vault_file": str(host.vault)}
    given |= {"ai_agent_rotation_passwords": ["ai_agent_redis_password"]}
    by_hand = host.run(ROTATE, ai_agent_subcharts="bitnami", **given)
    assert "nothing here changes in Bitnami's servers" in by_hand.errors[0], by_hand.output
    run = host.run(ROTATE, ai_agent_subcharts="embedded")
    assert "No pod of Redis is there" in run.errors[0], run.output
    new = host.text().partition("vault_ai_agent_redis_password: ")[2].strip().strip('"')
    assert len(new) == 40
    # The two had one value; the database's stays.
    assert host.in_vault() == FIRST
    assert host.secret(key="redis-password") == FIRST
    # It is wanted now: the next run makes no other one.
    again = host.run(ROTATE)
    assert "No pod of Redis is there" in again.errors[0], again.output
    assert new in host.text()
    assert new not in by_hand.output + run.output + again.output
    assert files_with(host.fleet.folder, new) == []


def test_another_password_of_the_replicas_leads_to_its_rotation(host: Host) -> None:
    """Up to the servers' pods, of which there is none here."""
    values = {"postgresql": {"architecture": "replication"}, "networkPolicy": {"enabled": False}}
    installed = host.run(ai_agent_values=values, ai_agent_replication_password="one-of-the-replicas")
    assert installed.code == 0, installed.output
    noticed = host.run(ai_agent_replication_password="two-of-the-replicas")
    said = " ".join(noticed.output.split())
    assert "playbooks/rotate_credentials.yml makes ai_agent_replication_password true" in said, noticed.output
    run = host.run(ROTATE)
    assert "No PostgreSQL of this release is there" in run.errors[0], run.output
    assert "docs/runbook.md#rotation-replication" in run.errors[0]
    assert host.secret(key="replication-password") == "one-of-the-replicas"
    assert "of-the-replicas" not in installed.output + noticed.output + run.output


def test_a_secret_that_others_rotate_is_followed(host: Host) -> None:
    given = {"ai_agent_postgresql_password_secret": "given", "ai_agent_postgresql_password_key": "db"}
    missing = host.run(**given)
    assert "does not exist" in missing.errors[0], missing.output
    host.give("of-external-secrets", labels={"reconcile.external-secrets.io/managed": "true"})
    installed = host.run()
    assert installed.code == 0, installed.output
    assert host.secret() == "of-external-secrets"
    assert host.run().recap("changed") == 0

    host.give("rotated-there")
    noticed = host.run()
    assert noticed.code != 0
    assert "has another password for the database than the server" in noticed.errors[0], noticed.output
    assert "docs/runbook.md#password-rotated" in noticed.errors[0]
    assert host.secret() == "of-external-secrets"
    said = host.run(ROTATE)
    # Up to where it would be tried from a pod.
    assert "docs/runbook.md#rotation-no-pod" in said.errors[0], said.output

    # Its keeper would undo what a generator writes.
    host.give("of-external-secrets")
    generated = host.run(ROTATE, ai_agent_rotation_generate=True)
    assert "kept by External Secrets, which rotates the password itself" in generated.errors[0], generated.output
    for output in (noticed.output, said.output, generated.output):
        assert "of-external-secrets" not in output
        assert "rotated-there" not in output


def test_a_secret_that_nobody_keeps_may_be_given_a_generated_one(host: Host) -> None:
    host.give("by-hand-once")
    assert host.run(ai_agent_postgresql_password_secret="given", ai_agent_postgresql_password_key="db").code == 0
    run = host.run(ROTATE, ai_agent_rotation_generate=True)
    assert "docs/runbook.md#rotation-no-pod" in run.errors[0], run.output
    new = host.secret("given", "db")
    assert (len(new), host.secret()) == (40, "by-hand-once")
    host.run(ROTATE)
    assert host.secret("given", "db") == new
    assert new not in run.output
