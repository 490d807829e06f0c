"""The key of the model's provider: killed at each change, the next run finishes, and nothing is tried too late."""

from __future__ import annotations

import dataclasses
import itertools
import json
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import agent_process
from ansible_collections.ai_platform.agent.plugins.module_utils._release.model_key import ANNOTATION, Record, record_of
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.model_cluster import assert_taken
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.model_module import MODEL_VARIABLES
from ansible_collections.ai_platform.agent.plugins.module_utils._rotation.model_run import (
    Facts,
    Kind,
    ModelRotation,
    next_step,
)

PENDING = Record(since="2026-01-01T00:00:00+00:00", before="old")


class KilledError(BaseException):
    """As SIGKILL: nothing catches it."""


@dataclasses.dataclass
class Living:
    """Two Secrets and a pod in memory. `kill_at` is the number of a change, before it with a minus."""

    wanted: str = "second"
    key: str = "first"
    pod: str = "first"
    pods_id: str = "old"
    id: str = "old"
    record_: Record = dataclasses.field(default_factory=Record)
    good: tuple[str, ...] = ("first", "second", "third")
    changes: int = 0
    kill_at: int = 0
    tried: list[str] = dataclasses.field(default_factory=list)

    def facts(self) -> Facts:
        return Facts(self.record_, self.key == self.wanted, self.id, self.pods_id == self.id)

    def put_key(self) -> None:
        self._change(lambda: setattr(self, "key", self.wanted))

    def record(self, record: Record, rotation_id: str = "") -> None:
        def write() -> None:
            self.record_, self.id = record, rotation_id or self.id

        self._change(write)

    def try_key(self) -> bool:
        self.tried.append(self.wanted)
        if self.wanted not in self.good:
            raise FindingError("rotation-model-key", "no")
        return True

    def _change(self, change: t.Callable[[], object]) -> None:
        self.changes += 1
        if self.kill_at == -self.changes:
            raise KilledError
        change()
        if self.kill_at == self.changes:
            raise KilledError

    def deploy(self) -> None:
        """Pods are replaced by those that read the Secret now."""
        self.pod, self.pods_id = self.key, self.id

    def rotate(self) -> list[str]:
        """As playbooks/rotate_credentials.yml does."""
        first = ModelRotation(self)
        if first.run() == "roll":
            self.deploy()
            second = ModelRotation(self, begin=False)
            assert second.run() == "nothing"
            return first.done + second.done
        return first.done


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (Facts(Record(), True, "old", True), "nothing"),
        (Facts(Record(), False, "old", True), "mark"),
        (Facts(PENDING, False, "old", True), "switch"),
        (Facts(PENDING, True, "old", True), "renew"),
        (Facts(PENDING, True, "new", False), "roll"),
        (Facts(PENDING, True, "new", True), "clear"),
        # A third key waits until the second is with the pods.
        (Facts(PENDING, False, "new", False), "roll"),
        (Facts(PENDING, False, "new", True), "clear"),
    ],
)
def test_the_next_step(facts: Facts, step: Kind) -> None:
    assert next_step(facts) == step


def test_a_rotation_and_a_second_run_that_changes_nothing() -> None:
    living = Living()
    done = living.rotate()
    assert (living.pod, living.key, living.record_.before) == ("second", "second", "")
    assert "Revoke the old one at the provider" in done[-1]
    before = living.changes
    assert living.rotate() == []
    assert living.changes == before
    living.wanted = "third"
    assert f"in use since {living.record_.since} until" in living.rotate()[-1]


@pytest.mark.parametrize("kill_at", [sign * number for number, sign in itertools.product(range(1, 5), (-1, 1))])
def test_killed_at_each_change_the_next_run_finishes(kill_at: int) -> None:
    living = Living(kill_at=kill_at)
    with pytest.raises(KilledError):
        living.rotate()
    living.kill_at = 0
    living.rotate()
    assert (living.pod, living.key, living.record_.before) == ("second", "second", "")


@pytest.mark.parametrize("kill_at", range(1, 4))
def test_killed_and_another_key_by_then(kill_at: int) -> None:
    living = Living(kill_at=kill_at)
    with pytest.raises(KilledError):
        living.rotate()
    living.kill_at, living.wanted = 0, "third"
    first = ModelRotation(living)
    if first.run() == "roll":
        living.deploy()
        if ModelRotation(living, begin=False).run() == "mark":
            living.rotate()
    assert (living.pod, living.record_.before) == ("third", "")
    assert living.tried[-1] == "third"


def test_a_key_that_the_provider_refuses_changes_nothing() -> None:
    living = Living(wanted="mistyped")
    with pytest.raises(FindingError) as caught:
        living.rotate()
    assert (caught.value.id, caught.value.changed, living.changes) == ("rotation-model-key", False, 0)


def test_a_secret_without_an_id_of_its_own() -> None:
    with pytest.raises(FindingError, match="has no rotation-id"):
        Living(id="", pods_id="").rotate()


def test_the_annotation() -> None:
    assert record_of(None) == record_of({"metadata": {}}) == Record()
    assert record_of({"metadata": {"annotations": {ANNOTATION: PENDING.as_annotation()}}}) == PENDING
    with pytest.raises(FindingError, match="not what a rotation writes"):
        record_of({"metadata": {"name": "s", "namespace": "n", "annotations": {ANNOTATION: "[1]"}}})


def line(**values: t.Any) -> str:
    return json.dumps({"record": "phase", "dependency": "model", "ok": True, "facts": {}} | values)


END = json.dumps({"record": "end"})
ASKED = {"asked": ["api.example:443"]}


@pytest.mark.parametrize(
    "lines",
    [
        [line(phase="tcp"), line(phase="models", facts=ASKED | {"status": 200}), END],
        # Its quota is used up, and the key is known.
        [line(phase="models", ok=False, facts=ASKED | {"status": 429}, error={}), END],
    ],
)
def test_a_key_that_is_taken(lines: list[str]) -> None:
    assert_taken(lines)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([line(phase="models", ok=False, facts=ASKED | {"status": 401}, error={}), END], "api.example:443 answers 401"),
        ([line(phase="models", ok=False, facts=ASKED | {"status": 503}, error={}), END], "answers 503"),
        ([line(phase="dns", ok=False, error={}), END], "cannot be asked .step dns"),
        ([END], "names no endpoint"),
        ([], "names no endpoint"),
        (["not JSON"], "names no endpoint"),
        ([json.dumps({"record": "refused", "text": "has no memory"})], "has no memory"),
    ],
)
def test_a_key_that_is_not_or_cannot_be_tried(lines: list[str], words: str) -> None:
    with pytest.raises(FindingError, match=words):
        assert_taken(lines)


def test_the_variables_are_those_of_the_connectivity_test() -> None:
    assert MODEL_VARIABLES.items() <= agent_process.MODEL_VARIABLES.items()
