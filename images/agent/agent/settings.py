"""What the environment says."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from redis.connection import parse_url

from agent import tracing_packages

WORKDIR = Path(__file__).resolve().parent.parent
"""Where alembic.ini and migrations/ are."""


TRACES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""OpenTelemetry's own variables."""
LEAST_TOKEN = 16
"""Characters of a caller's token: fewer can be guessed."""


class SettingsError(Exception):
    """A variable is missing or wrong; the text names it and says what to set."""


@dataclass(frozen=True)
class Settings:
    """Settings of one process; `from_env` says which variable each comes from."""

    # Not in the representation: what is logged by accident holds no password.
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    log_level: str = "info"
    worker_threads: int = 4
    organization: str = ""
    environment: str = ""
    llm_base_url: str = ""
    llm_api_key: str = field(default="", repr=False)
    llm_model: str = "default"
    llm_timeout: float = 60.0
    token_delay: float = 0.0
    cache_ttl: int = 3600
    report_usage: bool = False
    price_input: float = 0.0
    price_output: float = 0.0
    api_tokens: tuple[str, ...] = field(default=(), repr=False)
    rate_per_minute: int = 0
    rate_burst: int = 0
    chat_page: bool = True
    traces: bool = False
    drain_seconds: float = 30.0
    port: int = 8000

    @property
    def libpq_url(self) -> str:
        """The database's URL without SQLAlchemy's driver name."""
        return "postgresql://" + self.database_url.partition("://")[2]

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment.

        :raises SettingsError: a needed variable is missing, or a number is none
        """
        for name, what in (("DATABASE_URL", "database"), ("REDIS_URL", "cache")):
            if not env.get(name):
                raise SettingsError(f"{name} is not set: the agent needs a {what}, give it its URL")
        key = env.get("LLM_API_KEY", "").strip()
        if not key.isascii() or not key.isprintable():
            raise SettingsError("LLM_API_KEY holds characters that no HTTP header may: set it again from its source")
        return cls(
            database_url=driver_url(_url(env, "DATABASE_URL", ("postgresql", "postgresql+psycopg", "postgres"))),
            redis_url=_redis_url(env),
            log_level=_choice(env, "LOG_LEVEL", "info", ("debug", "info", "warn", "warning", "error", "critical")),
            worker_threads=_integer(env, "WORKER_THREADS", 4, 1, 256),
            organization=env.get("ORGANIZATION", ""),
            environment=env.get("ENVIRONMENT", ""),
            llm_base_url=_url(env, "LLM_BASE_URL", ("http", "https")).rstrip("/"),
            llm_api_key=key,
            llm_model=env.get("LLM_MODEL") or "default",
            llm_timeout=_number(env, "LLM_TIMEOUT_SECONDS", 60, 1),
            token_delay=_number(env, "BUILTIN_TOKEN_DELAY_MS", 0, 0) / 1000,
            cache_ttl=_integer(env, "CACHE_TTL_SECONDS", 3600, 1, 30 * 86400),
            report_usage=_choice(env, "LLM_REPORT_USAGE", "false", ("true", "false")) == "true",
            price_input=_number(env, "LLM_PRICE_INPUT", 0, 0),
            price_output=_number(env, "LLM_PRICE_OUTPUT", 0, 0),
            api_tokens=_tokens(env),
            rate_per_minute=_integer(env, "RATE_LIMIT_PER_MINUTE", 0, 0, 1_000_000),
            rate_burst=_integer(env, "RATE_LIMIT_BURST", 0, 0, 1_000_000),
            chat_page=_choice(env, "CHAT_PAGE", "true", ("true", "false")) == "true",
            traces=_traces(env),
            drain_seconds=_number(env, "DRAIN_SECONDS", 30, 0),
            port=_integer(env, "PORT", 8000, 1, 65535),
        )


def _traces(env: Mapping[str, str]) -> bool:
    """Whether traces have somewhere to go; the SDK reads itself where to."""
    chosen = [name for name in TRACES if _url(env, name, ("http", "https"))]
    if chosen and not tracing_packages.available(env.get("TRACING_PACKAGES", "")):
        words = f"{chosen[0]} is set, and this image has no OpenTelemetry to send traces with"
        raise SettingsError(f"{words}: install opentelemetry-exporter-otlp-proto-http in it, or take the variable away")
    return bool(chosen)


def _tokens(env: Mapping[str, str]) -> tuple[str, ...]:
    """The callers' tokens, one a line or between commas; two of them while one replaces the other.

    A variable that is there and empty would leave the agent open although somebody meant to close it.
    """
    if "API_TOKENS" not in env:
        return ()
    tokens = tuple(token for token in re.split(r"[\s,]+", env["API_TOKENS"]) if token)
    if not tokens:
        raise SettingsError("API_TOKENS is empty: fill the key of its Secret, or take the variable away")
    if any(len(token) < LEAST_TOKEN or not token.isascii() for token in tokens):
        words = f"API_TOKENS holds a token of fewer than {LEAST_TOKEN} characters, or one that is not ASCII"
        raise SettingsError(f"{words}: make one with openssl rand -hex 32")
    return tokens


def driver_url(url: str) -> str:
    """`postgresql://` means psycopg 3 here; SQLAlchemy alone would look for psycopg2."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url[len(scheme) :]
    return url


def _url(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    """The URL as it is, or "" where there is none. Errors do not quote it: it may hold a password."""
    url = env.get(name, "").strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError(f"{name} is no URL: percent-encode its user name and its password") from None
    if parts.scheme not in schemes:
        raise SettingsError(f"{name} has none of the schemes {', '.join(schemes)}: begin it with {schemes[0]}://")
    # libpq and SQLAlchemy end the password at different ones; what is left of it would be told as the host's name.
    if parts.netloc.count("@") > 1 or (schemes[0] == "postgresql" and url.count("@") > 1):
        raise SettingsError(f"{name} has more than one @: percent-encode its user name and its password")
    # A number before a slash in a password is a port, and the rest the name of the database.
    if schemes[0] == "postgresql" and "@" in parts.path:
        raise SettingsError(f"{name} has an @ behind its host: percent-encode its user name and its password")
    # A slash or a # in a password ends the address early, and what is left of it is no port or has no host.
    if schemes[0] in ("http", "redis") and parts.scheme != "unix" and (not parts.hostname or port == 0):
        raise SettingsError(f"{name} names no host: write {parts.scheme}://host, or percent-encode its password")
    return url


def _redis_url(env: Mapping[str, str]) -> str:
    url = _url(env, "REDIS_URL", ("redis", "rediss", "unix"))
    try:
        parse_url(url)  # type: ignore[no-untyped-call] # redis-py does not type it
    except ValueError:
        raise SettingsError("REDIS_URL has an option that redis-py does not know: check what follows its ?") from None
    return url


def _number(env: Mapping[str, str], name: str, default: float, least: float) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SettingsError(f"{name} is {text!r}: write a number")
    if value < least:
        raise SettingsError(f"{name} is {text}: write a number of at least {least:g}")
    return value


def _integer(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name) or str(default)
    try:
        value = int(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}: write a whole number") from None
    if not least <= value <= most:
        raise SettingsError(f"{name} is {text}: write a whole number from {least} to {most}")
    return value


def _choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = (env.get(name) or default).lower()
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}: use one of {', '.join(choices)}")
    return value
