"""A release between two databases: whose URLs are where, the Job that reaches both, and what is set aside."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import MOVE
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import MANAGER, OWN_MANAGER
from ansible_collections.ai_platform.agent.plugins.module_utils._release import living_urls, look, losses, references
from ansible_collections.ai_platform.agent.plugins.module_utils._release.belongings import own_labels
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import COMPONENT, SET_ASIDE

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster, Object

Row = dict[str, t.Any]
Reference = tuple[str, str]
PURPOSE: t.Final = "move"
LEFT_SECONDS: t.Final = 90.0
POLL_SECONDS: t.Final = 0.5
MIGRATION_KEY: t.Final = "migration-database-url"
_URL: t.Final = "DATABASE_URL"
_KEEP: t.Final = "helm.sh/resource-policy"
# Kinds of objects of a server. A claim from a StatefulSet's template belongs to the StatefulSet alone.
_ASIDE: t.Final = (
    ("apps/v1", "statefulsets", "StatefulSet"),
    ("v1", "services", "Service"),
    ("v1", "configmaps", "ConfigMap"),
    ("v1", "serviceaccounts", "ServiceAccount"),
    ("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    ("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
)


@dataclasses.dataclass(frozen=True)
class Release:
    """A release and the manifests that are planned for it.

    :param planned: the objects that `helm template` prints
    """

    cluster: Cluster
    namespace: str
    name: str
    planned: t.Sequence[Object]

    def living(self) -> Object:
        """The agent's Deployment.

        :raises FindingError: there is none
        """
        found = look.serving(self.cluster, self.name, self.namespace).deployment
        if found is None:
            words = f"There is no release {self.namespace}/{self.name} whose database could be moved"
            raise FindingError("release-missing", f"{words}; deploy it first.")
        return found

    def reads(self) -> Reference:
        """From where the living agent reads its URL.

        :raises FindingError: it reads none from a Secret
        """
        return self._known(living_urls.reference(self.living(), _URL), "The agent of")

    def wanted(self) -> Reference:
        """From where the planned agent will read it.

        :raises FindingError: the manifests have no agent, or one without a Secret
        """
        agent = look.agent_of(self.planned, self.name)
        return self._known(living_urls.reference(agent, _URL) if agent else None, "The planned agent of")

    def _known(self, found: Reference | None, whose: str) -> Reference:
        if found is None:
            words = f"{whose} {self.namespace}/{self.name} does not take {_URL} from a Secret"
            raise FindingError("move-refused", f"{words}, so nobody can lead it elsewhere.")
        return found

    def owner_of(self, agent: Reference) -> Reference:
        """Where the URL of the migration stands, beside the agent's."""
        jobs = [item for item in self.planned if item["kind"] == "Job"]
        for item in jobs:
            pod = ((item.get("spec") or {}).get("template") or {}).get("spec") or {}
            for variable, place in references.of_variables(references.containers_of(pod)):
                if variable.removeprefix(references.OWN_NAME) == _URL and agent == self.wanted():
                    return place["name"], place["key"]
        data = (self.cluster.get("v1", "secrets", agent[0], self.namespace) or {}).get("data") or {}
        return (agent[0], MIGRATION_KEY) if MIGRATION_KEY in data else agent

    def assert_same_image(self) -> None:
        """Check that nothing but the database becomes another one.

        :raises FindingError: `move-refused`
        """
        planned = look.agent_of(self.planned, self.name) or {}
        images = [
            shared.agent_container(item["spec"]["template"]["spec"])["image"] for item in (self.living(), planned)
        ]
        if images[0] != images[1]:
            words = f"The release runs {images[0]}, and these values bring {images[1]}"
            raise FindingError("move-refused", f"{words}: move the database first, then deploy the other image.")

    def end_left(self) -> None:
        """End the Job of a run that was killed: it would go on beside this one. Whoever calls this has the Lease.

        :raises FindingError: `move-pending`: its pod does not end
        """
        labels = f"{look.release_selector(self.name)},{COMPONENT}={PURPOSE},{MANAGER}={OWN_MANAGER}"
        for job in self.cluster.list("batch/v1", "jobs", self.namespace, labels=labels):
            self.cluster.delete("batch/v1", "jobs", job["metadata"]["name"], self.namespace)
        end = time.monotonic() + LEFT_SECONDS
        while self.cluster.list("v1", "pods", self.namespace, labels=labels):
            if time.monotonic() > end:
                words = f"The pod of an earlier run's copy does not end in {self.namespace}"
                raise FindingError("move-pending", f"{words}; look at its node, and run it again.")
            time.sleep(POLL_SECONDS)

    def assert_programs(self, options: backup_cluster.Options) -> None:
        """Check that PostgreSQL's programs are to be had for a copy.

        :raises FindingError: they are not
        """
        backup_cluster.task(self.cluster, dataclasses.replace(options, program=MOVE, purpose=PURPOSE, aside=True), {})

    def ask(self, options: backup_cluster.Options, request: Row) -> Row:
        """The answer of _in_pod/move_pod.py, from a pod that reaches the old server and the new one.

        :raises FindingError: there is none, or it is an error
        """
        options = dataclasses.replace(options, program=MOVE, purpose=PURPOSE, aside=True)
        with self._let_out():
            return backup_cluster.run(self.cluster, options, request)

    @contextlib.contextmanager
    def _let_out(self) -> t.Iterator[None]:
        """The living policies let the pod reach the living servers; this one, beside them, the planned ones."""
        rules = egress(self.planned, self.name)
        if rules is None:
            yield
            return
        name = f"{self.name}-{PURPOSE}"
        api = "networking.k8s.io/v1"
        labels = {"app.kubernetes.io/instance": self.name, COMPONENT: PURPOSE}
        body: Object = {
            "apiVersion": api,
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": self.namespace, "labels": own_labels(self.name)},
            "spec": {"podSelector": {"matchLabels": labels}, "policyTypes": ["Egress"], "egress": rules},
        }
        # A killed run leaves it, perhaps with other rules.
        self.cluster.delete(api, "networkpolicies", name, self.namespace)
        self.cluster.create(api, "networkpolicies", body, self.namespace)
        try:
            yield
        finally:
            with contextlib.suppress(FindingError):
                self.cluster.delete(api, "networkpolicies", name, self.namespace)

    def set_aside(self) -> list[str]:
        """Have Helm leave the old server where it is, and mark it as no longer a server of the release.

        :return: kinds and names
        """
        found = [(kind, item) for kind, item in self._beside() if self._goes(kind[2], item)]
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return self._annotated(found, {_KEEP: "keep", SET_ASIDE: now})

    def _goes(self, kind: str, item: Object) -> bool:
        stays = {(each["kind"], each["metadata"]["name"]) for each in self.planned}
        key = (kind, item["metadata"]["name"])
        return key not in stays and losses.is_helms(item, self.name, self.namespace)

    def take_back(self) -> list[str]:
        """Remove the marks, so that the old server is the release's again."""
        return self._annotated(self._set_aside(), {_KEEP: None, SET_ASIDE: None})

    def forget(self) -> list[str]:
        """Remove what was set aside; volumes stay.

        :return: kinds and names
        """
        gone = []
        for (version, plural, kind), item in self._set_aside():
            self.cluster.delete(version, plural, item["metadata"]["name"], self.namespace)
            gone.append(f"{kind} {item['metadata']['name']}")
        return gone

    def _set_aside(self) -> list[tuple[tuple[str, str, str], Object]]:
        return [
            (kind, item)
            for kind, item in self._beside()
            if SET_ASIDE in (item["metadata"].get("annotations") or {})
        ]  # fmt: skip

    def _beside(self) -> t.Iterator[tuple[tuple[str, str, str], Object]]:
        for kind in _ASIDE:
            labels = look.release_selector(self.name)
            for item in self.cluster.list(kind[0], kind[1], self.namespace, labels=labels):
                yield kind, item

    def _annotated(
        self, found: t.Sequence[tuple[tuple[str, str, str], Object]], annotations: t.Mapping[str, str | None]
    ) -> list[str]:
        for (version, plural, _kind), item in found:
            body = {"metadata": {"annotations": dict(annotations)}}
            self.cluster.patch(version, plural, item["metadata"]["name"], body, self.namespace)
        return [f"{kind[2]} {item['metadata']['name']}" for kind, item in found]


def egress(objects: t.Sequence[Object], release: str) -> list[Object] | None:
    """Where clients of the planned servers may go; None where no policy says. Pure."""
    label = f"{release}-db-client"
    for item in objects:
        chosen = (item.get("spec") or {}).get("podSelector", {}).get("matchLabels") or {}
        if item["kind"] == "NetworkPolicy" and label in chosen:
            return list(item["spec"].get("egress") or ())
    return None


def spelled(reference: Reference) -> str:
    """`name/key`."""
    return "/".join(reference)


def reference(text: str) -> Reference:
    """The reverse of spelled()."""
    name, _slash, key = text.partition("/")
    return name, key


__all__ = ("PURPOSE", "Release", "egress", "reference", "spelled")
