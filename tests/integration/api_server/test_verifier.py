"""The account that verifies: what it needs works, and nothing by which it would get more."""

from __future__ import annotations

import copy
import json
import time
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task, manifest

from dev.api_server import Server
from lab.paths import ROOT
from tests.integration.api_server.conftest import NAMESPACE

Object = dict[str, t.Any]
ACCOUNT = f"{NAMESPACE}:ai-agent-verifier"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
STRANGER = Task(NAMESPACE, "demo", "stranger", "agent:1", ["python"], pod={"serviceAccountName": "demo"}, resources={})


def job(**changes: t.Any) -> Object:
    """The Job of connectivity_test, with what is at these paths changed; a path begins at the pod's spec."""
    made = copy.deepcopy(manifest(STRANGER, "x"))
    for path, value in changes.items():
        place: t.Any = made["spec"]["template"]["spec"]
        *before, last = path.split("__")
        for name in before:
            place = place[int(name) if name.isdigit() else name]
        place[last] = value
    return made


def labelled(changes: dict[str, str | None], *, pod: bool) -> Object:
    made = job()
    metadata = made["spec"]["template"]["metadata"] if pod else made["metadata"]
    labels = dict(metadata["labels"]) | changes
    metadata["labels"] = {name: value for name, value in labels.items() if value is not None}
    return made


@pytest.fixture(scope="module")
def verifier(api: Server) -> t.Callable[..., str]:
    """Ask as the account; the answer is what was complained of, empty where it was done."""
    text = (ROOT / "roles/ai_agent/files/verifier-rbac.yaml").read_text()
    api.apply(text.replace("namespace: ai-agent\n", f"namespace: {NAMESPACE}\n"))
    migration = job()
    migration["metadata"] = {
        "name": "migration",
        "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
    }
    api.apply(json.dumps(migration))

    def ask(*words: str, text: str | None = None) -> str:
        done = api.ask("-n", NAMESPACE, *words, text=text, account=ACCOUNT)
        return done.stderr.strip() if done.returncode else ""

    # A policy counts a moment after it was stored.
    deadline = time.monotonic() + 60
    while not api.request("DELETE", f"{JOBS}/migration?dryRun=All", {}, ACCOUNT):
        assert time.monotonic() < deadline, "the policy never counted"
        time.sleep(0.5)
    return ask


def created(verifier: t.Callable[..., str], made: Object) -> str:
    return verifier("create", "--dry-run=server", "-f", "-", text=json.dumps(made))


def test_what_the_test_needs(api: Server, verifier: t.Callable[..., str]) -> None:
    place = f"{JOBS}/{job()['metadata']['name']}"
    assert verifier("create", "-f", "-", text=json.dumps(job())) == ""
    assert api.request("PATCH", place, {"spec": {"activeDeadlineSeconds": 700}}, ACCOUNT) == ""
    assert api.request("DELETE", place, {}, ACCOUNT) == ""
    for kind in ("pods", "services", "events", "deployments", "networkpolicies", "endpointslices"):
        assert verifier("get", kind) == "", kind


SECRET = {"name": "tmp", "secret": {"secretName": "demo-secret"}}
TOKEN = {"name": "tmp", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
REFERENCE = {"secretKeyRef": {"name": "demo-secret", "key": "password"}}
ATTACKS: dict[str, Object] = {
    "a Secret as a volume": job(volumes=[SECRET]),
    "a token as a volume": job(volumes=[TOKEN]),
    "a folder of the node": job(volumes=[{"name": "tmp", "hostPath": {"path": "/"}}]),
    "somebody's volume": job(
        volumes=[{"name": "tmp", "persistentVolumeClaim": {"claimName": "data-demo-postgresql-0"}}]
    ),
    "a Secret as variables": job(containers__0__envFrom=[{"secretRef": {"name": "demo-secret"}}]),
    "a key as a variable": job(containers__0__env=[{"name": "P", "valueFrom": REFERENCE}]),
    "a token mounted": job(automountServiceAccountToken=True),
    "the account that deploys": job(serviceAccountName="ai-agent-deployer"),
    "another container before": job(initContainers=[{"name": "i", "image": "x"}]),
    "the node's network": job(hostNetwork=True),
    "the node's processes": job(hostPID=True),
    "a privileged container": job(containers__0__securityContext={"privileged": True}),
    "more rights than its parent": job(containers__0__securityContext={"allowPrivilegeEscalation": True}),
    "a client of the database": labelled({"demo-db-client": "true"}, pod=True),
    "one of the release": labelled({"app.kubernetes.io/instance": "demo"}, pod=True),
    "an agent, which gets traffic": labelled({"app.kubernetes.io/component": "agent"}, pod=True),
    "nobody's Job": labelled({"app.kubernetes.io/managed-by": None}, pod=False),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_job_by_which_it_would_get_more(verifier: t.Callable[..., str], name: str) -> None:
    said = created(verifier, ATTACKS[name])
    assert "ValidatingAdmissionPolicy 'ai-agent-verifier'" in said, said or "it was created"
    assert "evaluation error" not in said


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("DELETE", {}),
        ("PATCH", {"spec": {"suspend": True}}),
        # Making it one's own first.
        ("PATCH", {"metadata": {"labels": dict(manifest(STRANGER, "x")["metadata"]["labels"])}}),
    ],
)
def test_jobs_of_others(api: Server, verifier: t.Callable[..., str], method: str, body: Object) -> None:
    assert verifier("get", "pods") == ""
    said = api.request(method, f"{JOBS}/migration?dryRun=All", body, ACCOUNT)
    assert "may end and prolong its own Jobs, not those of others" in said, said


@pytest.mark.parametrize(
    "words",
    [
        ("get", "secrets"),
        ("get", "configmaps"),
        ("create", "deployment", "x", "--image=x"),
        ("run", "x", "--image=x"),
        ("delete", "pod", "demo"),
        ("create", "token", "ai-agent-deployer"),
        ("create", "rolebinding", "x", "--role=ai-agent-deployer", "--serviceaccount=dev:ai-agent-verifier"),
    ],
    ids=" ".join,
)
def test_what_its_role_does_not_say(verifier: t.Callable[..., str], words: tuple[str, ...]) -> None:
    assert "orbidden" in verifier(*words)


def test_who_is_another_account_is_nobodys_business_of_this_policy(api: Server, verifier: t.Callable[..., str]) -> None:
    assert verifier("get", "pods") == ""
    made = copy.deepcopy(ATTACKS["a Secret as a volume"])
    made["metadata"]["name"] = "of-another"
    done = api.ask("-n", NAMESPACE, "create", "--dry-run=server", "-f", "-", text=json.dumps(made))
    assert done.returncode == 0, done.stderr
