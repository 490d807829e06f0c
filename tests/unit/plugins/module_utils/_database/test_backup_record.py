"""What the preflight knows of backups: the ConfigMap's records, and what containers said at their end."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_record
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden

Row = dict[str, t.Any]


def pod(*messages: t.Any) -> Row:
    return {"status": {"containerStatuses": [{"state": {"terminated": {"message": text}}} for text in messages]}}


def record(name: str, verified: t.Any = True) -> Row:
    return {"name": name, "time": f"2026-11-{name}T02:17:00+00:00", "verified": verified}


class Api:
    """The two questions that are asked; None: the account may not."""

    def __init__(self, listed: t.Any, pods: list[Row] | None) -> None:
        self._listed, self._pods = listed, pods

    def get(self, *_place: str) -> Row | None:
        if self._listed is None:
            raise Forbidden("configmaps", "get", "test")
        return {"data": {backup_record.KEY: self._listed}} if self._listed else None

    def list(self, *_place: str, labels: str) -> list[Row]:
        assert labels == "app.kubernetes.io/instance=agent,app.kubernetes.io/component=backup"
        if self._pods is None:
            raise Forbidden("pods", "list", "test")
        return self._pods


def last(listed: t.Any, pods: list[Row] | None) -> str | None:
    return backup_record.in_cluster(t.cast("t.Any", Api(listed, pods)), "test", "agent")


FIRST, SECOND = "2026-11-01T02:17:00+00:00", "2026-11-02T02:17:00+00:00"
OLDER = json.dumps([record("01")])


@pytest.mark.parametrize(
    ("listed", "pods", "expected"),
    [
        ("", [], None),
        (OLDER, [], FIRST),
        ("", [pod(json.dumps(record("02")))], SECOND),
        (OLDER, [pod(None, json.dumps(record("02")))], SECOND),
        (OLDER, [pod(json.dumps(record("02", verified=False)))], FIRST),
        (OLDER, None, FIRST),
        (None, [pod(json.dumps(record("02")))], SECOND),
        (None, None, None),
        # A verification afterwards found it wanting.
        (json.dumps([record("02", verified=False)]), [pod(json.dumps(record("02")))], None),
        ("no JSON", [pod("no JSON", "[" * 4000, "[1]", "7", '{"id": "backup-failed"}', '{"name": 7}')], None),
        ("[7, null]", [{"status": {}}, {}, {"status": {"containerStatuses": [{"state": {"running": {}}}]}}], None),
    ],
)
def test_the_newest_verified(listed: str | None, pods: list[Row] | None, expected: str | None) -> None:
    assert last(listed, pods) == expected
