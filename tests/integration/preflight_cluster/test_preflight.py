"""The cluster transport on a cluster: who is asked, what is rendered where, and how each failure is named."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import module as connectivity
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task

from lab import images
from lab.paths import BIN, KUBECONFIG, ROOT
from tests.integration.preflight_cluster.conftest import CANARY, NAME, Preflight, finding
from tests.integration.release.conftest import NEXT

# In a pod: what a connection to this address comes to, within two seconds.
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()
    print("reached")
except TimeoutError:
    print("timeout")
except OSError as error:
    print(type(error).__name__)
"""


# In a pod: takes what is left of its memory but for so many MiB, says so, and keeps it until its stdin ends.
HOARD = """
import sys
from pathlib import Path
version2, version1 = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory")
def number(folder, name):
    return int((folder / name).read_text())
def left():
    if (version2 / "memory.max").exists():
        most, used, folder = number(version2, "memory.max"), number(version2, "memory.current"), version2
    else:
        folder = version1
        most, used = number(folder, "memory.limit_in_bytes"), number(folder, "memory.usage_in_bytes")
    pages = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return most - used + int(pages.get("total_inactive_file", pages["inactive_file"]))
kept = []
while left() > int(sys.argv[1]) << 20:
    kept.append(b"x" * (1 << 20))
print("full", flush=True)
sys.stdin.read()
"""


def test_an_unchanged_release_starts_no_pod_and_asks_nobody(preflight: Preflight) -> None:
    result = preflight.run()
    assert (result["state"], result["pending"], result["verdict"]) == ("current", [], "safe")
    assert "1 pods of" in finding(result, "schema-deduced")["message"]
    assert preflight.leftovers() == []


def test_more_pods_of_the_same_image_are_asked_about_by_exec(preflight: Preflight) -> None:
    before = {item["metadata"]["uid"] for item in preflight.release.get("events")["items"]}
    result = preflight.run({"agent": {"replicaCount": 2}})
    assert (result["state"], result["live_revisions"], result["pending"]) == ("current", ["0006"], [])
    assert result["subject"] == f"{NAME}-postgresql:5432/agent_db"
    assert result["server"]["role"] == "agent_user"
    events = [item for item in preflight.release.get("events")["items"] if item["metadata"]["uid"] not in before]
    assert not [item for item in events if item["reason"] in {"SuccessfulCreate", "Scheduled", "Created"}]


def test_the_next_image_is_rendered_in_a_closed_pod(preflight: Preflight) -> None:
    result = preflight.run(NEXT)
    assert (result["state"], [item["revision"] for item in result["pending"]]) == ("behind", ["0007"])
    ids = {item["id"] for item in result["findings"]}
    assert not ids & {"egress-open", "exec-forbidden", "schema-deduced", "version-table-differs"}
    locks = [lock for item in result["pending"][0]["statements"] for lock in item["locks"]]
    assert any(lock["table"] == "public.messages" and lock["rows"] is not None for lock in locks)
    preflight.release.until("the pod and its policy are gone", lambda: preflight.leftovers() == [], 60)


def test_an_account_without_exec(deployer: Preflight) -> None:
    unchanged = deployer.run({"agent": {"replicaCount": 2}})
    assert unchanged["state"] == "current"
    assert "ready" in finding(unchanged, "schema-deduced")["message"]
    result = deployer.run(NEXT)
    assert [item["revision"] for item in result["pending"]] == ["0007"]
    assert finding(result, "exec-forbidden")["severity"] == "info"
    assert result["server"]["role"] == "agent_user"


