"""What may be attested of a deployment, and which attestation counts."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import ChartError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.deployment_attestation import (
    agent_image,
    by_digest,
    judged,
    predicate,
)

from tests.unit.plugins.module_utils._page import runs

Row = dict[str, t.Any]
DIGEST = "sha256:" + "3f9c02aa" * 8
NAME = "registry.example.com:5000/team/agent"
NOW = 1795262400.0


def deployed(image: str = f"{NAME}:1.4.0@{DIGEST}", **run: t.Any) -> Row:
    """The report of a deployment to staging that went well."""
    report: Row = runs.ALL["healthy"]()
    about = {"environment": "staging", "images": {"before": {}, "after": {"agent": image}}}
    return report | {"run": report["run"] | about | run}


@pytest.mark.parametrize("image", [f"{NAME}@{DIGEST}", f"{NAME}:1.4.0@{DIGEST}"])
def test_an_image_by_its_digest(image: str) -> None:
    assert by_digest(image) == f"{NAME}@{DIGEST}"


@pytest.mark.parametrize("image", [f"{NAME}:1.4.0", NAME, f"{NAME}@sha256:3f9c", f"{NAME}@{DIGEST}0", ""])
def test_a_tag_is_refused(image: str) -> None:
    with pytest.raises(ChartError, match="is not named by its digest, and a tag can be moved"):
        by_digest(image)


def test_what_is_attested() -> None:
    made = predicate(deployed())
    assert made["image"] == f"{NAME}@{DIGEST}"
    assert (made["environment"], made["release"], made["outcome"]) == ("staging", "agent-prod", "Upgraded")
    assert set(made["reports"]) == {"migration_preflight", "connectivity_test"}
    # The address of a cluster is nobody's business who may only read the registry.
    assert "10.20.0.1" not in str(made)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ({"form": "else"}, "is none of a deployment"),
        (deployed(check_mode=True), "is nothing to attest"),
        (deployed(f"{NAME}:1.4.0"), "not named by its digest"),
        (runs.ALL["blocked"](), "is nothing to attest"),
        (deployed() | {"steps": []}, "it had no preflight and no release and no verify"),
    ],
)
def test_what_is_nothing_to_attest(report: Row, words: str) -> None:
    with pytest.raises(ChartError, match=words):
        predicate(report)


def attested(hours: float = 1, environment: str = "staging", **more: t.Any) -> Row:
    """A predicate of a deployment so long ago."""
    return {"environment": environment, "ended": NOW - hours * 3600, "level": "ok"} | more


def test_the_newest_one_of_the_environment_counts() -> None:
    newest = attested(2)
    found = [attested(30), newest, attested(1, "dev")]
    assert judged(found, "staging", 24, NOW) is newest
    assert judged([attested(5000)], "staging", 0, NOW)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "no deployment in staging is attested$"),
        ([attested(environment="dev")], r"no deployment in staging is attested \(there is one of dev\)"),
        ([attested(25)], "its deployment in staging is 25 hours old, and at most 24 count"),
        ([attested(3), attested(1, level="fail")], "its newest deployment in staging failed"),
        ([attested(ended="yesterday")], "no deployment in staging is attested"),
        ([attested(ended=True)], "no deployment in staging is attested"),
    ],
)
def test_which_do_not_count(found: list[Row], words: str) -> None:
    with pytest.raises(ChartError, match=words):
        judged(found, "staging", 24, NOW)


def test_the_agent_s_image_in_manifests() -> None:
    labels = "labels: {app.kubernetes.io/component: agent}"
    pod = "spec: {template: {spec: {containers: [{name: agent, image: a@b}]}}}"
    manifests = f"kind: Service\nmetadata: {{{labels}}}\n---\nkind: Deployment\nmetadata: {{{labels}}}\n{pod}\n"
    assert agent_image(manifests) == "a@b"
    with pytest.raises(ChartError, match="have no Deployment of an agent"):
        agent_image("kind: Service\nmetadata: {name: a}\n")
