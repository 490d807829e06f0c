"""How old the passwords of Redis and of the read replicas are."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import redis_rotation, replication_rotation
from ansible_collections.ai_platform.agent.plugins.module_utils._release.credential_age import ages_days

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def secret(*keys: str, **annotations: str) -> dict[str, t.Any]:
    names = {"redis": redis_rotation.ANNOTATION, "replication": replication_rotation.ANNOTATION}
    told = {names[name]: text for name, text in annotations.items()}
    metadata = {"name": "s", "namespace": "n", "creationTimestamp": "2026-01-31T12:00:00Z", "annotations": told}
    return {"metadata": metadata, "data": dict.fromkeys(keys, "cA==")}


def test_each_is_as_old_as_its_own_rotation_or_else_as_the_secret() -> None:
    both = ("redis-password", "replication-password")
    assert ages_days(None, NOW) == {}
    assert ages_days(secret("password"), NOW) == {}
    assert ages_days(secret(*both), NOW) == dict.fromkeys(both, 29)
    since = '{"since": "2026-02-27T12:00:00+00:00"}'
    assert ages_days(secret(*both, redis=since), NOW) == {both[0]: 2, both[1]: 29}
    assert ages_days(secret(*both, replication=since), NOW) == {both[0]: 29, both[1]: 2}
    # One that is under way has not ended yet.
    assert ages_days(secret(both[1], replication='{"began": "now"}'), NOW) == {both[1]: 29}


def test_a_secret_whose_age_nobody_knows() -> None:
    made = secret("redis-password")
    del made["metadata"]["creationTimestamp"]
    assert ages_days(made, NOW) == {}


def test_an_annotation_that_no_rotation_wrote() -> None:
    with pytest.raises(FindingError, match="is not what a rotation writes"):
        ages_days(secret("replication-password", replication="[1]"), NOW)
