"""What the environment may hold, and what is said about what it may not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent.settings import Settings, SettingsError, driver_url
from tests.unit.unencoded import told, urls

AGENT = Path(__file__).resolve().parents[4] / "images/agent"
SECRET = "s3cr%2Ft"
GIVEN = {
    "DATABASE_URL": f"postgresql://agent_user:{SECRET}@db:5432/agent_db",
    "REDIS_URL": f"redis://:{SECRET}@cache:6379/0",
}


def test_defaults() -> None:
    settings = Settings.from_env(GIVEN)
    assert (settings.worker_threads, settings.drain_seconds, settings.port) == (4, 30, 8000)
    assert settings.database_url == f"postgresql+psycopg://agent_user:{SECRET}@db:5432/agent_db"
    assert settings.libpq_url == GIVEN["DATABASE_URL"]


def test_tokens_stand_one_a_line_or_between_commas() -> None:
    tokens = ("first-token-of-a-test", "second-token-of-a-test")
    for text in ("\n".join(tokens), f" {tokens[0]}, {tokens[1]}\n"):
        settings = Settings.from_env({**GIVEN, "API_TOKENS": text})
        assert settings.api_tokens == tokens
        assert tokens[0] not in repr(settings)


def test_nothing_is_switched_on_but_the_page() -> None:
    settings = Settings.from_env(GIVEN)
    assert (settings.api_tokens, settings.rate_per_minute, settings.traces, settings.report_usage) == (
        (),
        0,
        False,
        False,
    )
    assert settings.chat_page


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_scheme_means_psycopg(scheme: str) -> None:
    assert driver_url(f"{scheme}://u@h/d?options=-c%20lock_timeout%3D2s").startswith("postgresql+psycopg://u@h/d?opt")


def test_representation_holds_no_secret() -> None:
    settings = Settings.from_env({**GIVEN, "LLM_API_KEY": "sk-very-secret"})
    assert SECRET not in repr(settings)
    assert "sk-very-secret" not in repr(settings)


def test_a_key_that_a_file_gave_a_line_end_is_used_without_it() -> None:
    assert Settings.from_env({**GIVEN, "LLM_API_KEY": "sk-1\n"}).llm_api_key == "sk-1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", f"mysql://root:{SECRET}@db/agent_db"),
        ("DATABASE_URL", "postgresql://agent_user:s3cr/t@db:5432/agent_db"),
        ("REDIS_URL", ""),
        ("REDIS_URL", f"http://:{SECRET}@cache"),
        ("REDIS_URL", f"redis://:{SECRET}@:6379/0"),
        ("REDIS_URL", "redis://:s3cr/t@cache:6379/0"),
        ("REDIS_URL", "redis://:s3cr]t[@cache:6379/0"),
        ("LLM_BASE_URL", "api.example.com/v1"),
        ("LLM_BASE_URL", "https://"),
        ("LLM_API_KEY", "s3cr\nt"),
        ("LLM_API_KEY", "s3crät"),
        ("LOG_LEVEL", "loud"),
        ("WORKER_THREADS", "0"),
        ("WORKER_THREADS", "2.5"),
        ("WORKER_THREADS", "100000"),
        ("DRAIN_SECONDS", "nan"),
        ("DRAIN_SECONDS", "-1"),
        ("DRAIN_SECONDS", "soon"),
        ("PORT", "70000"),
        ("API_TOKENS", ""),
        ("API_TOKENS", " \n,"),
        ("API_TOKENS", "s3cr-is-short"),
        ("API_TOKENS", "s3cret-that-is-long-enough,s3crt"),
        ("API_TOKENS", "s3crät-that-is-long-enough"),
        ("RATE_LIMIT_PER_MINUTE", "-1"),
        ("RATE_LIMIT_BURST", "many"),
        ("LLM_PRICE_INPUT", "-0.5"),
        ("LLM_REPORT_USAGE", "perhaps"),
        ("CHAT_PAGE", "1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
    ],
)
def test_what_is_wrong_is_named_without_its_secret(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({**GIVEN, name: value})
    assert name in str(caught.value)
    assert "s3cr" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_that_is_not_encoded_is_no_host_and_no_database() -> None:
    """The message of libpq or SQLAlchemy would name what they take for the host, in the agent's log."""
    taken = 0
    for url in urls():
        try:
            settings = Settings.from_env({**GIVEN, "DATABASE_URL": url})
        except SettingsError as error:
            said = str(error)
        else:
            said, taken = "percent-encode", taken + 1
            assert settings.libpq_url.count("@") == 1
            assert urlsplit(settings.libpq_url).path in ("/agent_db", "")
        assert told(said) == [], url
        assert "percent-encode" in said, url
    assert taken > 20


def test_alembics_environment_needs_no_web_server() -> None:
    """Who judges migrations on a controller has Alembic, SQLAlchemy and drivers (requirements.txt), and no server."""
    program = (
        "import sys\n"
        "for name in ('starlette', 'uvicorn', 'httpx', 'prometheus_client', 'opentelemetry'):\n"
        "    sys.modules[name] = None\n"
        "import agent.models, agent.settings\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=AGENT,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
