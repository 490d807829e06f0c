"""A password that the run makes, one that another system rotates, and the model's key: on the lab, under load."""

from __future__ import annotations

import base64
import json
import shutil
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from lab.cluster import kubectl
from tests.integration.role.conftest import ROOT, Run

from .loaded import RELEASE, LoadedRelease, applied

VAULT = VaultLib([("dev", VaultSecret((ROOT / "lab/dev-vault-password").read_bytes().strip()))])
STUB = (Path(__file__).parent / "model_stub.py").read_text(encoding="utf-8")
ROTATE = "playbooks/rotate_credentials.yml"
KEYS = ["key-number-one", "key-number-two"]
MODEL = {"app": "model-stub"}
LLM = {"baseUrl": "http://model-stub:8080/v1", "model": "small", "existingSecret": "model-key"}
VALUES = {
    "agent": {"llm": LLM},
    "networkPolicy": {"model": {"to": [{"podSelector": {"matchLabels": MODEL}}], "ports": [8080]}},
}


class MadeRelease(LoadedRelease):
    """A release of a vault file of its own, whose answers come from an endpoint that knows two keys."""

    def __init__(self, lab: dict[str, t.Any], folder: Path) -> None:
        super().__init__(lab, "rotates-origins", ai_agent_values=VALUES)
        self.vault = folder / "vault.yml"
        shutil.copy(ROOT / "inventories/dev/group_vars/all/vault.yml", self.vault)

    def prepare(self) -> None:
        named = {"namespace": self.namespace}
        applied(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "model-key", **named},
                "stringData": {"api-key": KEYS[0]},
            },
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "stub", **named},
                "data": {"stub.py": STUB, "keys": "\n".join(KEYS)},
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "model-stub", **named},
                "spec": {"selector": MODEL, "ports": [{"port": 8080}]},
            },
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "model-stub", "labels": MODEL, **named},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        {
                            "name": "stub",
                            "image": self.image,
                            "command": ["python", "-u", "/keys/stub.py"],
                            "volumeMounts": [{"name": "stub", "mountPath": "/keys"}],
                        }
                    ],
                    "volumes": [{"name": "stub", "configMap": {"name": "stub"}}],
                },
            },
        )

    def run(self, playbook: str, *words: str, **variables: t.Any) -> Run:
        """With the vault file beside the inventory's own, as that is committed."""
        return self.play(playbook, *words, "-e", f"@{self.vault}", **variables)

    def in_vault(self) -> str:
        text = VAULT.decrypt(self.vault.read_text()).decode()
        return str(text.partition("vault_ai_agent_postgresql_password: ")[2].partition("\n")[0].strip('"'))

    def secret(self, name: str = f"{RELEASE}-secret") -> dict[str, t.Any]:
        return t.cast(
            "dict[str, t.Any]", json.loads(kubectl("-n", self.namespace, "get", "secret", name, "-o", "json"))
        )

    def value(self, key: str, name: str = f"{RELEASE}-secret") -> str:
        return base64.b64decode(self.secret(name)["data"][key]).decode()


@pytest.fixture(scope="module")
def made(lab: dict[str, t.Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeRelease]:
    with MadeRelease(lab, tmp_path_factory.mktemp("vault")) as release:
        yield release


def failed(release: LoadedRelease) -> int:
    counts = release.counts(10)
    print(counts)
    return int(counts["failed"])


def test_a_generated_password_and_another_key_with_one_replacement_of_the_pods(made: MadeRelease) -> None:
    first = made.in_vault()
    given = {"ai_agent_rotation_generate": True, "ai_agent_rotation_vault_file": str(made.vault)}
    run = made.run(ROTATE, **given, ai_agent_model_key=KEYS[1])
    assert run.code == 0, run.output[-4000:]
    said = " ".join(run.output.split())
    assert "stands encrypted (vault id dev) as vault_ai_agent_postgresql_password" in said
    assert "alone is in use." in said
    assert "Revoke the old one at the provider" in said
    new = made.in_vault()
    assert (new != first, len(new)) == (True, 40)
    assert (made.value("password"), made.value("api-key", "model-key")) == (new, KEYS[1])
    assert said.count("Deploy the same chart and values again") == 1

    # The old key is revoked.
    kubectl("-n", made.namespace, "patch", "configmap", "stub", "-p", json.dumps({"data": {"keys": KEYS[1]}}))
    deployed = made.run("site.yml")
    assert (deployed.code, deployed.recap("changed")) == (0, 0), deployed.output[-4000:]
    for output in (run.output, deployed.output):
        assert not [each for each in (first, new, *KEYS) if each in output]
    assert new not in json.dumps(made.secret()["metadata"])
    assert failed(made) == 0


def test_a_key_that_the_provider_does_not_know_is_not_used(made: MadeRelease) -> None:
    run = made.run(ROTATE, ai_agent_model_key="mistyped-key")
    assert run.code != 0
    assert "answers 401" in run.errors[0], run.output[-3000:]
    assert "docs/runbook.md#rotation-model-key" in run.errors[0]
    assert made.value("api-key", "model-key") == KEYS[1]
    assert failed(made) == 0


def test_a_password_that_another_system_rotates_is_noticed_and_followed(made: MadeRelease) -> None:
    def give(password: str) -> None:
        marks = {"reconcile.external-secrets.io/managed": "true"}
        metadata = {"name": "given", "namespace": made.namespace, "labels": marks}
        applied({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": password}})

    give("rotated @ by/others")
    noticed = made.run("site.yml", ai_agent_postgresql_password_secret="given")
    assert noticed.code != 0
    assert "docs/runbook.md#password-rotated" in noticed.errors[0], noticed.output[-3000:]
    followed = made.run(ROTATE, ai_agent_postgresql_password_secret="given")
    assert followed.code == 0, followed.output[-4000:]
    assert made.value("password") == "rotated @ by/others"
    assert "rotated @ by/others" not in noticed.output + followed.output
    assert failed(made) == 0
