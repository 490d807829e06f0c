"""Running helm: its version and its record of a release, a rendered chart, its test; each failure as one line."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm as helm_asks

PARAMS = {"release_name": "agent-dev", "release_namespace": "dev"}
KUBECONFIG = {"kind": "Config", "users": [{"name": "u", "user": {"token": "c4nary"}}]}
RECORD = '[{"name":"agent-dev","status":"pending-upgrade","revision":"3"}]'
Program = t.Callable[[str], str]


@pytest.fixture
def helm(tmp_path: Path) -> Program:
    """Make a helm of a shell script's lines."""

    def make(script: str) -> str:
        path = tmp_path / "helm"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


def ask(
    program: str,
    seconds: float = 10,
    kubeconfig: dict[str, t.Any] | FindingError = KUBECONFIG,
    asked: dict[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    with helm_asks.version_and_record(program, PARAMS | (asked or {}), kubeconfig, seconds) as answer:
        told = answer()
    assert told is not None
    return told


def test_version_and_record(helm: Program, tmp_path: Path) -> None:
    script = (
        f"if [ $1 = version ]; then echo v4.3.1+g0; else printf '%s\\n' \"$@\" >{tmp_path}/words; echo '{RECORD}'; fi"
    )
    told = ask(helm(script))
    assert (told["version"], told["said"], told["problem"]) == ("4.3.1", "v4.3.1+g0", "")
    assert told["release"] == {"name": "agent-dev", "status": "pending-upgrade", "revision": "3"}
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:3] == ["list", "--filter", r"^agent\-dev$"]
    assert {"--pending", "--failed", "--uninstalling", "--deployed"} <= set(words)
    assert words[-2:] == ["--namespace", "dev"]


def test_a_digest_of_the_values_where_it_is_asked_for(helm: Program) -> None:
    """The values themselves may be anybody's, and are told to nobody."""
    values = {"b": "c4nary", "a": {"é": 1}}
    script = f"case $1 in version) echo v4.3.1;; list) echo '[]';; get) printf '%s' '{json.dumps(values)}';; esac"
    assert ask(helm(script))["values_digest"] == ""
    told = ask(helm(script), asked={"helm_values": True})
    assert told["values_digest"] == hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    assert "c4nary" not in json.dumps(told)


@pytest.mark.parametrize(
    ("answer", "digest"),
    [
        ("echo null", hashlib.sha256(b"{}").hexdigest()),
        ("echo no JSON", ""),
        ("echo '{}'; echo Error: release: not found >&2; exit 1", ""),
    ],
)
def test_values_that_helm_does_not_tell(helm: Program, answer: str, digest: str) -> None:
    script = f"case $1 in version) echo v4.3.1;; list) echo '[]';; get) {answer};; esac"
    told = ask(helm(script), asked={"helm_values": True})
    assert (told["values_digest"], told["problem"]) == (digest, "")


def test_no_release(helm: Program) -> None:
    assert ask(helm("[ $1 = version ] && echo v4.3.1 || echo '[]'"))["release"] == {}


def test_an_account_without_rights_is_no_cluster_that_does_not_answer(helm: Program) -> None:
    said = (
        'Error: list: failed to list: secrets is forbidden: User "system:serviceaccount:a:bare" cannot list resource'
        ' "secrets" in API group "" in the namespace "dev"'
    )
    told = ask(helm(f"[ $1 = version ] && echo v4.3.1 && exit; echo '{said}' >&2; exit 1"))
    assert told["denied"] == (
        "The account system:serviceaccount:a:bare may not list secrets in namespace dev:"
        " apply roles/ai_agent/files/deployer-rbac.yaml there, or use another account."
    )


def test_a_cluster_that_does_not_answer(helm: Program) -> None:
    script = (
        "[ $1 = version ] && echo v4.3.1 && exit; echo 'WARNING: x' >&2; echo 'Error: connection\nrefused' >&2; exit 1"
    )
    told = ask(helm(script))
    assert (told["version"], told["release"], told["problem"]) == ("4.3.1", {}, "connection refused")


def test_a_cluster_that_hangs(helm: Program) -> None:
    assert ask(helm("[ $1 = version ] && echo v4.3.1 && exit; exec sleep 30"), 0.5)["problem"] == "nothing within 0.5 s"


@pytest.mark.parametrize(
    ("script", "said"), [("echo v4.3", "v4.3"), ("echo broken >&2; exit 3", "broken"), ("exit 3", "exit code 3")]
)
def test_no_version(helm: Program, script: str, said: str) -> None:
    told = ask(helm(script))
    assert (told["version"], told["said"]) == ("", said)


def test_no_helm() -> None:
    told = ask("/nowhere/helm")
    assert told["said"] == told["problem"] == "/nowhere/helm: No such file or directory"


def test_an_answer_that_is_no_json(helm: Program) -> None:
    assert "no JSON" in ask(helm("echo v4.3.1"))["problem"]


def test_nobody_is_asked_without_a_command() -> None:
    with helm_asks.version_and_record(None, PARAMS, {}, 1) as answer:
        assert answer() is None


def test_values_reach_template_by_its_input(helm: Program) -> None:
    program = helm('echo "$@"; cat')
    params = PARAMS | {"values": {"a": "c4nary"}}
    ended = helm_asks.template(program, "/chart", params)
    assert ended.output == 'template agent-dev /chart --namespace dev --values -\n{"a": "c4nary"}'
    assert ended.complaint == ""


def test_the_cluster_is_named_by_a_file_that_is_gone_afterwards(helm: Program, tmp_path: Path) -> None:
    script = (
        f'echo "$KUBECONFIG $(stat -c %a "$KUBECONFIG") $NO_PROXY ${{HELM_KUBETOKEN:-none}} $@" >{tmp_path}/seen; '
        f'cat "$KUBECONFIG" >{tmp_path}/read; echo "[]"'
    )
    os.environ["HELM_KUBETOKEN"] = "another account"
    try:
        ask(helm(f"[ $1 = version ] || {{ {script}; }}"))
    finally:
        del os.environ["HELM_KUBETOKEN"]
    path, mode, no_proxy, token, *words = (tmp_path / "seen").read_text().split()
    assert (mode, no_proxy, token) == ("600", "*", "none")
    assert json.loads((tmp_path / "read").read_text()) == KUBECONFIG
    assert not Path(path).parent.exists()
    assert "c4nary" not in " ".join(words)


def test_without_a_cluster_the_version_is_told_all_the_same(helm: Program) -> None:
    told = ask(helm("echo v4.3.1"), kubeconfig=FindingError("cluster-unreachable", "No configuration."))
    assert (told["version"], told["release"], told["problem"]) == ("4.3.1", {}, "No configuration.")
