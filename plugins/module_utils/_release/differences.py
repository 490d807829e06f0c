"""In which fields two states of a Kubernetes object differ, for a person to read: secrets hidden, texts short. Pure."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import HIDDEN, without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Callable, Iterator

Object = dict[str, t.Any]
# Takes what is known as secret out of a text.
Redact = t.Callable[[str], str]

# Written by the API server and by controllers; no manifest changes them.
_SERVERS_OWN: t.Final = frozenset(
    {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink", "deletionTimestamp"}
)
# `kubectl apply` keeps a copy of the whole object in it, of a Secret too; `kubectl rollout` counts.
_COPIES: t.Final = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})
_REVISION: t.Final = "deployment.kubernetes.io/revision"
# What tells the members of a list from one another, the first that does so. Kubernetes' own lists are merged by these
# (`patchMergeKey` and `listMapKey` of its types).
_KEYS: t.Final = ("name", "mountPath", "containerPort", "port", "key", "ip", "topologyKey", "type")
_SECRET_DATA: t.Final = (".data", ".stringData")
# Characters of a value, lines of a text.
_LONG, _LINES = 100, 12


@dataclasses.dataclass(frozen=True)
class Difference:
    """One field: as it is and as it would be, None where it is not there.

    :param lines: instead of both, of a text of several lines: those that go (-) and those that come (+)
    """

    path: str
    before: str | None
    after: str | None
    lines: tuple[str, ...] = ()

    @property
    def said(self) -> list[str]:
        """Lines for a person."""
        if self.lines:
            return [f"{self.path}:", *(f"  {line}" for line in self.lines)]
        if self.before is None:
            return [f"{self.path}: + {self.after}"]
        if self.after is None:
            return [f"{self.path}: - {self.before}"]
        return [f"{self.path}: {self.before} -> {self.after}"]


def differences(before: Object, after: Object, redact: Redact) -> list[Difference]:
    """The fields in which the objects differ, in the order of `after`.

    Values of a Secret, and those whose place or content says that they are secret, are never among them.

    :param redact: takes what is known as secret out of a text
    """
    one, other = (_comparable(item) for item in (before, after))
    hide = _hides(after or before)
    found: list[Difference] = []
    for path, old, new in _walk(one, other, ""):
        found.append(_difference(path, old, new, hide, redact))
    return found


def text_of(value: t.Any) -> str:
    """A value on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _comparable(item: Object) -> Object:
    metadata = {name: value for name, value in (item.get("metadata") or {}).items() if name not in _SERVERS_OWN}
    marks = {name: value for name, value in (metadata.get("annotations") or {}).items() if name not in _COPIES}
    # The controller of Deployments counts in it.
    marks.pop(_REVISION, None)
    metadata["annotations"] = marks
    kept = {name: value for name, value in item.items() if name not in {"status", "apiVersion", "kind"}}
    return kept | {"metadata": metadata}


class _Missing:
    """No value, where None is one."""


_MISSING: t.Final = _Missing()


def _empty(value: t.Any) -> bool:
    return value is _MISSING or value is None or value in ({}, [])


def _walk(one: t.Any, other: t.Any, path: str) -> Iterator[tuple[str, t.Any, t.Any]]:
    if one == other or (_empty(one) and _empty(other)):
        return
    if _mapping(one) and _mapping(other):
        one, other = ({} if _empty(side) else side for side in (one, other))
        for name in [*other, *(name for name in one if name not in other)]:
            yield from _walk(one.get(name, _MISSING), other.get(name, _MISSING), f"{path}{_spelled(name)}")
        return
    if isinstance(one, list) or isinstance(other, list):
        one, other = ([] if _empty(side) else side for side in (one, other))
    key = _key(one, other) if isinstance(one, list) and isinstance(other, list) else None
    if key is None:
        yield path, one, other
        return
    old, new = ({text_of(item[key]): item for item in side} for side in (one, other))
    for name in [*new, *(name for name in old if name not in new)]:
        if name in old and name in new:
            yield from _walk(old[name], new[name], f"{path}[{name}]")
        else:
            yield f"{path}[{name}]", old.get(name, _MISSING), new.get(name, _MISSING)
    both = [name for name in old if name in new]
    again = [name for name in new if name in old]
    if both != again:
        yield f"{path} (order)", ", ".join(both), ", ".join(again)


