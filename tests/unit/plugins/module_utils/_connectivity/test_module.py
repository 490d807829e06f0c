"""connectivity_test with the release's own test beside it: what is told, what is tried again, what fails."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import module

DETAILS: dict[str, t.Any] = {"dependencies": [], "agent": [], "negatives": [], "pods": [], "thresholds": {}}


class OwnTest:
    """A `helm test` that fails as often as it is told to, and counts how often it ran."""

    def __init__(self, folder: Path, failures: int, complaint: str = "pod x failed") -> None:
        self.counted = folder / "counted"
        self.counted.write_text("")
        path = folder / "helm"
        path.write_text(
            f"#!/bin/sh\necho >>{self.counted}\n"
            f"[ $(wc -l <{self.counted}) -gt {failures} ] || {{ echo 'Error: {complaint}' >&2; exit 1; }}\n"
            "printf 'TEST SUITE: x\\nPhase: Succeeded\\nPOD LOGS: x\\nwell\\n'\n"
        )
        path.chmod(0o755)
        self.program = str(path)

    @property
    def runs(self) -> int:
        return len(self.counted.read_text().splitlines())


def run(
    monkeypatch: pytest.MonkeyPatch, own: OwnTest, *found: Finding, **more: t.Any
) -> tuple[dict[str, t.Any], str | None]:
    monkeypatch.setattr(module, "_helms_kubeconfig", lambda _params: {})
    monkeypatch.setattr(module, "_once", lambda _params: ("dev/x", list(found), DETAILS))
    params = {name: option.get("default") for name, option in module.ARGUMENTS.items()}
    given = {"release_name": "x", "release_namespace": "dev", "helm_test": True, "helm_binary": own.program}
    return module.execute(params | given | more)


def test_both_are_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = OwnTest(tmp_path, failures=0)
    result, problem = run(monkeypatch, own)
    assert (result["verdict"], problem, own.runs) == ("safe", None, 1)
    assert result["helm_test"] == {
        "outcomes": {"x": "Succeeded"},
        "log": ["well"],
        "complaint": "",
        "recorded": "",
        "attempts": 1,
    }


def test_what_only_needed_a_moment_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = OwnTest(tmp_path, failures=1)
    result, problem = run(monkeypatch, own)
    assert (result["verdict"], problem, own.runs, result["helm_test"]["attempts"]) == ("safe", None, 2, 2)


def test_that_it_alone_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = OwnTest(tmp_path, failures=9)
    result, problem = run(monkeypatch, own)
    assert (result["verdict"], own.runs) == ("unsafe", 2)
    assert [item["id"] for item in result["findings"]] == ["helm-test-failed"]
    assert "pod x failed" in str(problem)
    assert run(monkeypatch, own, fail_on="never")[1] is None


def test_an_account_that_may_not_test_is_no_failed_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = 'secrets is forbidden: User "verifier" cannot list resource "secrets" in API group "" in the namespace "dev"'
    own = OwnTest(tmp_path, 9, f"query: failed to query with labels: {said}")
    result, problem = run(monkeypatch, own)
    assert [item["id"] for item in result["findings"]] == ["helm-test-forbidden"]
    assert (result["verdict"], own.runs) == ("unknown", 1)
    assert "account verifier may not list secrets in namespace dev" in str(problem)
    assert "test failed" not in str(problem)


def test_helm_does_not_get_the_token_of_another_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_HOST", "https://127.0.0.1:1")
    monkeypatch.setenv("K8S_AUTH_API_KEY", "of-the-deployer")
    params: dict[str, t.Any] = dict.fromkeys(module.ARGUMENTS) | {"api_key": "of-the-verifier"}
    for own, token in (({}, "of-the-verifier"), ({"helm_kubeconfig": "", "helm_context": ""}, "of-the-deployer")):
        assert module._helms_kubeconfig(params | own)["users"][0]["user"] == {"token": token}


def test_one_cause_is_told_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = OwnTest(tmp_path, failures=9)
    result, problem = run(monkeypatch, own, finding("cache-wrongpass", "redis: no session"))
    assert [item["id"] for item in result["findings"]] == ["cache-wrongpass"]
    assert (own.runs, result["helm_test"]["complaint"]) == (1, "pod x failed")
    assert "cache-wrongpass" in str(problem)


def test_a_warning_is_no_reason_for_it_to_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result, _ = run(monkeypatch, OwnTest(tmp_path, failures=9), finding("latency-high", "slow"))
    assert [item["id"] for item in result["findings"]] == ["helm-test-failed", "latency-high"]


def test_without_a_verdict_there_is_none_of_it_either(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(_params: t.Any) -> t.NoReturn:
        raise FindingError("release-missing", "There is no release x.")

    own = OwnTest(tmp_path, failures=9)
    params = {name: option.get("default") for name, option in module.ARGUMENTS.items()}
    monkeypatch.setattr(module, "_helms_kubeconfig", lambda _params: {})
    monkeypatch.setattr(module, "_once", refuse)
    with pytest.raises(FindingError, match="no release x"):
        module.execute(
            params | {"release_name": "x", "release_namespace": "dev", "helm_test": True, "helm_binary": own.program}
        )
    assert own.runs == 1


@pytest.mark.parametrize(
    ("own", "server"),
    [
        ({}, "https://module"),
        ({"helm_kubeconfig": "{folder}/helm"}, "https://helm"),
        ({"helm_kubeconfig": ""}, "https://found"),
        ({"helm_kubeconfig": "{folder}/helm", "helm_context": "other"}, "https://other"),
    ],
)
def test_helm_may_have_an_account_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: dict[str, str], server: str
) -> None:
    for name in ("module", "helm", "found"):
        places = {"c": f"https://{name}", "other": "https://other"}
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [],
            "clusters": [{"name": key, "cluster": {"server": place}} for key, place in places.items()],
            "contexts": [{"name": key, "context": {"cluster": key, "user": ""}} for key in places],
        }  # fmt: skip
        (tmp_path / name).write_text(json.dumps(config))
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(tmp_path / "found"))
    params: dict[str, t.Any] = dict.fromkeys(module.ARGUMENTS) | {"kubeconfig": str(tmp_path / "module")}
    given = {name: value.format(folder=tmp_path) for name, value in own.items()}
    assert module._helms_kubeconfig(params | given)["clusters"][0]["cluster"]["server"] == server


AUTHORITY = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("address", "authority", "one"),
    [("https://here", "YQ==", True), ("https://there", "YQ==", True), ("https://there", "Yg==", False)],
    ids=["same address", "same authority", "neither"],
)
def test_helm_and_the_module_test_one_cluster(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, authority: str, *, one: bool
) -> None:
    def config(name: str, address: str, authority: str) -> str:
        (tmp_path / f"{name}.pem").write_text(AUTHORITY.format(authority))
        cluster = {"server": address, "certificate-authority": str(tmp_path / f"{name}.pem")}
        content = {
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [],
            "clusters": [{"name": "c", "cluster": cluster}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": ""}}],
        }  # fmt: skip
        (tmp_path / name).write_text(json.dumps(content))
        return str(tmp_path / name)

    own = OwnTest(tmp_path, failures=0)
    params = {name: option.get("default") for name, option in module.ARGUMENTS.items()}
    params |= {"release_name": "x", "release_namespace": "dev", "helm_test": True, "helm_binary": own.program}
    params |= {"kubeconfig": config("module", "https://here", "YQ==")}
    params |= {"helm_kubeconfig": config("helms", address, authority), "helm_context": ""}
    monkeypatch.setattr(module, "_once", lambda _params: ("dev/x", [], DETAILS))
    if one:
        assert module.execute(params)[1] is None
        assert own.runs == 1
    else:
        with pytest.raises(FindingError, match=r"https://there.*another authority") as caught:
            module.execute(params)
        assert (caught.value.id, own.runs) == ("cluster-another", 0)


def test_another_cluster_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    def refuse(_params: t.Any) -> t.NoReturn:
        attempts.append(1)
        raise FindingError("cluster-another", "It is not the one that is meant.")

    params = {name: option.get("default") for name, option in module.ARGUMENTS.items()}
    monkeypatch.setattr(module, "_once", refuse)
    with pytest.raises(FindingError, match="not the one"):
        module.execute(params | {"release_name": "x", "release_namespace": "dev", "wait": True})
    assert len(attempts) == 1
