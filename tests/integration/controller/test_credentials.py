"""A controller that has tokens only, in variables: the right account asks, and what is said of a wrong one is true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chart.cluster import Cluster
from tests.integration.role import living
from tests.integration.role.conftest import Run

from .conftest import CANARY, PASSWORDS, ROOT, TOKEN, play

WRONG = "t0ken-that-nobody-knows"


def run(playbook: str, home: Path, credential: dict[str, str], **variables: str) -> Run:
    given = PASSWORDS | {"ai_agent_subcharts": "embedded", "ai_agent_helm_binary": living.helm()} | variables
    words: list[str | Path] = ["-i", "inventories/dev", "--vault-id", "dev@lab/dev-vault-password", playbook]
    done = play([*words, "-e", json.dumps(given)], ROOT, credential | {"HOME": str(home)})
    assert not any(secret in done.output for secret in (CANARY, TOKEN, WRONG)), done.output
    return done


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"K8S_AUTH_API_KEY": WRONG}, ["refuses the account's credentials", "renew the token", "#cluster-auth"]),
        ({"K8S_AUTH_HOST": "https://127.0.0.1:1"}, ["gives no answer", "connection refused", "that the cluster runs"]),
    ],
)
def test_what_is_wrong_is_named_by_its_variable(
    change: dict[str, str], parts: list[str], nowhere: Path, credential: dict[str, str]
) -> None:
    done = run("site.yml", nowhere, credential | change)
    assert len(done.errors) == 1, done.output
    for part in (*parts, "K8S_AUTH_HOST and K8S_AUTH_API_KEY"):
        assert part in done.errors[0]
    assert "kubeconfig" not in done.errors[0]
    assert "context" not in done.errors[0]


def test_verify_asks_with_its_own_token_and_helm_with_the_deployers(
    nowhere: Path, cluster: Cluster, credential: dict[str, str]
) -> None:
    done = run("playbooks/verify.yml", nowhere, credential, ai_agent_verify_api_key=WRONG)
    # The stand-in does not know the verifier, whose token the message names as it was given.
    assert "K8S_AUTH_HOST and option api_key" in done.errors[-1], done.output
    accounts = {account for path, account in cluster.asked if path.endswith("/deployments")}
    assert accounts == {f"Bearer {WRONG}"}
    # helm reads the release's record, a Secret, as the account that deploys.
    assert {account for path, account in cluster.asked if path.endswith("/secrets")} == {f"Bearer {TOKEN}"}


def test_a_token_without_its_cluster_stops(nowhere: Path) -> None:
    done = run("playbooks/verify.yml", nowhere, {}, ai_agent_verify_api_key=WRONG)
    assert len(done.errors) == 1, done.output
    assert "ai_agent_verify_api_key of host agent-dev" in done.errors[0]
    assert "K8S_AUTH_HOST" in done.errors[0]
