"""An image of another major version of PostgreSQL, by tags as they are in use."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_postgresql_image import (
    judge_postgresql_image,
    major,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Live, Planned, planned

from tests.unit.plugins.module_utils._release.manifests import living, release

DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ("postgresql:16", 16),
        ("registry:5000/team/postgresql:16.4", 16),
        ("bitnami/postgresql:15.4.0-debian-11-r9", 15),
        (f"postgres:17.1{DIGEST}", 17),
        ("pgvector/pgvector:pg16", 16),
        ("timescale/timescaledb:2.17.0-pg15", 15),
        ("lab/postgresql:15.19-1a2b3c4d", 15),
        ("postgresql:latest", None),
        (f"postgresql{DIGEST}", None),
        ("postgresql:20261129", None),
        ("postgresql:1.0.0", None),
        ("postgresql", None),
    ],
)
def test_the_major_version_of_a_tag(image: str, wanted: int | None) -> None:
    assert major(image) == wanted


def objects(image: str) -> list[dict[str, t.Any]]:
    made = release()
    for item in made:
        if item["kind"] == "StatefulSet":
            item["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return made


def world(now: str, then: str) -> tuple[Planned, Live]:
    return planned(objects(then), "demo"), Live(statefulsets=(living(objects(now), "StatefulSet"),))


@pytest.mark.parametrize(
    ("now", "then", "version", "severity"),
    [
        ("pg:15", "pg:15", None, None),
        ("pg:15", "pg:15.4", None, None),
        ("pg:15", "other/pg:15.4.0-debian-12-r9", None, None),
        ("pg:15", "pg:16", None, "fail"),
        ("pg:16", "pg:15.4", None, "fail"),
        ("pg:15", "pg:latest", None, "unknown"),
        ("pg:15", f"pg{DIGEST}", None, "unknown"),
        ("pg:latest", "pg:16", None, "unknown"),
        ("pg:latest", "pg:latest", None, None),
        # The server itself was asked: its word counts, and what it leaves open was said before.
        ("pg:latest", "pg:16", 150004, "fail"),
        ("pg:latest", "pg:16", 160002, None),
        ("pg:15", "pg:latest", 150004, None),
    ],
)
def test_an_image_of_another_major_version(now: str, then: str, version: int | None, severity: str | None) -> None:
    found = judge_postgresql_image(*world(now, then), version)
    assert [item.severity for item in found] == ([severity] if severity else [])
    assert all(item.id == "database-major-differs" for item in found)


def test_a_first_install_may_have_any() -> None:
    assert judge_postgresql_image(planned(objects("pg:16"), "demo"), Live()) == []
