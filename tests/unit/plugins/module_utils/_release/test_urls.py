"""In what two URLs differ, whatever is in them, and that no password is told."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.urls import destination, differences, parts

SAME = [
    ("postgresql://u:p@db:5432/d", "postgresql+psycopg://u:p@db/d"),
    ("postgres://u:p@db/d", "postgresql://u:p@DB:5432/d"),
    ("postgresql://u:p@db.ns.svc.cluster.local:5432/d", "postgresql://u:p@db/d"),
    ("postgresql://u:p%40x@db.ns/d", "postgresql://u:%70%40x@db/d"),
    ("redis://:p@cache", "redis://:p@cache:6379/0"),
    ("redis://cache/0", "redis://:p@cache/0"),
    ("postgresql://u:p@[fd00::1]/d", "postgresql://u:p@[fd00::1]:5432/d"),
]
OTHER = [
    ("postgresql://u:p@db-primary/d", "postgresql://u:p@db/d", ["host"]),
    ("postgresql://u:p@db.other.svc/d", "postgresql://u:p@db/d", ["host"]),
    ("postgresql://u:p@db:5433/d", "postgresql://u:p@db/d", ["port"]),
    ("postgresql://u:p@db/e", "postgresql://u:p@db/d", ["database"]),
    ("postgresql://v:p@db/d", "postgresql://u:p@db/d", ["user"]),
    ("postgresql://u:q@db/d", "postgresql://u:p@db/d", ["password"]),
    ("postgresql://u:p@db/d?sslmode=require", "postgresql://u:p@db/d", ["parameters"]),
    ("postgresql://u:p@a,b/d", "postgresql://u:p@a/d", ["host", "port"]),
    ("redis://:p@cache/1", "redis://:p@cache/0", ["database"]),
    ("redis://:p@cache/0", "redis://:q@cache/0", ["password"]),
    ("/run/socket", "postgresql://u:p@db/d", ["form"]),
]
CANARY = "c4n4ry"


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_of_one_place(one: str, other: str) -> None:
    assert differences(one, other, "ns") == differences(other, one, "ns") == []


@pytest.mark.parametrize(("one", "other", "named"), OTHER)
def test_the_parts_that_differ_are_named(one: str, other: str, named: list[str]) -> None:
    assert differences(one, other, "ns") == differences(other, one, "ns") == named


@pytest.mark.parametrize("split", ["/", "?", "#", "@", ":", ",", " ", "\\", "[", "]", "%", "\n", "'"])
@pytest.mark.parametrize("at", range(7))
def test_a_password_that_was_not_encoded_is_not_told(split: str, at: int) -> None:
    password = CANARY[:at] + split + CANARY[at:]
    for url in (f"postgresql://u:{password}@db/d", f"redis://:{password}@cache/0", f"redis://{password}"):
        told = destination(url, "ns") + repr(differences(url, "redis://cache/0", "ns"))
        # A redis:// with the password where the host stands cannot be told from a host.
        if url != f"redis://{password}":
            assert not any(piece in told for piece in (CANARY[:at], CANARY[at:]) if len(piece) > 2), told


def test_what_is_no_url_raises_without_its_text() -> None:
    with pytest.raises(ValueError, match=r"^no URL$"):
        parts(f"postgresql://[u:{CANARY}@db/d", "ns")
