"""From where the facts about the live database come, decided before anything is started. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import Inference, NewImage
from ansible_collections.ai_platform.agent.plugins.module_utils._release import facts as release_facts

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revisions import State
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Container, Live, Planned
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import Server

Object = dict[str, t.Any]
Secret = tuple[str, str]

# Errors of a Job which mean that the deployed image cannot start, so that it cannot be asked.
_NEVER_STARTED = frozenset({"image-pull", "image-start", "image-without-alembic", "pod-refused", "pod-memory"})
_DATABASE_AWAY = frozenset({"database-unreachable", "database-host-unknown", "database-refused", "database-timeout"})


class Rights(t.Protocol):
    """What only the API server can say; looked up when a decision depends on it."""

    @property
    def may_exec(self) -> bool:
        """Whether the account may exec into pods of the namespace."""

    @property
    def secret_exists(self) -> bool:
        """Whether the Secret with the migrator's URL is there; true where the account may not look."""

    def lost_keys(self, server: Server) -> list[str]:
        """Keys of passwords that a server of the release's own reads and that its Secret, which is there, has not.

        There are none where the account may not look.
        """

    def elsewhere(self, live: Live) -> Finding | None:
        """A finding where the new pods' URL leads, or may lead, to another database than the living pods'."""


@dataclasses.dataclass(frozen=True)
class CollectionPlan:
    """Who is asked about the live database.

    :param kind: by exec into a ready pod, by Jobs, or none where nobody can be asked
    :param pod: for exec, its name
    :param container: for exec, its name
    :param image: for Jobs, that of the container which runs
    :param secret: for Jobs, where that container finds the database's URL
    :param pod_spec: for Jobs, the pod spec that they share
    :param absent: kind and name of what the pod spec refers to and that does not exist yet
    :param fallible: the first answer may fail, and then `after_failure` decides anew
    :param unchanged: the image that is asked has the revisions that would be deployed, so that no pod needs to render
        them
    :param same_migrations: `unchanged`, and its pods are ready
    :param inferred: the state follows without any question
    :param assumption: what is assumed of a database that may be there and cannot be asked
    """

    kind: t.Literal["none", "exec", "job"] = "none"
    pod: str = ""
    container: str = ""
    image: Container | None = None
    secret: Secret | None = None
    pod_spec: Object = dataclasses.field(default_factory=dict)
    absent: frozenset[tuple[str, str]] = frozenset()
    fallible: bool = False
    unchanged: bool = False
    same_migrations: bool = False
    inferred: Inference | None = None
    assumption: Inference | None = None
    findings: tuple[Finding, ...] = ()


def decide(
    live: Live | None,
    rights: Rights,
    wanted: Planned,
    namespace: str,
    new_image: NewImage = "untrusted",
    *,
    deduce: bool = True,
) -> CollectionPlan:
    """The plan for a deployment of `wanted`; `live` is None where the namespace does not exist.

    :param new_image: whether what would be deployed may be given the database's URL
    :param deduce: whether the state may follow from pods that are ready; they are with a later schema too, so this is
        off where it must be exact
    :raises FindingError: the container to be asked takes its URL from no Secret
    """
    if live is None:
        words = f"Namespace {namespace} does not exist, so nothing could be tried in it."
        return CollectionPlan(inferred=Inference("absent", finding("namespace-missing", words)))
    if live.deployment is None:
        return _first_install(live, rights, wanted, namespace, new_image)
    # Whoever could be asked has the old URL, and would answer about the old database.
    if because := rights.elsewhere(live):
        return CollectionPlan(assumption=Inference("unknown", because))
    if live.serving:
        return _of_serving(live, rights, wanted, namespace, deduce=deduce)
    return job_of_deployed(live, fallible=True, unchanged=release_facts.same_migrations(wanted, live))


def after_failure(
    plan: CollectionPlan,
    error: FindingError,
    live: Live,
    rights: Rights,
    wanted: Planned,
    *,
    new_image: NewImage = "untrusted",
) -> CollectionPlan | None:
    """What to do instead where the first answer of a fallible plan failed; None: the error stands.

    A release that failed is repaired by deploying again. An image that never started cannot be asked, and the new one
    only where it is trusted; one that is deployed already has these credentials. A database of the release's own that
    does not run is brought up by deploying, and only then can be asked.
    """
    if error.id in _NEVER_STARTED and rights.secret_exists:
        if plan.image and plan.image.image == wanted.migrator.image:
            new_image = "trusted"
        instead = _ask_new_image(wanted, "unknown", f"{error.message} It never started, so it was not asked", new_image)
        return dataclasses.replace(instead, unchanged=plan.unchanged and instead.kind == "job")
    if error.id in _DATABASE_AWAY and not _runs(live, wanted.database):
        words = f"{error.message} The release's own, of which nothing runs: not judged."
        return CollectionPlan(assumption=Inference("unknown", finding(error.id, words, severity="unknown")))
    return None


def without_exec(plan: CollectionPlan, error: FindingError, live: Live) -> CollectionPlan | None:
    """A Job of the deployed image where an agent's pod has no memory to spare; None: the error stands."""
    if plan.kind != "exec" or error.id != "agent-memory-short":
        return None
    words = f"{error.message.rstrip('.')}; a Job of the deployed image asked instead."
    found = (*plan.findings, finding(error.id, words))
    same = plan.same_migrations
    return job_of_deployed(live, unchanged=plan.unchanged, same_migrations=same, findings=found)


