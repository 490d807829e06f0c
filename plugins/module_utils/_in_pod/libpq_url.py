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


# What a host may be: a name, an address, a socket's folder. Anything else is the end of a password.
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+(%\w+)?|/[^@]*|")
_ENCODE = "percent-encode its user name and its password"


def parameters(url: str) -> dict[str, str]:
    """libpq's parameters of a URL, whose scheme is not looked at.

    libpq ends the login at the first @, and takes what follows for the host, which every message about it then names.

    :raises ValueError: libpq cannot read it, or would take a piece of the login for something that messages name; the
        words quote nothing secret
    """
    import psycopg
    from psycopg import conninfo

    rest = url.partition("://")[2]
    try:
        read = conninfo.conninfo_to_dict("postgresql://" + rest)
    except UnicodeDecodeError:
        # psycopg hands parameters on as text, and this error's own words quote a byte of the password.
        raise ValueError(f"its percent-encoded bytes are no UTF-8: {_ENCODE} as UTF-8") from None
    except psycopg.Error:
        raise ValueError(complaint(url)) from None
    found = {name: str(value) for name, value in read.items() if value is not None}
    if not all(not port or port.isdigit() for port in found.get("port", "").split(",")):
        raise ValueError(f"its port is no number: {_ENCODE}")
    hosts = f"{found.get('host', '')},{found.get('hostaddr', '')}".split(",")
    place = re.sub(r"^[^@/]*@", "", rest).partition("?")[0]
    if "@" in place or not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError(f"it cannot be read: {_ENCODE}")
    return found


def complaint(url: str) -> str:
    """What is wrong with a URL that libpq refused: a parameter that it does not know, else the encoding."""
    name = unknown_parameter(url)
    if name is None:
        return f"it cannot be read: {_ENCODE}"
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


__all__ = ("complaint", "parameters", "unknown_parameter")
