"""Secrets in what others wrote, in every spelling that programs give them."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import time
import typing as t
from urllib.parse import quote, quote_plus

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import redacted, without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.spellings import pattern

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


WRITERS: dict[str, t.Callable[[str], str]] = {
    "as it is": str,
    "shell": shlex.quote,
    "repr": lambda text: repr(text)[1:-1],
    "ascii": lambda text: ascii(text)[1:-1],
    "bytes": lambda text: repr(text.encode())[2:-1],
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON of repr": lambda text: json.dumps(repr(text))[2:-2],
    "YAML": lambda text: yaml.safe_dump({"a": text})[3:].strip().strip("'\""),
    "YAML of Unicode": lambda text: yaml.safe_dump({"a": text}, allow_unicode=True, width=20)[3:].strip().strip("'\""),
    "YAML in double quotes": lambda text: (
        yaml.safe_dump({"a": text}, default_style='"', width=20)[6:].strip().strip('"')
    ),
    "HTML": html.escape,
    "HTML of HTML": lambda text: html.escape(html.escape(text)),
    "HTML by numbers": lambda text: "".join(f"&#x{ord(char):x};" for char in text),
    "encodeURIComponent": lambda text: quote(text, safe="!'()*"),
    "Go": lambda text: quote(text, safe="$&+:=@"),
    "form": quote_plus,
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "small percent": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "SQL": lambda text: text.replace("'", "''"),
    "SQL in SQL": lambda text: text.replace("'", "''").replace("'", "''"),
    "SQL with backslashes": lambda text: text.replace("\\", "\\\\").replace("'", "''"),
    "connection string": lambda text: text.replace("\\", "\\\\").replace("'", "\\'"),
    "CSV": lambda text: text.replace('"', '""'),
    "configuration file": lambda text: text.replace("%", "%%"),
    "Kubernetes": lambda text: text.replace("$", "$$"),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "hexadecimal": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}
# What is looked for afterwards: what nobody needs to decode.
CORE = "c4n4ryp4ss"
MIDDLES = [
    "",
    "'",
    "''",
    '"',
    "'\"'\"'",
    "\\",
    "\\\\",
    "\\ü",
    "\\'",
    " ",
    "  a b ",
    "%",
    "%41",
    "$",
    "$$",
    "ä",
    "ключ",
    "😀",
]
MIDDLES += ["&amp;", "<&>", "@:/?#[]+", "{{ x }}", "`!*", "\t"]
HARD = [f"{CORE}{middle}{CORE}" for middle in MIDDLES]


@pytest.mark.parametrize("writer", WRITERS)
def test_what_each_program_writes_of_each_secret(writer: str) -> None:
    for secret in HARD:
        for extra in ("", "and another"):
            written = WRITERS[writer](secret)
            told = redacted(f"before <{written}> after", [secret, extra])
            pieces = [written[at : at + 8] for at in range(len(written) - 8)]
            assert not any(piece in told for piece in pieces), (secret, written, told)
            assert told.startswith("before <"), told
            assert told.endswith(" after"), told


def test_base64_of_what_holds_a_secret() -> None:
    for before in ("user:", "redis://:", "xx", ""):
        written = base64.urlsafe_b64encode(f"{before}{CORE}{CORE}ü~?@cache:6379".encode()).decode()
        told = redacted(f"Basic of <{written}> after", [f"{CORE}{CORE}ü~?"])
        assert "***" in told
        for shift in range(4):
            rest = re.sub(r"\*.*", "", told)[10 + shift :]
            assert CORE[:5].encode() not in base64.urlsafe_b64decode(rest[: len(rest) // 4 * 4] or "")


@pytest.mark.parametrize(
    "secret", ["a" * 40, " " * 6 + "x", "'\"" * 4 + "x", "\\ü" * 12, "\\ " * 12 + "x", "%" * 9, "$" * 9 + "x"]
)
def test_the_time_grows_with_the_text_alone(secret: str) -> None:
    """Twice the text, twice the time; a pattern that tries combinations would never end."""
    known = pattern([secret])
    for piece in (secret[:-1], secret[0], *{writer(secret)[:-2] for writer in WRITERS.values()}):
        text = piece * (600 // max(1, len(piece)))
        begin = time.process_time()
        known.sub("", text)
        assert time.process_time() - begin < 20


@pytest.mark.parametrize(
    "piece", ["://", "://a:", "://a:b c", "password", "password ", "password = ", "password 'x", "token \"", "Bearer ",
              "redis-cli ", " -u ", "AUTH ", "authorization: ", "'\"", "a", " ", "\\", "password=a,", "pwd\\\""]
)  # fmt: skip
def test_what_is_told_by_place_takes_no_longer_than_the_text_is(piece: str) -> None:
    text = piece * (6_000 // len(piece))
    begin = time.process_time()
    without_named(text)
    assert time.process_time() - begin < 20


@pytest.mark.parametrize(
    "text",
    [
        "host=db password=hunter2 user=x",
        "host=db password='hun ter2' user=x".replace("hun ter2", "a hunter2"),
        "PGPASSWORD=hunter2",
        '{"password": "hunter2"}',
        json.dumps(json.dumps({"password": "hunter2"})),
        "postgresql://h/d?password=hunter2&user=u",
        "postgresql://h/d?sslpassword=hunter2",
        "postgresql://u:pa hunter2@db/x",
        "postgresql://u:p@hunter2@db",
        "postgresql://agent@srv:hunter2@db",
        'u = "postgresql://u:p@hunter2@db", v',
        "REDISCLI_AUTH=hunter2",
        "redis-cli -h cache -a hunter2 PING",
        "redis-cli --pass 'hunter2' PING",
        "AUTH hunter2",
        '"AUTH" "hunter2"',
        "Authorization: Bearer hunter2",
        "Authorization: Basic hunter2==",
        "sent Bearer hunter2x",
        "password=a,hunter2",
        "password=it's,hunter2",
    ],
)
def test_what_its_place_calls_secret_goes_though_nobody_knows_it(text: str) -> None:
    told = redacted(text, [])
    assert "hunter2" not in told
    assert "***" in told
    assert redacted(told, []) == told


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
        "postgresql://agent@db:5432/agent, ask somebody@example.com",
        "http://llm:8000 answers nothing, ask somebody@example.com",
        "ERR AUTH <password> called without any password configured for the default user.",
        "NOAUTH Authentication required.",
        "the Bearer authentication failed",
        "redis-cli -h cache PING",
    ],
)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert without_named(text) == text
