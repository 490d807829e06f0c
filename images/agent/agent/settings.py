"""What the environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WORKDIR = Path(__file__).resolve().parent.parent
"""Where alembic.ini and migrations/ are."""


class SettingsError(Exception):
    """A variable is missing or wrong; the text names it and says what to set."""


@dataclass(frozen=True)
class Settings:
    """Settings of one process; `from_env` says which variable each comes from."""

    database_url: str
    redis_url: str
    log_level: str = "info"
    worker_threads: int = 4
    organization: str = ""
    environment: str = ""
    llm_base_url: str = ""
    llm_api_key: str = ""
    llm_model: str = "default"
    llm_timeout: float = 60.0
    token_delay: float = 0.02
    cache_ttl: int = 3600
    drain_seconds: float = 30.0
    port: int = 8000

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment.

        :raises SettingsError: a needed variable is missing, or a number is none
        """
        for name in ("DATABASE_URL", "REDIS_URL"):
            if not env.get(name):
                raise SettingsError(f"{name} is not set: the agent needs a database and a cache, give it their URLs")
        return cls(
            database_url=driver_url(env["DATABASE_URL"]),
            redis_url=env["REDIS_URL"],
            log_level=_choice(env, "LOG_LEVEL", "info", ("debug", "info", "warn", "warning", "error")),
            worker_threads=int(_number(env, "WORKER_THREADS", 4, 1)),
            organization=env.get("ORGANIZATION", ""),
            environment=env.get("ENVIRONMENT", ""),
            llm_base_url=env.get("LLM_BASE_URL", "").rstrip("/"),
            llm_api_key=env.get("LLM_API_KEY", ""),
            llm_model=env.get("LLM_MODEL") or "default",
            llm_timeout=_number(env, "LLM_TIMEOUT_SECONDS", 60, 1),
            token_delay=_number(env, "BUILTIN_TOKEN_DELAY_MS", 20, 0) / 1000,
            cache_ttl=int(_number(env, "CACHE_TTL_SECONDS", 3600, 1)),
            drain_seconds=_number(env, "DRAIN_SECONDS", 30, 0),
            port=int(_number(env, "PORT", 8000, 1)),
        )


def driver_url(url: str) -> str:
    """`postgresql://` means psycopg 3 here; SQLAlchemy alone would look for psycopg2."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url[len(scheme) :]
    return url


def _number(env: Mapping[str, str], name: str, default: float, least: float) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}: write a number") from None
    if value < least:
        raise SettingsError(f"{name} is {text}: write a number of at least {least:g}")
    return value


def _choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = (env.get(name) or default).lower()
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}: use one of {', '.join(choices)}")
    return value
