"""The URL in Alembic's configuration: a placeholder, in whose place an env.py online meets what the file has."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import re
import typing as t

URL = "sqlalchemy.url"
# A percent sign, as every special character of a real password brings one: where env.py hands the URL to
# set_main_option, which takes it for the beginning of a variable, this fails before the migration does.
PLACEHOLDER_URL = "postgresql://preflight:pre%25flight@preflight.invalid/preflight"


def scheme_of(config: t.Any) -> str | None:
    """PostgreSQL's scheme with the driver that the file names, without one where it names none; None without a URL."""
    # The option may stand for a variable that is not set here.
    with contextlib.suppress(Exception):
        named = config.get_main_option(URL)
        if named is None:
            return None
        if re.fullmatch(r"postgresql\+\w+", scheme := named.partition("://")[0]):
            return str(scheme)
    return "postgresql"


def put(config: t.Any, scheme: str | None) -> None:
    """Write the placeholder with a scheme into a configuration; no URL at all for None."""
    if scheme is None:
        config.remove_main_option(URL)
    else:
        config.set_main_option(URL, (scheme + PLACEHOLDER_URL.removeprefix("postgresql")).replace("%", "%%"))


__all__ = ("PLACEHOLDER_URL", "put", "scheme_of")
