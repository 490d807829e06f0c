"""Secrets that would not arrive as they were meant."""

from __future__ import annotations

import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.ai_platform.agent.plugins.lookup.unfit_secrets import LookupModule

CANARY = "c4n4ry"
FORMS = ("x{#%s#}z", "p{{ 7*7 }}%s", "{{%s", "{%% %s", "%s{{", "{{ a }}%s", "{{ a }}%s{{ b }}", "{{}}%s")
TEMPLATES = [form % CANARY for form in FORMS]


def found(value: t.Any, *, trusted: bool = True, **others: t.Any) -> list[dict[str, str]]:
    """What is said of `outer`, which names `vaulted`, whose value it is."""
    given = trust_as_template(value) if trusted and isinstance(value, str) else value
    outer = trust_as_template("{{ vaulted | default('') }}")
    variables = {"vaulted": given, "outer": outer} | {key: trust_as_template(text) for key, text in others.items()}
    templar = Templar(loader=DataLoader(), variables=variables)
    told: list[dict[str, str]] = LookupModule(loader=DataLoader(), templar=templar).run(["outer"], variables=variables)
    assert CANARY not in str(told)
    return told


@pytest.mark.parametrize("value", TEMPLATES)
def test_a_secret_that_is_taken_for_a_template(value: str) -> None:
    (told,) = found(value)
    assert told["name"] == "vaulted"
    assert "!unsafe" in told["problem"]


@pytest.mark.parametrize("value", TEMPLATES)
def test_unsafe_and_vaulted_strings_are_no_templates(value: str) -> None:
    assert found(value, trusted=False) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1234567, "is a number"),
        (70, "in quotes"),
        (True, "is a boolean"),
        (1.5, "is a number"),
        ([CANARY], "is a list"),
        (f"{CANARY}\n", "a line break"),
        (f"{CANARY}\r\n", "a line break"),
        (f"a\t{CANARY}", "a tab"),
        (f"a\x1b{CANARY}", "a control character"),
        (f"{CANARY}\x00", "a control character"),
        (f"{CANARY}\u0085", "a control character"),
        (f" {CANARY}", "white space"),
        (f"{CANARY}\u00a0", "white space"),
        (f"\ufeff{CANARY}", "white space"),
        # What the environment gives for a byte of Latin-1, and what JSON of a form may hold.
        (f"{CANARY}\udcfc", "bytes that are no UTF-8"),
        (f"a\ud83d{CANARY}", "bytes that are no UTF-8"),
        (f"{{{{{CANARY}}}}}".replace("{{", "${").replace("}}", "}"), "a reference"),
        (f"$({CANARY})", "a reference"),
        (f"ENC[AES256_GCM,data:{CANARY},iv:a=,tag:b=,type:str]", "a reference"),
        (f"ref+vault://secret/{CANARY}#/password", "a reference"),
        (f"op://vault/{CANARY}/password", "a reference"),
        (f"vault:secret/data/{CANARY}#password", "a reference"),
        (f"<path:secret/data/{CANARY}#password>", "a reference"),
        (f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{CANARY}", "a reference"),
        ("$ANSIBLE_VAULT;1.2;AES256;prod", "a reference"),
    ],
)
def test_a_secret_that_programs_take_differently(value: t.Any, words: str) -> None:
    (told,) = found(value)
    assert told["name"] == "vaulted"
    assert words in told["problem"]


@pytest.mark.parametrize(
    "value",
    [
        *("0123", "a b", "@:/%+ü?#[]'\"\\$`!*&|<>", "{ {x} }", "%}", "", "é" * 40, "😀"),
        *("x${A}", "$A-b9", "$()", "${}", "ENC[x", "ref+9k", "vault:9Kx#2", "<path:>", "op:/9k/x", "arn:aws:x"),
    ],
)
def test_what_fits(value: str) -> None:
    assert found(value) == []


def test_what_is_put_together_on_purpose() -> None:
    assert found("{{ a ~ '-' ~ b }}", a="x", b="y") == []
    assert found("{{ lookup('ansible.builtin.env', 'HOME') }}") == []
    # What it names is looked at too.
    assert found("{{ a }}", a=f"x{{#{CANARY}#}}")[0]["name"] == "a"
    assert found("{{ a }}", a=f"{CANARY}\n")[0]["name"] == "a"
    # Whoever is asked for it says better that it is missing.
    assert found("{{ nowhere }}") == []
    assert found(None) == []


HASHES = [
    "md5" + "0123456789abcdef" * 2,
    "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2Fs$" + "A" * 43 + "=:" + "B" * 43 + "=",
]


def said(value: str, **options: t.Any) -> list[dict[str, str]]:
    templar = Templar(loader=DataLoader(), variables={"p": value})
    found: list[dict[str, str]] = LookupModule(loader=DataLoader(), templar=templar).run(
        ["p"], variables={"p": value}, **options
    )
    return found


@pytest.mark.parametrize("value", HASHES)
def test_what_postgresql_takes_for_a_hash(value: str) -> None:
    (told,) = said(value, hashed=["p"])
    assert told["name"] == "p"
    assert "form of a hash" in told["problem"]
    assert value not in str(told)
    # Redis has no such form.
    assert said(value, hashed=["q"]) == []


@pytest.mark.parametrize("value", ["md5", HASHES[0].upper(), HASHES[0] + "0", HASHES[0][:-1] + "g", HASHES[1] + "="])
def test_what_only_looks_like_a_hash(value: str) -> None:
    assert said(value, hashed=["p"]) == []
