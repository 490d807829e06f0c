"""Where the Alembic environment of an image is."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# As chart/files/alembic.ini: an env.py that sets up its logging by this file wants all of these sections.
_INI = """[alembic]
script_location = {place}
prepend_sys_path = .
path_separator = os
[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
level = WARNING
handlers =
"""


def own_ini() -> Path:
    """The configuration of an image: what ALEMBIC_CONFIG names, else alembic.ini of the working directory.

    An image without one, whose scripts the chart names (ALEMBIC_SCRIPT_LOCATION), gets one here as in its migration.
    """
    ini = Path(os.environ.get("ALEMBIC_CONFIG", "alembic.ini")).absolute()
    place = os.environ.get("ALEMBIC_SCRIPT_LOCATION")
    if place and not ini.is_file():
        ini = Path(tempfile.mkdtemp(prefix="alembic-")) / "alembic.ini"
        ini.write_text(_INI.format(place=place), encoding="utf-8")
    return ini


__all__ = ("own_ini",)
