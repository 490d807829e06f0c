"""The database's URL: its plain form, its secrets, and the session options it may carry. Part of schema.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def plain_url(url: str) -> str:
    """Return `url` as libpq takes it, without SQLAlchemy's driver.

    :raises ValueError: it is no PostgreSQL URL
    """
    match = re.match(r"postgres(?:ql)?(?:\+\w+)?://", url)
    if not match:
        raise ValueError("DATABASE_URL is not a postgresql:// URL: check the Secret that the pod reads it from.")
    return "postgresql://" + url[match.end() :]


def secrets_of(url: str) -> frozenset[str]:
    """Return the forms in which the password of `url` could show up in a text; `url` itself where it is malformed."""
    try:
        encoded = urlsplit(url).password or ""
        queries = [value for name, value in parse_qsl(urlsplit(url).query) if name == "password"]
    except ValueError:
        return frozenset({url})
    return frozenset({encoded, unquote(encoded), quote(unquote(encoded), safe=""), *queries}) - {""}


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with every secret replaced, longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def child_environment(environ: Mapping[str, str], options: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the migration's environment: `environ` with PostgreSQL session options (name, value) added.

    An `options` parameter in the URL hides PGOPTIONS from libpq, so such a URL is extended instead. Options of the user
    come last and win. The scheme becomes one that SQLAlchemy knows.
    """
    added = " ".join(f"-c {name}={value}" for name, value in options)
    result = dict(environ)
    url = re.sub(r"^postgres(?=://|\+)", "postgresql", environ["DATABASE_URL"])
    if url != environ["DATABASE_URL"]:
        result["DATABASE_URL"] = url
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == "options" for name, _value in query):
        query = [(name, f"{added} {value}" if name == "options" else value) for name, value in query]
        result["DATABASE_URL"] = urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))
    else:
        result["PGOPTIONS"] = f"{added} {environ.get('PGOPTIONS', '')}".strip()
    return result
