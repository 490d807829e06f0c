"""The name that somebody meant who typed another one."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.

from __future__ import annotations

import difflib
import typing as t

# A letter missing, doubled, changed, or two of them swapped in a name of six and more.
_ALIKE = 0.75


def nearest(name: str, known: t.Iterable[str], alike: float = _ALIKE) -> str:
    """The one of `known` that is most like `name`, empty where none is.

    :param alike: the lowest difflib ratio that counts as a match, 0 to 1
    """
    candidates = {item.lower(): item for item in known}
    found = difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=alike)
    return candidates[found[0]] if found else ""


__all__ = ("nearest",)