def _first_install(live: Live, rights: Rights, wanted: Planned, namespace: str, new_image: NewImage) -> CollectionPlan:
    """Nothing is deployed; an external database, or a volume that was kept, may hold something all the same."""
    if wanted.database is None:
        if rights.secret_exists:
            words = "Nothing is deployed that could ask the external database"
            return _ask_new_image(wanted, "absent", words, new_image)
        name = wanted.database_secret[0] if wanted.database_secret else "(none)"
        words = f"Secret {namespace}/{name} does not exist yet, so the database was not asked."
        return CollectionPlan(assumption=Inference("absent", finding("secret-missing", words)))
    claim = f"data-{wanted.database}-0"
    if any(item["metadata"]["name"] == claim for item in live.claims or ()):
        words = f"The volume {claim} of an earlier release is still there; what is in it was not asked."
        if not rights.secret_exists:
            words += " It knows the passwords of that release only, and the Secret that had them is gone."
            because = finding("volume-kept", words, severity="fail")
            return CollectionPlan(assumption=Inference("absent", because))
        if lost := [key for item in wanted.servers if item.name == wanted.database for key in rights.lost_keys(item)]:
            keys = " and no ".join(lost)
            words += f" It knows the passwords of that release only, and the Secret has no {keys} any more."
            because = finding("volume-kept", words, severity="fail")
            return CollectionPlan(assumption=Inference("absent", because))
        return CollectionPlan(assumption=Inference("absent", finding("volume-kept", words)))
    return CollectionPlan()


def _ask_new_image(wanted: Planned, state: State, why: str, new_image: NewImage) -> CollectionPlan:
    """A Job of the image that would be deployed, with the database's URL; where it may not have it, nobody asks."""
    if new_image == "trusted":
        secret = _checked(wanted.migrator, wanted.database_secret)
        return CollectionPlan(
            "job", image=wanted.migrator, secret=secret, pod_spec=wanted.migrator_pod, absent=wanted.made
        )
    words = f"{why}, and the new image was not given its URL"
    if new_image == "check-mode":
        because = finding("database-unasked", f"{words}, which never happens in check mode.", severity="skip")
    else:
        because = finding("database-unasked", f"{words}: trust_new_image is off.")
    return CollectionPlan(assumption=Inference(state, because))


def _of_serving(live: Live, rights: Rights, wanted: Planned, namespace: str, *, deduce: bool) -> CollectionPlan:
    # During a rollout that is stuck, pods of the previous image are ready as well, and have other revisions.
    same = release_facts.same_migrations(wanted, live) and bool(live.ready_pods)
    if deduce and (release_facts.unchanged(wanted, live) or (same and not rights.may_exec)):
        return deduced(live)
    if rights.may_exec:
        name = live.serving[0]["metadata"]["name"]
        container = _agent(live)["name"]
        return CollectionPlan("exec", pod=name, container=container, unchanged=same, same_migrations=same)
    words = f"The account may not exec into pods of {namespace}; a Job of the deployed image asked."
    found = (finding("exec-forbidden", words),)
    return job_of_deployed(live, unchanged=same, same_migrations=same, findings=found)


def deduced(live: Live) -> CollectionPlan:
    """The state follows from pods that are ready."""
    words = (
        f"The database was not asked: {len(live.ready_pods)} pods of {live.image} are ready, which they are only"
        " with the schema that their image needs, and what would be deployed has the same migrations."
    )
    inferred = Inference("current", finding("schema-deduced", words))
    return CollectionPlan(unchanged=True, same_migrations=True, inferred=inferred)


def job_of_deployed(live: Live, **more: t.Any) -> CollectionPlan:
    """A Job of the image that is deployed.

    :param more: the plan's other fields
    :raises FindingError: its container takes the URL from no Secret
    """
    image = release_facts.container(_agent(live), {})
    secret = _checked(image, image.database_secret)
    return CollectionPlan("job", image=image, secret=secret, pod_spec=_deployed_pod_spec(live), **more)


def _checked(image: Container, secret: Secret | None) -> Secret:
    if secret is None:
        words = f"The container of {image.image} does not take DATABASE_URL from a Secret; the database stays unasked."
        raise FindingError("database-url-invalid", words)
    return secret


def _deployed_pod_spec(live: Live) -> Object:
    """Spec of the pod that serves, or else of those that the Deployment wants."""
    spec = live.serving[0]["spec"] if live.serving else t.cast("Object", live.template)["spec"]
    return t.cast("Object", spec)


def _agent(live: Live) -> Object:
    """The agent's container in it."""
    return shared.agent_container(_deployed_pod_spec(live))


def _runs(live: Live, database: str | None) -> bool:
    """Whether the release's own database has a ready pod; what is not its own is taken to run."""
    own = [item for item in live.statefulsets if item["metadata"]["name"] == database]
    return not database or any((item.get("status") or {}).get("readyReplicas") for item in own)


__all__ = ("CollectionPlan", "Rights", "after_failure", "decide", "deduced", "job_of_deployed", "without_exec")
