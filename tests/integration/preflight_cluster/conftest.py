"""One release for all tests of this folder, installed with plain helm, and the preflight's module called against it."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.module import ARGUMENTS, execute

from lab import shell
from lab.paths import BIN, KUBECONFIG, ROOT
from tests.integration.release.conftest import CHART, Release, Values, chart, lab_images, merged

__all__ = ("Preflight", "chart", "installed")

NAME = "asked"
# What `make up` gives passwords with is of no use here: these are looked for in everything that comes out.
CANARY = "c4nary@:/%+ü"
RBAC = (ROOT / "roles" / "ai_agent" / "files" / "deployer-rbac.yaml").read_text()


class Preflight:
    """The release, and its preflight with other values than it has."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.namespace = release.namespace
        self.account: t.Any = str(KUBECONFIG)

    def template(self, **values: t.Any) -> str:
        """What would be deployed with `values`."""
        file = self.release.folder / "planned.yaml"
        file.write_text(yaml.safe_dump(merged(self.release.base, values)))
        words = ["template", NAME, CHART, "-n", self.namespace, "-f", CHART / "values-dev.yaml", "-f", file]
        done = shell.capture([BIN / "helm", *words])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def params(self, manifests: str) -> dict[str, t.Any]:
        """The module's arguments."""
        return {name: option.get("default") for name, option in ARGUMENTS.items()} | {
            "kubeconfig": self.account,
            "release_name": NAME,
            "release_namespace": self.namespace,
            "manifests": manifests,
            "fail_on": "never",
            "migrator_sets_lock_timeout": True,
        }

    def run(self, values: Values | None = None, **options: t.Any) -> dict[str, t.Any]:
        """The module's result; nothing of its own stays behind and no password is in it."""
        params = self.params(self.template(**(values or {})))
        before = self.objects()
        try:
            result, problem = execute(params | options)
        finally:
            assert self.objects() == before, "the preflight changed something or left something behind"
        assert problem is None
        assert CANARY not in json.dumps(result, default=str)
        return result

    def refused(self, values: Values | None = None, **options: t.Any) -> FindingError:
        """The error of a run without a verdict."""
        with pytest.raises(FindingError) as caught:
            self.run(values, **options)
        assert "\n" not in caught.value.message
        assert CANARY not in caught.value.message
        return caught.value

    def objects(self) -> dict[str, str]:
        """Uid of everything that the preflight could make, and version of what it must not touch."""
        kinds = "jobs,networkpolicies,pods,deployments,statefulsets,secrets,configmaps"
        found = {}
        for item in self.release.get(kinds)["items"]:
            mark = item["metadata"]
            ours = mark.get("labels", {}).get("app.kubernetes.io/managed-by") == "ai_platform.agent"
            # What is on its way out before a run may be gone after it; what a run deletes is missing either way.
            if "deletionTimestamp" in mark:
                continue
            # The Job is deleted at once, its pod and policy a moment later by the garbage collector.
            if not ours or item["kind"] == "Job":
                constant = item["kind"] in {"Secret", "ConfigMap"}
                found[f"{item['kind']}/{mark['name']}"] = mark["resourceVersion"] if constant else mark["uid"]
        return found

    def leftovers(self) -> list[str]:
        """Names of what the preflight made and is still there."""
        found = self.release.get("jobs,pods,networkpolicies", selector="app.kubernetes.io/managed-by=ai_platform.agent")
        return [f"{item['kind']}/{item['metadata']['name']}" for item in found["items"]]

    def running(self) -> set[str]:
        """Those of its pods that are on a node, or will be, and have not ended."""
        pods = self.release.get("pods", selector="app.kubernetes.io/managed-by=ai_platform.agent")["items"]
        return {f"Pod/{item['metadata']['name']}" for item in pods if not _still(item)}

    def longest_deadline(self) -> float:
        """Seconds after which the last of its Jobs ends by itself."""
        found = self.release.get("jobs", selector="app.kubernetes.io/managed-by=ai_platform.agent")["items"]
        return max((float(item["spec"]["activeDeadlineSeconds"]) for item in found), default=0.0)


def _still(pod: t.Any) -> bool:
    """Whether the pod has ended, or is held by a gate that its maker did not live to open: it starts nowhere then."""
    return pod["status"].get("phase") in {"Succeeded", "Failed"} or bool(pod["spec"].get("schedulingGates"))


def finding(result: dict[str, t.Any], finding_id: str) -> dict[str, t.Any]:
    """The finding of this id."""
    return t.cast("dict[str, t.Any]", next(item for item in result["findings"] if item["id"] == finding_id))


@pytest.fixture(scope="session")
def installed(chart: t.Any, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Preflight]:
    """The release, under the restricted Pod Security Standard."""
    # Without a cluster to look into, helm template would invent another rotation id each time.
    own: Values = {
        "postgresql": {"auth": {"password": CANARY}},
        "rotationId": "fixed",
        "secrets": {"generate": "always"},
    }
    # A pod that was ready stays so without its database, however long a test takes on a busy machine.
    own["agent"] = {"readinessProbe": {"failureThreshold": 1000}}
    base = merged(lab_images(), own)
    release = Release(NAME, "asked", tmp_path_factory.mktemp("asked"), base=base)
    release.kubectl("delete", "namespace", release.namespace, "--ignore-not-found")
    release.kubectl("create", "namespace", release.namespace)
    release.kubectl("label", "namespace", release.namespace, "pod-security.kubernetes.io/enforce=restricted")
    release.kubectl("apply", "-f", str(_rbac(release)))
    release.deployed()
    yield Preflight(release)
    words = ["delete", "namespace", release.namespace, "--wait=false"]
    shell.capture([BIN / "kubectl", "--kubeconfig", KUBECONFIG, *words])


def _rbac(release: Release) -> t.Any:
    file = release.folder / "rbac.yaml"
    file.write_text(RBAC.replace("namespace: ai-agent", f"namespace: {release.namespace}"))
    return file


@pytest.fixture
def preflight(installed: Preflight) -> Preflight:
    """As the cluster's administrator."""
    installed.account = str(KUBECONFIG)
    return installed


@pytest.fixture
def deployer(installed: Preflight) -> Preflight:
    """As the account that may deploy and not exec."""
    admin = yaml.safe_load(KUBECONFIG.read_text())
    token = installed.release.kubectl("create", "token", "ai-agent-deployer").strip()
    context = {"name": "c", "context": {"cluster": admin["clusters"][0]["name"], "user": "deployer"}}
    installed.account = admin | {
        "users": [{"name": "deployer", "user": {"token": token}}],
        "contexts": [context],
        "current-context": "c",
    }
    return installed
