"""Secrets in what others wrote, in every spelling that programs give them."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import redacted, without_named

SECRETS = ["c4n4ry", "a b'c\"d\\e", "@:/%+ü#?", "{{ x }}", "<&>", "$`!*[]", "ключ", "xx", "xxyy"]


@pytest.mark.parametrize("secret", SECRETS)
def test_every_spelling_goes(secret: str) -> None:
    url = f"postgresql://u:{quote(secret, safe='')}@h/d"
    encoded = base64.b64encode(secret.encode()).decode()
    in_programs = [json.dumps({"a": secret}), repr([secret]), html.escape(secret), encoded]
    written = [secret, quote(secret, safe=""), quote(secret), quote_plus(secret), *in_programs, url]
    hidden = [each[1:-1] for each in (json.dumps(secret), repr(secret))] + written
    for text in (f"before {each} after" for each in written):
        told = redacted({"x": [text]}, ["", *SECRETS])["x"][0]
        assert not any(each in told for each in hidden), told
        assert told.startswith("before ")
        assert told.endswith(" after")


def test_passwords_of_urls_that_nobody_named() -> None:
    assert (
        redacted("at postgresql://agent:s3cr:et@h/d and redis://:x@c", [])
        == "at postgresql://agent:***@h/d and redis://:***@c"
    )


def test_what_is_no_text_stays() -> None:
    assert redacted({"a": [1, None, True, "b"]}, ["c"]) == {"a": [1, None, True, "b"]}


@pytest.mark.parametrize(
    "text",
    [
        "alter role postgres password 'Hunter2xQ9'",
        "create user reporting with encrypted password E'Hunter2xQ9\\'more'",
        "alter role r PASSWORD 'it''s Hunter2xQ9'",
        "create subscription s connection 'host=h dbname=d user=u password=Hunter2xQ9' publication p",
        "create user mapping for current_user server fs options (user 'u', password 'Hunter2xQ9')",
        "select dblink_exec('host=h password=Hunter2xQ9', 'select 1')",
        "alter database postgres set app.settings.jwt_secret = 'Hunter2xQ9'",
        "copy creds from program 'curl -u user:Hunter2xQ9 https://x'",
        "RuntimeError: connect postgresql://u:Hunter2xQ9@h/d failed password=Hunter2xQ9",
        "ValueError: {'password': 'Hunter2xQ9'}",
        'Settings(api_key="Hunter2xQ9", PGPASSWORD=Hunter2xQ9)',
    ],
)
def test_what_its_name_calls_secret_goes(text: str) -> None:
    told = without_named(text)
    assert "Hunter2xQ9" not in told
    assert "***" in told
    assert without_named(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "Correct the password in redis-url (WRONGPASS); a rotation changes both sides.",
        "ALTER TABLE users ADD COLUMN password_hash text DEFAULT 'none'",
        "create index token_idx on t (token) where kind = 'a'",
        "password authentication failed for user 'agent'",
        "postgresql://agent@db:5432/agent",
    ],
)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert without_named(text) == text
