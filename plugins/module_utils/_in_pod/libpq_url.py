"""Why libpq cannot read a URL of PostgreSQL, in words that quote nothing secret. Also of schema.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

# What other drivers call it, and SQLAlchemy's or an application's own settings.
_INSTEAD = {
    "ssl": "use sslmode",
    "sslcert_file": "use sslcert",
    "timeout": "use connect_timeout",
    "command_timeout": "use options=-c%20statement_timeout=…",
    "server_settings": "use options=-c%20name=value",
    "schema": "use options=-c%20search_path=…",
    "search_path": "use options=-c%20search_path=…",
    "currentschema": "use options=-c%20search_path=…",
    "pgbouncer": "leave it out",
    "driver": "leave it out",
}


def complaint(url: str) -> str:
    """What is wrong with a URL that libpq refused: a parameter that it does not know, else the encoding."""
    name = unknown_parameter(url)
    if name is None:
        return "it cannot be read: percent-encode its user name and its password"
    return f"libpq does not know its parameter {name}: {_INSTEAD.get(name.lower(), 'set that in the application')}"


def unknown_parameter(url: str) -> str | None:
    """The name of the first parameter in the URL that libpq does not know; None where there is none, or it is no name.

    A password with a question mark in it looks like parameters: nothing is named where an @ follows.
    """
    from psycopg import pq

    _before, _mark, query = url.partition("?")
    if "@" in query:
        return None
    known = {item.keyword.decode() for item in pq.Conninfo.get_defaults()}
    for part in query.split("&"):
        name = part.partition("=")[0]
        if name and name not in known:
            return name if re.fullmatch(r"[A-Za-z_]{1,40}", name) else None
    return None


def ports_are_numbers(ports: str) -> bool:
    """Whether each of libpq's ports, of which an empty one is the usual one, is a number."""
    return all(not port or port.isdigit() for port in ports.split(","))


__all__ = ("complaint", "ports_are_numbers", "unknown_parameter")