def _mapping(value: t.Any) -> bool:
    return isinstance(value, dict) or _empty(value)


def _key(one: list[t.Any], other: list[t.Any]) -> str | None:
    """By which field the members of both lists can be told from one another."""
    members = [*one, *other]
    if not members or not all(isinstance(item, dict) for item in members):
        return None
    for key in _KEYS:
        if all(len({text_of(item.get(key)) for item in side if key in item}) == len(side) for side in (one, other)):
            return key
    return None


def _spelled(name: str) -> str:
    return f".{name}" if re.fullmatch(r"[\w-]+", name) else f"[{json.dumps(name, ensure_ascii=False)}]"


def _hides(item: Object) -> Callable[[str], bool]:
    if item.get("kind") != "Secret":
        return lambda _path: False
    return lambda path: path.startswith(_SECRET_DATA)


def _difference(path: str, old: t.Any, new: t.Any, hide: Callable[[str], bool], redact: Redact) -> Difference:
    # Its members are told apart by what they hold.
    place = printable(redact(path))
    if hide(path) or (_named_secret(path) and any(isinstance(side, str) for side in (old, new))):
        return Difference(place, _hidden(old), _hidden(new))
    texts = [None if side is _MISSING else text_of(masked(side, redact)) for side in (old, new)]
    before, after = (None if text is None else printable(text) for text in texts)
    if any(text and "\n" in text for text in (before, after)):
        return Difference(place, None, None, _changed_lines(before or "", after or ""))
    if before is not None and before == after:
        # What differs was taken out of both.
        before, after = f"{before} (hidden)", f"{after} (hidden, another)"
    return Difference(place, *_short(before, after))


def _hidden(value: t.Any) -> str | None:
    return None if value is _MISSING else HIDDEN


def masked(value: t.Any, redact: Redact) -> t.Any:
    """A value without secrets: each text by itself, for in JSON a variable's name would call secret what follows it."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [masked(item, redact) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("value"), str) and secret_name(str(value.get("name", ""))):
        value = value | {"value": HIDDEN}
    return {
        name: HIDDEN if isinstance(item, str) and secret_name(name) else masked(item, redact)
        for name, item in value.items()
    }


_MEMBER = re.compile(r"\[([^\[\]]+)\]\.value$")
_LEAF = re.compile(r"(?:\.([\w-]+)|\[\"([^\"]+)\"\])$")


def _named_secret(path: str) -> bool:
    """Whether the field's own name, or that of the variable whose value it is, calls it secret."""
    if found := _MEMBER.search(path):
        return secret_name(found[1])
    leaf = _LEAF.search(path)
    return leaf is not None and secret_name(leaf[1] or leaf[2])


def secret_name(name: str) -> bool:
    """What without_named calls one; `secretName` and `secretKeyRef` say where one is, and it leaves them."""
    word = re.sub(r"\W", "_", name)
    return without_named(f'{word}="x0"') != f'{word}="x0"'


def _changed_lines(before: str, after: str) -> tuple[str, ...]:
    found = [
        line if len(line) <= _LONG else f"{line[:_LONG]}…"
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    if not found:
        return ("(hidden, or only the ends of lines)",)
    left = len(found) - _LINES
    return (*found[:_LINES], *((f"… and {left} lines more",) if left > 0 else ()))


def _short(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Both, cut where they are long, so that the first place in which they differ is still there."""
    texts = [text for text in (before, after) if text is not None]
    if all(len(text) <= _LONG for text in texts):
        return before, after
    same = 0
    if len(texts) == 2:
        same = next(
            (number for number, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]),
            min(map(len, texts)),
        )
    start = max(0, same - _LONG // 4)
    cut = [
        None
        if text is None
        else f"{'…' if start else ''}{text[start : start + _LONG]}{'…' if len(text) > start + _LONG else ''}"
        for text in (before, after)
    ]
    return cut[0], cut[1]


__all__ = ("Difference", "differences", "masked", "secret_name", "text_of")
