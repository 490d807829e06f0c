"""Values of a Secret's data, as texts. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64


def decoded(value: str) -> str:
    """The text of a value; what is no UTF-8 in it is replaced."""
    return base64.b64decode(value).decode("utf-8", "replace")


def encoded(text: str) -> str:
    """The value that holds a text."""
    return base64.b64encode(text.encode()).decode()


__all__ = ("decoded", "encoded")
