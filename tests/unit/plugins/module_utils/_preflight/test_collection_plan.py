"""From where the facts come, as a table: what is deployed, what the account may, what would be deployed."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.collection_plan import (
    CollectionPlan,
    after_failure,
    decide,
    without_exec,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import NewImage
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned, planned
from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import Server

from tests.unit.plugins.module_utils._release.manifests import labels, living, release

Object = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Rights:
    may_exec: bool = True
    secret_exists: bool = True
    moves: Finding | None = None
    lost: tuple[str, ...] = ()

    def lost_keys(self, server: Server) -> list[str]:
        assert server.name == "demo-postgresql"
        return list(self.lost)

    def elsewhere(self, _live: Live) -> Finding | None:
        return self.moves


def wanted(image: str = "agent:1", *, external: bool = False, replicas: int = 2) -> Planned:
    objects = release(image, replicas=replicas)
    return planned([item for item in objects if not external or item["kind"] != "StatefulSet"], "demo")


def live(*pods: str, image: str = "agent:1", database: bool = True) -> Live:
    """A release in which `image` is deployed and ready pods run `pods`.

    :param database: PostgreSQL has a ready pod
    """
    deployment = living(release(image, replicas=2), "Deployment", availableReplicas=len(pods))
    found = []
    for number, name in enumerate(pods):
        spec = copy.deepcopy(deployment["spec"]["template"]["spec"])
        spec["containers"][0]["image"] = name
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        metadata = {"name": f"demo-{number}", "labels": labels("agent")}
        found.append({"metadata": metadata, "spec": spec, "status": status})
    server = living(release(image), "StatefulSet", readyReplicas=int(database))
    return Live(deployment=deployment, pods=tuple(found), statefulsets=(server,))


def volume(name: str) -> Live:
    return Live(claims=({"metadata": {"name": name}},))


ELSEWHERE = Rights(moves=finding("another-database", "It moves."))
EMPTY, KEPT = Live(), volume("data-demo-postgresql-0")
BOTH, NO_EXEC, NO_SECRET = Rights(), Rights(may_exec=False), Rights(secret_exists=False)
STUCK = live("agent:1", image="agent:2")
# What is there, the rights, what is wanted -> kind, image of the Jobs, unchanged, deduced state, assumed state, ids.
TABLE: dict[str, tuple[Live | None, Rights, Planned, tuple[t.Any, ...]]] = {
    "no namespace": (None, BOTH, wanted(), ("none", None, False, "absent", None, ["namespace-missing"])),
    "first install": (EMPTY, BOTH, wanted(), ("none", None, False, None, None, [])),
    "a volume was kept": (KEPT, BOTH, wanted(), ("none", None, False, None, "absent", ["volume-kept"])),
    "a volume was kept, its Secret was not": (
        KEPT, NO_SECRET, wanted(), ("none", None, False, None, "absent", ["volume-kept"])),
    "another volume": (volume("data-other-0"), BOTH, wanted(), ("none", None, False, None, None, [])),
    "external": (EMPTY, BOTH, wanted(external=True), ("none", None, False, None, "absent", ["database-unasked"])),
    "external, nothing told": (
        EMPTY, NO_SECRET, wanted(external=True), ("none", None, False, None, "absent", ["secret-missing"])),
    "nothing changes": (live("agent:1"), BOTH, wanted(), ("none", None, True, "current", None, ["schema-deduced"])),
    "more pods": (live("agent:1"), BOTH, wanted(replicas=3), ("exec", None, True, None, None, [])),
    "more pods, no exec": (
        live("agent:1"), NO_EXEC, wanted(replicas=3), ("none", None, True, "current", None, ["schema-deduced"])),
    "next image": (live("agent:1"), BOTH, wanted("agent:2"), ("exec", None, False, None, None, [])),
    "next image, no exec": (
        live("agent:1"), NO_EXEC, wanted("agent:2"), ("job", "agent:1", False, None, None, ["exec-forbidden"])),
    "stuck, tried again": (STUCK, BOTH, wanted("agent:2"), ("exec", None, False, None, None, [])),
    "stuck, no exec": (
        STUCK, NO_EXEC, wanted("agent:2"), ("job", "agent:1", False, None, None, ["exec-forbidden"])),
    "another database": (
        live("agent:1"), ELSEWHERE, wanted("agent:2"), ("none", None, False, None, "unknown", ["another-database"])),
    "nothing serves": (live(), BOTH, wanted("agent:2"), ("job", "agent:1", False, None, None, [])),
    "nothing serves, tried again": (live(), NO_EXEC, wanted(), ("job", "agent:1", True, None, None, [])),
}  # fmt: skip


def shown(plan: CollectionPlan) -> tuple[t.Any, ...]:
    inferred = [item for item in (plan.inferred, plan.assumption) if item]
    found = [item.id for item in plan.findings] + [item.because.id for item in inferred]
    image = plan.image.image if plan.image else None
    return (
        plan.kind,
        image,
        plan.unchanged,
        plan.inferred and plan.inferred.state,
        plan.assumption and plan.assumption.state,
        found,
    )


@pytest.mark.parametrize("case", TABLE)
def test_who_is_asked(case: str) -> None:
    there, rights, plan, expected = TABLE[case]
    made = decide(there, rights, plan, "demo")
    assert shown(made) == expected
    # A state that was deduced stands beside no question, and a Job always knows where its URL is.
    assert not (made.inferred and made.kind != "none")
    assert (made.kind == "job") == (made.secret is not None)
    assert made.fallible == (there is not None and there.deployment is not None and not there.serving)


@pytest.mark.parametrize(
    ("rights", "plan", "expected"),
    [
        (BOTH, wanted(), ("exec", None, True, None, None, [])),
        (NO_EXEC, wanted(), ("job", "agent:1", True, None, None, ["exec-forbidden"])),
        (NO_EXEC, wanted(replicas=3), ("job", "agent:1", True, None, None, ["exec-forbidden"])),
    ],
)
def test_nothing_is_deduced_where_that_is_not_wanted(
    rights: Rights, plan: Planned, expected: tuple[t.Any, ...]
) -> None:
    """A way back asks where the schema is: the pods that are ready may work with a later one than their own."""
    assert shown(decide(live("agent:1"), rights, plan, "demo", deduce=False)) == expected


PARTS_LOST = Rights(lost=("postgres-password", "replication-password"))


@pytest.mark.parametrize(("rights", "severity"), [(BOTH, "warn"), (NO_SECRET, "fail"), (PARTS_LOST, "fail")])
def test_a_volume_without_the_passwords_that_it_knows(rights: Rights, severity: str) -> None:
    assumed = decide(KEPT, rights, wanted(), "demo").assumption
    assert assumed is not None
    assert assumed.because.severity == severity
    assert ("has no postgres-password and no replication-password" in assumed.because.message) == bool(rights.lost)


@pytest.mark.parametrize(
    ("case", "error_id", "rights", "expected"),
    [
        ("nothing serves", "image-pull", BOTH, ("none", None, False, None, "unknown", ["database-unasked"])),
        ("nothing serves, tried again", "image-start", BOTH, ("job", "agent:1", True, None, None, [])),
        ("nothing serves", "image-pull", NO_SECRET, None),
        ("nothing serves", "database-unreachable", BOTH, None),
        ("nothing serves", "database-auth", BOTH, None),
    ],
)
def test_what_is_done_when_the_first_answer_fails(
    case: str, error_id: str, rights: Rights, expected: tuple[t.Any, ...] | None
) -> None:
    there, _rights, plan, _expected = TABLE[case]
    assert there is not None
    first = decide(there, rights, plan, "demo")
    made = after_failure(first, FindingError(error_id, "It says so."), there, rights, plan)
    assert (made and shown(made)) == expected


@pytest.mark.parametrize("external", [True, False])
def test_a_database_of_its_own_that_does_not_run_is_not_asked(*, external: bool) -> None:
    there, plan = live(database=False), wanted("agent:2", external=external)
    made = after_failure(
        decide(there, BOTH, plan, "demo"), FindingError("database-unreachable", "No answer."), there, BOTH, plan
    )
    if external:
        assert made is None
    else:
        assert made is not None
        assert shown(made) == ("none", None, False, None, "unknown", ["database-unreachable"])
        assert made.assumption is not None
        assert made.assumption.because.severity == "unknown"


def test_a_container_that_takes_its_url_from_elsewhere() -> None:
    there = live()
    for item in there.deployment["spec"]["template"]["spec"]["containers"]:  # type: ignore[index]
        item["env"] = [{"name": "DATABASE_URL", "value": "postgresql://u@h/d"}]
    with pytest.raises(FindingError, match="does not take DATABASE_URL from a Secret"):
        decide(there, BOTH, wanted("agent:2"), "demo")


NEW_IMAGES: t.Final[tuple[NewImage, ...]] = ("trusted", "untrusted", "check-mode")


@pytest.mark.parametrize("new_image", NEW_IMAGES)
@pytest.mark.parametrize("case", [name for name, (there, *_) in TABLE.items() if there is not None])
@pytest.mark.parametrize("error_id", [None, "image-pull", "image-start", "pod-memory", "pod-refused"])
def test_no_image_gets_the_database_unless_it_is_deployed_or_trusted(
    case: str, new_image: NewImage, error_id: str | None
) -> None:
    there, rights, plan, _expected = TABLE[case]
    assert there is not None
    made = decide(there, rights, plan, "demo", new_image)
    if error_id and made.fallible:
        error = FindingError(error_id, "It says so.")
        made = after_failure(made, error, there, rights, plan, new_image=new_image) or made
    given = made.image.image if made.image else None
    deployed = {there.image, *(pod["spec"]["containers"][0]["image"] for pod in there.pods)}
    assert given is None or given in deployed or new_image == "trusted"
    if made.assumption and made.assumption.because.id == "database-unasked":
        assert new_image != "trusted"
        assert made.assumption.because.severity == ("skip" if new_image == "check-mode" else "unknown")


def test_a_new_image_that_is_trusted_asks_where_no_other_can() -> None:
    first = decide(EMPTY, BOTH, wanted(external=True), "demo", "trusted")
    assert shown(first) == ("job", "agent:1", False, None, None, [])
    plan, there = wanted("agent:2"), live()
    made = after_failure(
        decide(there, BOTH, plan, "demo"), FindingError("image-pull", "No."), there, BOTH, plan, new_image="trusted"
    )
    assert made is not None
    assert shown(made) == ("job", "agent:2", False, None, None, [])


def test_an_agent_without_memory_to_spare_is_spared() -> None:
    there, plan = live("agent:1"), wanted("agent:2")
    first = decide(there, BOTH, plan, "demo")
    assert first.kind == "exec"
    error = FindingError("agent-memory-short", "The agent's pod has 20 MiB left of its memory limit.")
    made = without_exec(first, error, there)
    assert made is not None
    assert shown(made) == ("job", "agent:1", False, None, None, ["agent-memory-short"])
    assert made.findings[0].severity == "warn"
    assert without_exec(first, FindingError("database-auth", "No."), there) is None
    assert without_exec(made, error, there) is None
