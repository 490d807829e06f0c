"""Secrets of servers that others made, which start with nothing that is easy to guess. They protect nothing here."""

from __future__ import annotations

import typing as t

CONTEXTFORGE: t.Final = {
    name: f"{name[:3]}-k7Qz!v2Xw9Lm#4TbYc8Rn@1HsPd6Gf$3JuEa5"
    for name in (
        "JWT_SECRET_KEY",
        "AUTH_ENCRYPTION_SECRET",
        "BASIC_AUTH_PASSWORD",
        "PLATFORM_ADMIN_PASSWORD",
        "DEFAULT_USER_PASSWORD",
    )
}

__all__ = ("CONTEXTFORGE",)
