"""What a run wrote down in an annotation of a Secret, as JSON: a frozen dataclass of texts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

Object = dict[str, t.Any]
Record = t.TypeVar("Record")


def text_of(record: t.Any) -> str:
    """A dataclass as the annotation has it, without its empty fields."""
    return json.dumps({name: value for name, value in dataclasses.asdict(record).items() if value})


def read(secret: Object | None, annotation: str, kind: type[Record], cure: str) -> Record | None:  # noqa: UP047 - Python 3.11
    """The record; None where there is no such annotation.

    :param secret: the object, None where it is not there
    :param kind: a dataclass, all of whose fields are texts
    :param cure: what to do about an annotation that is none, as the end of a sentence
    :raises FindingError: `rotation-record`: somebody wrote something else into it
    """
    metadata = (secret or {}).get("metadata") or {}
    text = (metadata.get("annotations") or {}).get(annotation)
    if not text:
        return None
    names = [field.name for field in dataclasses.fields(t.cast("t.Any", kind))]
    try:
        told = dict(json.loads(text))
        return kind(**{name: str(told[name]) for name in names if name in told})
    except (ValueError, TypeError):
        where = f"The annotation {annotation} of Secret {metadata.get('namespace')}/{metadata.get('name')}"
        raise FindingError("rotation-record", f"{where} is not what a rotation writes: {cure}") from None


def now() -> str:
    """The time as a record has it: UTC in ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


__all__ = ("now", "read", "text_of")