def test_an_agent_near_its_memory_limit_is_spared(preflight: Preflight) -> None:
    """Asked from inside, it would be ended by the kernel with all of its processes."""
    release = preflight.release
    [name] = release.agents()

    def restarts() -> int:
        return int(release.get("pod", name)["status"]["containerStatuses"][0]["restartCount"])

    before = restarts()
    words = ["exec", "-i", name, "-c", "agent", "--", "python", "-c", HOARD, "30"]
    kubectl = [str(BIN / "kubectl"), "--kubeconfig", str(KUBECONFIG), "-n", release.namespace]
    with subprocess.Popen([*kubectl, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hoard:
        try:
            assert hoard.stdout is not None
            assert hoard.stdout.readline().strip() == "full"
            result = preflight.run(NEXT)
            assert finding(result, "agent-memory-short")["severity"] == "warn"
            assert (result["state"], result["server"]["role"]) == ("behind", "agent_user")
            params = {option: spec.get("default") for option, spec in connectivity.ARGUMENTS.items()}
            params |= {"kubeconfig": preflight.account, "release_name": NAME, "release_namespace": release.namespace}
            tested, _problem = connectivity.execute(params | {"negative": False, "fail_on": "never", "thresholds": {}})
            assert finding(tested, "agent-memory-short")["pods"] == [name]
            assert [item["from"] for item in tested["pods"]] == ["probe"]
            assert tested["counts"]["fail"] == 0, tested["summary"]
        finally:
            hoard.kill()
    assert restarts() == before


@pytest.mark.parametrize(
    ("image", "error_id", "words"),
    [
        ({"tag": "no-such-tag"}, "image-pull", "no-such-tag"),
        ({"repository": images.REDIS.reference.rpartition(":")[0], "tag": images.REDIS.tag}, "image-start", "python"),
    ],
)
def test_an_image_that_does_not_run(preflight: Preflight, image: dict[str, str], error_id: str, words: str) -> None:
    begin = time.monotonic()
    error = preflight.refused({"agent": {"image": image}}, job_timeout=60)
    assert error.id == error_id, error.message
    assert words in error.message
    # Named as soon as the node names it, not when time is up.
    assert time.monotonic() - begin < 60


def test_a_quota_and_a_full_cluster(preflight: Preflight) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    file = preflight.release.folder / "quota.json"
    file.write_text(json.dumps(quota))
    preflight.release.kubectl("apply", "-f", str(file))
    try:
        preflight.release.until("it counts", lambda: "used" in preflight.release.get("quota", "few")["status"])
        error = preflight.refused(NEXT)
        assert error.id == "quota-exceeded"
        assert "few" in error.message
    finally:
        preflight.release.kubectl("delete", "quota", "few")
    nowhere = {"nodeSelector": {"nowhere": "true"}}
    error = preflight.refused({"agent": NEXT["agent"] | nowhere}, job_timeout=3)
    assert error.id == "pod-unschedulable"
    assert "node" in error.message


def test_the_database_is_down(preflight: Preflight) -> None:
    release = preflight.release
    release.kubectl("scale", "statefulset", f"{NAME}-postgresql", "--replicas=0")
    try:
        release.until(
            "its pod is gone", lambda: not release.get("pods", selector="app.kubernetes.io/name=postgresql")["items"]
        )
        assert preflight.refused(NEXT).id in {"database-unreachable", "database-host-unknown"}
        release.kubectl("delete", "pods", "-l", "app.kubernetes.io/component=agent", "--wait=false")
        release.until("no agent is ready", lambda: not release.agents())
        # The release's own server, of which nothing runs: deploying again is the repair.
        result = preflight.run(NEXT)
        assert result["verdict"] == "unknown"
        assert {item["id"] for item in result["findings"]} & {"database-unreachable", "database-host-unknown"}
    finally:
        release.kubectl("scale", "statefulset", f"{NAME}-postgresql", "--replicas=1")
        release.kubectl("rollout", "status", f"statefulset/{NAME}-postgresql", "--timeout=120s")
    release.until("the agent is ready again", lambda: bool(release.agents()), 120)
    assert preflight.run()["state"] == "current"


def knocked(preflight: Preflight, host: str, port: str, labels: dict[str, str], *, isolated: bool) -> str:
    task = Task(
        namespace=preflight.namespace,
        release=NAME,
        purpose="knock",
        image=images.AGENT.reference,
        command=["python", "-c", KNOCK, host, port],
        labels=labels,
        pod={"securityContext": {"runAsUser": 1000}},
        isolated=isolated,
    )
    with JobRun(connect({"kubeconfig": preflight.account}), task) as run:
        [line] = run.lines()
        assert run.ended() is None
        return line


def test_a_closed_pod_reaches_neither_the_database_nor_the_api(preflight: Preflight) -> None:
    address = preflight.release.get("service", f"{NAME}-postgresql")["spec"]["clusterIP"]
    client = {"app.kubernetes.io/instance": NAME, f"{NAME}-db-client": "true"}
    assert knocked(preflight, address, "5432", client, isolated=False) == "reached"
    assert knocked(preflight, address, "5432", {}, isolated=True) == "timeout"
    assert knocked(preflight, "10.96.0.1", "443", {}, isolated=True) == "timeout"


def test_the_module_in_a_playbook_shows_no_password(preflight: Preflight, tmp_path: Path, temporary: Path) -> None:
    """As Ansible ships it, at the highest verbosity, with the defaults of the collection's action group."""
    (tmp_path / "planned.yaml").write_text(preflight.template(**NEXT))
    module = {
        "release_name": NAME,
        "release_namespace": preflight.namespace,
        "manifests": "{{ lookup('ansible.builtin.file', 'planned.yaml') }}",
        "fail_on": "never",
        "migrator_sets_lock_timeout": True,
    }
    head = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "module_defaults": {"group/ai_platform.agent.ai_agent": {"kubeconfig": str(KUBECONFIG)}},
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    }
    tasks = [
        {"ai_platform.agent.migration_preflight": module, "register": "found"},
        {"ansible.builtin.debug": {"msg": "{{ found.summary | join('|') }}"}},
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([head | {"tasks": tasks}]))
    env = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "TMPDIR": str(temporary),
    }
    words = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", str(tmp_path / "play.yml"), "-vvvv"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0006 -> 0007, 1 revision" in done.stdout
    for form in (CANARY, quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode()):
        assert form not in done.stdout + done.stderr
    # The Kubernetes client puts the keys of a kubeconfig into files while it needs them.
    kept = [file for file in temporary.rglob("*") if file.is_file() and "BEGIN" in file.read_text()]
    assert kept == []
