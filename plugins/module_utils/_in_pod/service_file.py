"""Runs in a pod with the database's URL: the login for PostgreSQL's own programs, in a file that only the pod has."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

from .errors import CollectorError
from .session import database_url, parameters

SERVICE: t.Final = "live"


def service(url: str) -> str:
    """libpq's service file of a URL, of which the driver after `+` is left out.

    Source: https://www.postgresql.org/docs/current/libpq-pgservice.html

    :raises CollectorError: it is no URL of PostgreSQL
    """
    return f"[{SERVICE}]\n" + "".join(f"{name}={value}\n" for name, value in parameters(url).items())


def main(request: dict[str, t.Any]) -> None:
    """Write the file.

    :param request: `path`, in a folder that no other pod sees
    """
    try:
        text = service(database_url())
    except CollectorError:
        # Nothing of the URL may come into the log.
        raise SystemExit("DATABASE_URL of this pod is no URL of PostgreSQL") from None
    Path(request["path"]).write_text(text, encoding="utf-8")


__all__ = ("SERVICE", "main", "service")
