"""What can be said of a release's passwords before anything is asked: missing, a placeholder, or in the wrong place."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import re
import typing as t
from collections.abc import Collection, Mapping
from urllib.parse import quote

# What begins as this project's demo ones and the specification's do; and what people write for "later" or never think
# of: these words alone, with digits and signs around them. One that only begins with such a word is as good as any.
# Each before those with which it begins.
_WORD: t.Final = (
    "administrator|changethis|postgresql|production|changeme|changeit|password|postgres|default|example|letmein|staging"
    "|testing|change|passwd|please|qwerty|secret|unused|admin|fixme|redis|vault|demo|from|here|only|prod|root|test|this"
    "|todo|dev|the|it|me"
)
PLACEHOLDER: t.Final = re.compile(
    r"^(?:demo-only|dev-password|staging-password|prod-secret-from)"
    rf"|^(?>(?:{_WORD}|x++|\d{{1,8}}+(?!\d))[^a-z0-9]*+)+$|^<[^<>]*[a-z]{{3}}[^<>]*>$",
    re.IGNORECASE,
)

# Values of the chart and its subcharts that would carry a password, readable for everybody who may read the release.
IN_VALUES: t.Final = (
    "postgresql.auth.password",
    "postgresql.auth.postgresPassword",
    "postgresql.auth.replicationPassword",
    "redis.auth.password",
    "global.postgresql.auth.password",
    "global.postgresql.auth.postgresPassword",
    "global.redis.password",
)


# Names of variables that a program takes a secret from; TOKENIZER, MAX_TOKENS, CACHE_KEY and API_KEY_FILE are none.
_SECRET_NAME: t.Final = re.compile(
    r"(?i)(?:^|[_.-])(?:password|passwd|pwd|secret|token|credentials?|passphrase"
    r"|pgpassword|rediscli_auth|fernet_key|secret_key_base"
    r"|(?:api|access|secret|private|encryption|signing|auth|master|account|service|openai|anthropic|azure|gemini|mistral)[_-]?key)$"
)
# Keys of values that hold a secret themselves, and do not name where it is, as existingSecretPasswordKey does.
_SECRET_KEY: t.Final = re.compile(r"(?:^|[a-z\d_-])(?:[Pp]assword|[Pp]asswd|[Bb]indpw|[Pp]assphrase)$")
# Below these stand names of keys.
_NAMES: t.Final = ("existingSecretKeys", "secretKeys")
# A shorter one, or one that is a word, may stand among the values for another reason.
_LEAST: t.Final = 8
_ENVIRONMENTS: t.Final = ("env", "extraEnv", "extraEnvVars")
_LOGIN: t.Final = re.compile(
    r"://[^\s/:@]*:[^\s/@]+@|\bpassword\s+'[^']|^\s*(?:requirepass|masterauth)\s+\S"
    r"|-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY-----",
    re.IGNORECASE | re.MULTILINE,
)
# A shorter number of a variable that is called a secret switches or counts.
_LEAST_NUMBER: t.Final = 100_000


def problems(passwords: Mapping[str, str], values: Mapping[str, t.Any]) -> dict[str, list[str]]:
    """What stops a release with these passwords and values, nothing of a password among it.

    :param passwords: by the keys of the role's Secret, empty where there is none
    :param values: what the chart gets
    :return: `missing` and `placeholders` are keys of `passwords`, `in_values` paths in `values`
    """
    return {
        "missing": sorted(key for key in _needed(values) if not passwords.get(key)),
        "placeholders": sorted(key for key, value in passwords.items() if PLACEHOLDER.search(str(value))),
        "in_values": _in_values(passwords.values(), values),
    }


def _in_values(passwords: Collection[str], values: Mapping[str, t.Any]) -> list[str]:
    real = [str(one) for one in passwords if len(str(one)) >= _LEAST and not PLACEHOLDER.search(str(one))]
    known = {form for one in real for form in (one, quote(one, safe=""), _encoded(one))}
    found = [*(path for path in IN_VALUES if _at(values, path)), *_written(values), *_repeated(values, known)]
    return list(dict.fromkeys(found))


def _encoded(text: str) -> str:
    """As in the `data` of a Secret; guard refuses what cannot be encoded by its own name."""
    return base64.b64encode(text.encode(errors="surrogatepass")).decode()


def _repeated(values: t.Any, known: Collection[str], path: str = "") -> t.Iterator[str]:
    """Paths of texts in which one of the passwords stands, and of objects that are Secrets themselves."""
    if isinstance(values, Mapping):
        if values.get("kind") == "Secret" and (values.get("data") or values.get("stringData")):
            yield path
            return
        for key, value in values.items():
            yield from _repeated(value, known, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list | tuple):
        for number, value in enumerate(values):
            yield from _repeated(value, known, f"{path}[{number}]")
    elif isinstance(values, str) and any(one in values for one in known):
        yield path


def _written(values: t.Any, path: str = "", name: str = "") -> t.Iterator[str]:
    """Paths of texts that their own form or the name of their variable says are secret."""
    if isinstance(values, Mapping):
        inside = path.rpartition(".")[2] in _ENVIRONMENTS
        for key, value in values.items():
            called = str(values.get("name")) if key == "value" and "name" in values else str(key) if inside else ""
            yield from _written(value, f"{path}.{key}" if path else str(key), called)
    elif isinstance(values, list | tuple):
        for number, value in enumerate(values):
            yield from _written(value, f"{path}[{number}]")
    elif isinstance(values, int) and values >= _LEAST_NUMBER:
        if _SECRET_NAME.search(name):
            yield path
    elif isinstance(values, str) and values and path not in IN_VALUES:
        telling = _SECRET_NAME.search(name) and values.lower() not in {"true", "false"} and "$(" not in values
        parent, _dot, key = path.rpartition(".")
        given = not name and _SECRET_KEY.search(key) and parent.rpartition(".")[2] not in _NAMES
        if telling or given or _LOGIN.search(values):
            yield path


def _needed(values: Mapping[str, t.Any]) -> set[str]:
    """Keys of the role's own Secret; what an existing one must have is read from the manifests (references.py)."""
    needed = {"password", "postgres-password"}
    if _at(values, "redis.enabled", default=True) and _at(values, "redis.auth.enabled", default=True):
        needed.add("redis-password")
    if _at(values, "postgresql.architecture") == "replication":
        needed.add("replication-password")
    return needed


def _at(values: t.Any, path: str, default: t.Any = None) -> t.Any:
    for name in path.split("."):
        if not isinstance(values, Mapping) or name not in values:
            return default
        values = values[name]
    return values


__all__ = ("IN_VALUES", "PLACEHOLDER", "problems")
