"""What a connection was made from is what kubernetes.core took, and its sentence holds no secret."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import origin
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_MAP
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import _create_auth_spec

SECRET = "s3cret"
HOST = {"K8S_AUTH_HOST": "https://h"}


@pytest.mark.parametrize(
    ("params", "environment", "pod", "said"),
    [
        ({}, {}, False, "kubeconfig ~/.kube/config"),
        ({}, {"KUBECONFIG": "/k"}, False, "kubeconfig /k"),
        ({}, {"KUBECONFIG": "/k"}, True, "the pod's service account"),
        ({"context": "prod"}, {"KUBECONFIG": "/k"}, True, "kubeconfig /k and context prod"),
        ({"kubeconfig": "/o"}, {"KUBECONFIG": "/k", "K8S_AUTH_CONTEXT": "c"}, False, "kubeconfig /o and context c"),
        ({"kubeconfig": {"users": SECRET}}, {}, False, "the kubeconfig that was passed"),
        ({}, HOST | {"K8S_AUTH_API_KEY": SECRET}, False, "K8S_AUTH_HOST and K8S_AUTH_API_KEY"),
        ({"api_key": SECRET}, HOST | {"K8S_AUTH_API_KEY": "other"}, True, "K8S_AUTH_HOST and option api_key"),
        ({"kubeconfig": "/o"}, HOST | {"K8S_AUTH_API_KEY": SECRET}, False, "K8S_AUTH_HOST and K8S_AUTH_API_KEY"),
        ({}, HOST, False, "kubeconfig ~/.kube/config and K8S_AUTH_HOST"),
        ({}, HOST, True, "the pod's service account and K8S_AUTH_HOST"),
        (
            {"host": "https://h", "username": "u", "password": SECRET},
            {},
            False,
            "option host, option username and option password",
        ),
        (
            {"host": "https://h"},
            {"K8S_AUTH_CERT_FILE": "/c", "K8S_AUTH_KEY_FILE": "/k"},
            False,
            "option host, K8S_AUTH_CLIENT_CERT and K8S_AUTH_CLIENT_KEY",
        ),
    ],
)
def test_words(
    params: dict[str, t.Any], environment: dict[str, str], pod: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    words = origin.words(_create_auth_spec(**params), params, AUTH_ARG_MAP, environment, pod)
    assert words == said
    assert SECRET not in words


def test_a_pod_has_an_address_and_a_token(tmp_path: Path) -> None:
    token, inside = tmp_path / "token", {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert not origin.in_a_pod(inside, token)
    token.write_text("t")
    assert origin.in_a_pod(inside, token)
    assert not origin.in_a_pod({}, token)


@pytest.mark.parametrize(
    ("auth", "pod", "kind"),
    [
        ({}, False, "kubeconfig"),
        ({}, True, "pod"),
        ({"context": "c"}, True, "kubeconfig"),
        ({"host": "h"}, True, "pod"),
        ({"host": "h", "api_key": SECRET, "kubeconfig": "/k"}, True, "options"),
    ],
)
def test_source(auth: dict[str, t.Any], pod: bool, kind: str) -> None:
    assert origin.source(auth, pod) == kind
