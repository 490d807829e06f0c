"""A run that began with one cluster ends with it, whatever becomes of the kubeconfig's current context meanwhile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.chart.cluster import Cluster
from tests.integration.role import living
from tests.integration.role.conftest import Run

from .conftest import CANARY, PASSWORDS, ROOT, TOKEN, play


@pytest.mark.parametrize("step", ["credentials", "release", "verify"])
def test_the_current_context_may_change_during_a_run(cluster: Cluster, tmp_path: Path, step: str) -> None:
    (tmp_path / "other").mkdir()
    with Cluster(tmp_path / "other", TOKEN) as other:
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        there = yaml.safe_load(other.kubeconfig.read_text())["clusters"][0]["cluster"]
        config["clusters"].append({"name": "d", "cluster": there})
        config["contexts"].append({"name": "y", "context": {"cluster": "d", "user": "u"}})
        (tmp_path / "config").write_text(json.dumps(config))
        (tmp_path / "changed").write_text(json.dumps(config | {"current-context": "y"}))
        # guard asks for Helm's record when it has connected: that is when somebody else works in another terminal.
        program = tmp_path / "helm"
        program.write_text(
            f'#!/bin/sh\n[ $1 != list ] || cp {tmp_path}/changed {tmp_path}/config\nexec {living.helm()} "$@"\n'
        )
        program.chmod(0o755)
        given = PASSWORDS | {"ai_agent_subcharts": "embedded", "ai_agent_helm_binary": str(program)}
        given |= {"ai_agent_kubeconfig": str(tmp_path / "config"), "ai_agent_chart_cache": str(tmp_path / "charts")}
        words: list[str | Path] = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password"]
        options = ["site.yml", "--tags", step, "-e", json.dumps(given | {"ai_agent_verify_wait_timeout": 1})]
        before = len(cluster.asked)
        done = play([*words, *options], ROOT, {})
        assert CANARY not in done.output
        assert yaml.safe_load((tmp_path / "config").read_text())["current-context"] == "y", done.output
        assert other.asked == []
        assert len(cluster.asked) > before, done.output
        # The stand-in takes no writes, so it is its own words that end the step.
        assert done.code != 0
        assert other.address not in done.output


def deploy(
    cluster: Cluster, tmp_path: Path, *words: str, inventory: str = "inventories/dev", env: dict[str, str] | None = None
) -> Run:
    given = PASSWORDS | {"ai_agent_subcharts": "embedded", "ai_agent_helm_binary": living.helm()}
    given |= {"ai_agent_kubeconfig": str(cluster.kubeconfig), "ai_agent_chart_cache": str(tmp_path / "charts")}
    vault: list[str | Path] = ["--vault-id", "dev@lab/dev-vault-password"]
    return play(["-i", inventory, *vault, "site.yml", "-e", json.dumps(given), *words], ROOT, env or {})


@pytest.mark.parametrize("words", [["--tags", "release"], ["--skip-tags", "credentials"]], ids=" ".join)
def test_a_release_without_its_secret_and_without_the_step_that_writes_it(tmp_path: Path, words: list[str]) -> None:
    with Cluster(tmp_path, TOKEN) as empty:
        empty.add_namespace(living.NAMESPACE)
        done = deploy(empty, tmp_path, *words)
    [error] = done.errors
    assert "Secret dev/agent-dev-secret does not exist" in error
    assert "Add credentials to --tags" in error


def test_a_release_whose_secret_is_there_needs_no_step_that_writes_it(cluster: Cluster, tmp_path: Path) -> None:
    done = deploy(cluster, tmp_path, "--tags", "guard,release")
    # The stand-in takes no writes: helm got there.
    assert "does not exist" not in done.output
    assert done.errors, done.output
    assert "Install or upgrade the release" in done.output


def test_two_hosts_that_are_one_release(cluster: Cluster, tmp_path: Path) -> None:
    hosts = {name: {"ai_agent_release_name": "agent-dev"} for name in ("one", "two")} | {"three": {}}
    inventory = tmp_path / "inventory"
    shutil.copytree(ROOT / "inventories/dev", inventory)
    (inventory / "hosts.yml").write_text(yaml.safe_dump({"dev": {"hosts": hosts}}))
    done = deploy(cluster, tmp_path, "--tags", "guard", inventory=str(inventory))
    assert [error for error in done.errors if "Hosts one and two are one release" not in error] == [], done.output
    # Ansible prints equal errors once.
    assert (len(done.errors), done.recap("failed")) == (1, 2)


def test_a_variable_of_helms_in_the_shell_leads_no_step_elsewhere(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with Cluster(tmp_path / "other", TOKEN) as other:
        env = {"HELM_KUBEAPISERVER": other.address, "HELM_KUBECAFILE": str(other.authority), "HELM_KUBETOKEN": TOKEN}
        done = deploy(cluster, tmp_path, "--tags", "guard,release", env=env)
        assert other.asked == []
    # helm got as far as the stand-in, which takes no writes.
    assert any("Install or upgrade" in line for line in done.output.splitlines()), done.output
    assert len({path for path, _account in cluster.asked if path.endswith("/secrets")}) == 1
