"""The source of a module of this collection, wherever it was loaded from: a file, a module's payload, a collection."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.util


def source(name: str) -> str:
    """Source of the module with this full name, which is not imported: it may need what only another Python has."""
    spec = importlib.util.find_spec(name)
    text: str | bytes = spec.loader.get_source(spec.name)  # type: ignore[union-attr]
    # importlib says str; Ansible's loader of collections gives what the file holds.
    return text if isinstance(text, str) else text.decode()


__all__ = ("source",)
