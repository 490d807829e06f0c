"""What the chart's test pod runs, against a real PostgreSQL and Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / "chart" / "files" / "connection_test.py"
LINES = """Testing PostgreSQL connection...
PostgreSQL connection successful!
Testing Redis connection...
Redis connection successful!
All connectivity tests passed!
"""


@pytest.fixture(scope="session")
def cache() -> str:
    """The URL of a Redis."""
    url = os.environ.get("TEST_REDIS_URL", "")
    if not url:
        pytest.fail("TEST_REDIS_URL is not set: name a Redis.")
    return url


def run(**environ: str) -> subprocess.CompletedProcess[str]:
    """Run the program with nothing but ``environ``."""
    return subprocess.run([sys.executable, str(PROGRAM)], env=environ, capture_output=True, text=True, check=False)


def test_five_lines_of_the_specification(server: str, cache: str) -> None:
    done = run(DATABASE_URL=server, REDIS_URL=cache)
    assert (done.returncode, done.stdout, done.stderr) == (0, LINES, "")


def test_driver_in_the_scheme_is_accepted(server: str, cache: str) -> None:
    done = run(DATABASE_URL=server.replace("postgresql://", "postgresql+psycopg://"), REDIS_URL=cache)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/d"}, "PostgreSQL did not answer: "),
        ({"DATABASE_URL": "postgresql://u:hun%ter2@h/d"}, "DATABASE_URL is not a PostgreSQL URL"),
        ({"DATABASE_URL": ""}, "The environment variable DATABASE_URL is not set"),
        ({"REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"}, "Redis did not answer: "),
        ({"REDIS_URL": "http://:hunter2@h"}, "REDIS_URL is not a Redis URL"),
    ],
)
def test_failure_is_one_sentence_without_the_password(
    server: str, cache: str, environ: dict[str, str], sentence: str
) -> None:
    done = run(**({"DATABASE_URL": server, "REDIS_URL": cache} | environ))
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stdout + done.stderr
    assert "All connectivity tests passed!" not in done.stdout


def test_wrong_cache_password_is_told(server: str, cache: str) -> None:
    head, _, tail = cache.rpartition("@")
    wrong = f"redis://:wrong@{tail}"
    assert head, "TEST_REDIS_URL must hold a password, for this test"
    done = run(DATABASE_URL=server, REDIS_URL=wrong)
    assert done.returncode == 1
    assert done.stderr.startswith("Redis did not answer: ")
    assert "Redis connection successful!" not in done.stdout
