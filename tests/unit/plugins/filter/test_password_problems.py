"""A value that somebody encrypted with Ansible Vault stands among the values of the chart."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext
from ansible.template import Templar
from ansible_collections.ai_platform.agent.plugins.filter.password_problems import FilterModule

CANARY = "HUNTER2canary"
PASSWORDS = {"password": "8Rz!a", "postgres-password": "9Qx!b", "redis-password": "5Mv!e"}


def test_what_came_out_of_a_vault_is_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [("default", VaultSecret(b"open"))]
    hidden = VaultLib(secrets).encrypt(CANARY).decode().replace("\n", "\n    ")
    file = tmp_path / "main.yml"
    file.write_text(
        f"key: !vault |\n    {hidden}\nvalues:\n  agent:\n    env:\n      A: '{{{{ key }}}}'\n      B: plain\n"
        f"      C: !vault |\n          {hidden.replace(chr(10), chr(10) + '      ')}\n    list: [1, '{{{{ key }}}}']\n"
    )
    loader = DataLoader()
    loader.set_vault_secrets(secrets)
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(secrets))
    found = loader.load_from_file(str(file), trusted_as_template=True)
    values = Templar(loader, variables=found).template(found["values"])
    assert values["agent"]["env"]["A"] == CANARY
    problems = FilterModule().filters()["password_problems"](PASSWORDS, values)
    assert problems["in_values"] == ["agent.env.A", "agent.env.C", "agent.list[1]"]
    assert CANARY not in str(problems)
