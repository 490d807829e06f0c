"""files/helm.sh hands kubernetes.core's authentication to helm, in the environment and nowhere else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "roles/ai_agent/files/helm.sh"


def helm_environment(**variables: str) -> dict[str, str]:
    """Return the environment that helm gets with ``variables`` set."""
    done = subprocess.run(
        [SCRIPT, "env"], env={"PATH": "/usr/bin:/bin", **variables}, capture_output=True, text=True, check=True
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("ours", "helms"),
    [
        ("K8S_AUTH_KUBECONFIG", "KUBECONFIG"),
        ("K8S_AUTH_CONTEXT", "HELM_KUBECONTEXT"),
        ("K8S_AUTH_HOST", "HELM_KUBEAPISERVER"),
        ("K8S_AUTH_API_KEY", "HELM_KUBETOKEN"),
        ("K8S_AUTH_SSL_CA_CERT", "HELM_KUBECAFILE"),
    ],
)
def test_variable_is_handed_over(ours: str, helms: str) -> None:
    assert helm_environment(**{ours: "a value"})[helms] == "a value"


@pytest.mark.parametrize("value", ["False", "false", "no", "0"])
def test_verification_is_turned_off_when_asked(value: str) -> None:
    assert helm_environment(K8S_AUTH_VERIFY_SSL=value)["HELM_KUBEINSECURE_SKIP_TLS_VERIFY"] == "true"


@pytest.mark.parametrize("variables", [{}, {"K8S_AUTH_VERIFY_SSL": "True"}, {"K8S_AUTH_API_KEY": ""}])
def test_nothing_is_set_that_was_not_asked_for(variables: dict[str, str]) -> None:
    assert not [name for name in helm_environment(**variables) if name.startswith("HELM_")]


def test_exit_code_is_handed_back() -> None:
    assert subprocess.run([SCRIPT, "sh", "-c", "exit 7"], check=False).returncode == 7
