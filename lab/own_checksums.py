"""Checksums of a platform team's own (LAB_RELEASES), for files and images that are released under a name alone.

They stand in for what the lab knows or would ask a publisher. None of them switches a verification off: an entry is
always a SHA-256.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from lab import mirror
from lab.progress import LabError


def table() -> Mapping[str, str]:
    """``{address of a file, or name and tag of an image: 64 hex digits}``; empty without LAB_RELEASES.

    :raises LabError: the file of LAB_RELEASES cannot be read or says something else
    """
    name = os.environ.get("LAB_RELEASES", "")
    if not name:
        return {}
    try:
        # Every word stays a text: digits alone would become a number, and lose its zeros.
        content = yaml.load(Path(name).expanduser().read_text(), yaml.BaseLoader)  # noqa: S506 - it makes no objects
    except OSError as error:
        raise LabError(f"LAB_RELEASES={name} cannot be read ({error.strerror}): name a file of checksums") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise LabError(f"LAB_RELEASES={name} is no YAML: one line each, the address, a colon, the SHA-256") from None
    if not isinstance(content, dict):
        raise LabError(f"LAB_RELEASES={name} is no table: one line each, the address, a colon, the SHA-256")
    return {_key(str(key)): _hex(name, key, value) for key, value in content.items()}


def of(address: str) -> str:
    """The table's SHA-256 of a file or an image; empty where it has none."""
    return table().get(_key(address), "")


def image(reference: str) -> str:
    """*reference* by the table's digest where it has one, else as it is."""
    found = of(reference)
    return f"{reference.partition('@')[0]}@sha256:{found}" if found else reference


def demand_known(names: Iterable[str]) -> None:
    """Find a mistyped line before it leaves something unverified that somebody believes to be pinned.

    :param names: addresses and images that the lab takes
    :raises LabError: the table has another
    """
    known = [_key(name) for name in names]
    for key in table():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0)
            raise LabError(f"LAB_RELEASES names {key}, which the lab does not take: did you mean {near[0]}?")


def _key(name: str) -> str:
    return name if "://" in name else mirror.full_name(name).partition("@")[0]


def _hex(name: str, key: object, value: object) -> str:
    digits = str(value).removeprefix("sha256:").lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise LabError(f"LAB_RELEASES={name} has no SHA-256 for {key}: 64 hexadecimal digits are needed, not {value}")
    return digits
