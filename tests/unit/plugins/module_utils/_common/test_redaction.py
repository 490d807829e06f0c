"""Secrets in what others wrote, in every spelling that programs give them."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import redacted

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
