"""The data of a release's Secret: its passwords, and the URLs that lead to its servers."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t
from urllib.parse import quote

Place = t.Mapping[str, t.Any]


def secret_data(passwords: t.Mapping[str, str], database: Place, cache: Place) -> dict[str, str]:
    """Keys of the Secret (design.md, "Names") with their values in base64, as in its `data`.

    passwords: by the Secret's keys, among them `password`, the agent's in PostgreSQL, and `redis-password`; empty ones
    are left out. database: user, host, port, name. cache: host, port. The migration has the agent's own URL.
    """
    # As in RFC 3986, section 2.1: every character that may end the password, a slash too, is encoded.
    database_url = (
        f"postgresql://{_quoted(database['user'])}:{_quoted(passwords.get('password', ''))}"
        f"@{database['host']}:{database['port']}/{_quoted(database['name'])}"
    )
    redis_url = f"redis://:{_quoted(passwords.get('redis-password', ''))}@{cache['host']}:{cache['port']}/0"
    urls = {"database-url": database_url, "migration-database-url": database_url, "redis-url": redis_url}
    plain = {name: value for name, value in passwords.items() if value} | urls
    return {name: base64.b64encode(value.encode()).decode() for name, value in plain.items()}


def _quoted(text: str) -> str:
    return quote(text, safe="")


__all__ = ("secret_data",)
