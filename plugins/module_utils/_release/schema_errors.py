"""What Helm says of values that the schema of a chart refuses, in sentences: the key, what it must be, what was meant.

Helm prints what its validator says, github.com/santhosh-tekuri/jsonschema: a tree, with regular expressions in it.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection may import this.

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.nearest import nearest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._release.other_names import other_name

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping
    from pathlib import Path

Node = dict[str, t.Any]

SHOWN = 5
# One place of the values has few names, so a lower ratio than for a variable is enough.
_ALIKE = 0.6
_LINE = re.compile(r"^(?P<indent> *)- at '(?P<place>[^']*)': (?P<said>.*)$")
_CHART = re.compile(r"^(\S+):$")
_ADVICE = re.compile(r"\s*Use --debug flag to render out invalid YAML\s*$")
_GUARD = re.compile(r"execution error at \([^)]*\): ")
_TAKEN_AWAY = (
    ": leave it out of your values (null takes the chart's own settings away), and upgrade without --reuse-values"
    " (--reset-then-reuse-values knows the settings of a newer chart)"
)
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "object": "a group of keys",
    "array": "a list",
    "null": "nothing",
}


def explain(errors: str, schemas: Mapping[str, Node], values: Node) -> str:
    """Helm's reason on one line, without logins that a refused value holds; what it says of a schema is in sentences.

    :param errors: what helm complained of, as it printed it
    :param schemas: values.schema.json by the name of the chart, the first being the chart itself, the others its
        subcharts
    :param values: what it was given
    """
    reason = _ADVICE.sub("", re.sub(r"(?s)^.*?Error: ", "", errors))
    found: dict[tuple[str, ...], str] = {}
    main = chart = next(iter(schemas), "")
    alternatives = ""
    for line in reason.splitlines():
        if name := _CHART.match(line):
            chart = name[1]
        elif (item := _LINE.match(line)) and chart in schemas:
            if alternatives and item["indent"].startswith(alternatives):
                # What is said of each of several forms contradicts the others; the description has them all.
                continue
            alternatives = f"{item['indent']} " if _ALTERNATIVES.match(item["said"]) else ""
            refusal = Refusal(_parts(item["place"]), [] if chart == main else [chart], schemas[chart], values)
            for place, sentence in refusal.told(item["said"]):
                found.setdefault(place, sentence)
    if not found:
        return without_named(" ".join(_GUARD.sub("", reason).split()))
    more = len(found) - SHOWN
    said = [without_named(sentence) for sentence in list(found.values())[:SHOWN]]
    return "; ".join([*said, *([f"and {more} more"] if more > 0 else [])])


def read(folder: Path, chart: str, subcharts: t.Iterable[str]) -> dict[str, Node]:
    """The schemas of an assembled chart and of those of its subcharts that are folders, by their names."""
    files = {chart: folder} | {name: folder / "charts" / name for name in subcharts}
    return {
        name: json.loads(file.read_text(encoding="utf-8"))
        for name, file in ((name, where / "values.schema.json") for name, where in files.items())
        if file.is_file()
    }


def _parts(place: str) -> list[str]:
    """The keys of a JSON Pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in place.split("/")[1:]]


@dataclasses.dataclass(frozen=True)
class Refusal:
    """What the validator refused: the keys that lead there, in the values of the subchart `inside` or of the chart."""

    place: list[str]
    inside: list[str]
    schema: Node
    values: Node

    def told(self, said: str) -> t.Iterator[tuple[tuple[str, ...], str]]:
        """The places that a message of the validator is about, each with a sentence; none where others say more."""
        for form, tell in _FORMS:
            if match := form.match(said):
                for place, sentence in tell(self, match):
                    yield (*self.inside, *place), f"{'.'.join([*self.inside, *place]) or 'the values'} {sentence}"
                return
        yield (*self.inside, *self.place), f"{'.'.join([*self.inside, *self.place]) or 'the values'}: {said}"

    def form(self, place: list[str]) -> str:
        """What the schema says of a value there, as it goes on in a sentence; empty where it says nothing."""
        node = _at(self.schema, self.schema, place)
        first: Node = next(iter(node.get("anyOf") or node.get("oneOf") or []), {})
        text = str(node.get("description") or _resolved(self.schema, first).get("description") or "")
        return text[:1].lower() + text[1:]


Told = t.Iterator[tuple[list[str], str]]


def _nothing(_refusal: Refusal, _match: re.Match[str]) -> Told:
    yield from ()


def _unknown(refusal: Refusal, match: re.Match[str]) -> Told:
    for name in re.findall(r"'([^']*)'", match[1]):
        here = _at(refusal.schema, refusal.schema, refusal.place).get("properties", {})
        other = [] if refusal.inside else other_name(refusal.place, name)
        if other:
            yield [*refusal.place, name], f"does not exist: did you mean {'.'.join(other)}?"
            continue
        other = next(iter(_everywhere(name, refusal.schema, refusal.schema)), [])
        meant = nearest(name, here) or ("" if other else nearest(name, here, _ALIKE))
        found = [*refusal.place, meant] if meant else other
        asked = f": did you mean {'.'.join([*refusal.inside, *found])}?" if found else ""
        yield [*refusal.place, name], f"does not exist{asked}"


def _type(refusal: Refusal, match: re.Match[str]) -> Told:
    given, wanted = match[1], match[2].split(" or ")
    advice = ""
    if given == "string" and wanted[0] in {"integer", "number", "boolean"}:
        advice = " (write it without quotes)"
    elif wanted == ["string"] and given in {"number", "boolean"}:
        advice = " (put it in quotes)"
    elif wanted == ["string"] and (form := refusal.form(refusal.place)):
        advice = f": {form}"
    must = " or ".join(_TYPES.get(name, name) for name in wanted)
    yield refusal.place, f"must be {must}, not {_TYPES.get(given, given)}{advice}"


def _pattern(refusal: Refusal, match: re.Match[str]) -> Told:
    # Without a place it is the name of a key, of which the line before has told.
    if refusal.place:
        form = refusal.form(refusal.place)
        yield refusal.place, f"is '{match[1]}' and must be {form}" if form else f"cannot be '{match[1]}'"


def _limit(refusal: Refusal, match: re.Match[str]) -> Told:
    end = "least" if match[1] == "minimum" else "most"
    yield refusal.place, f"is {match[2]} and must be {match[3]} at {end}"


def _too_many(refusal: Refusal, match: re.Match[str]) -> Told:
    yield refusal.place, f"has {match[1]} keys and may have no more than {match[2]} of them together"


def _too_few(refusal: Refusal, match: re.Match[str]) -> Told:
    form = refusal.form(refusal.place)
    yield refusal.place, f"has {match[1]} keys and must have {match[2]} at least{f': {form}' if form else ''}"


def _missing(refusal: Refusal, match: re.Match[str]) -> Told:
    for name in re.findall(r"'([^']*)'", match[1]):
        place = [*refusal.place, name]
        node = _at(refusal.schema, refusal.schema, place)
        # A group of keys is there unless somebody took it away.
        advice = _TAKEN_AWAY if "properties" in node and not refusal.place[1:] else ""
        yield place, f"is missing{advice}"


def _name(refusal: Refusal, match: re.Match[str]) -> Told:
    # The validator's own path leads astray here.
    place = _path_of(match[1], refusal.values) or [match[1]]
    form = refusal.form(place[:-1])
    yield place, f"cannot be set there{f' ({form})' if form else ''}"


def _choice(refusal: Refusal, match: re.Match[str]) -> Told:
    yield refusal.place, f"must be one of {match[1]}"


def _constant(refusal: Refusal, match: re.Match[str]) -> Told:
    yield refusal.place, f"must be {match[1]}"


def _alternatives(refusal: Refusal, _match: re.Match[str]) -> Told:
    form = refusal.form(refusal.place)
    yield refusal.place, f"must be {form}" if form else "has none of the forms that it may have"


_ALTERNATIVES = re.compile(r"'(?:anyOf|oneOf)' failed")
_FORMS: t.Final[tuple[tuple[re.Pattern[str], t.Callable[[Refusal, re.Match[str]], Told]], ...]] = (
    (re.compile(r"validation failed|'not' failed|'allOf' failed"), _nothing),
    (re.compile(r"additional propert(?:y|ies) (.*) not allowed"), _unknown),
    (re.compile(r"got (\w+), want (.+)"), _type),
    (re.compile(r"'(.*)' does not match pattern "), _pattern),
    (re.compile(r"(minimum|maximum): got (\S+), want (\S+)"), _limit),
    (re.compile(r"maxProperties: got (\S+), want (\S+)"), _too_many),
    (re.compile(r"minProperties: got (\S+), want (\S+)"), _too_few),
    (re.compile(r"missing propert(?:y|ies) (.*)"), _missing),
    (re.compile(r"invalid propertyName '(.*)'"), _name),
    (re.compile(r"value must be one of (.*)"), _choice),
    (re.compile(r"value must be '(.*)'"), _constant),
    (_ALTERNATIVES, _alternatives),
)


def _at(schema: Node, node: Node, place: t.Sequence[str]) -> Node:
    """The schema of the value in a place, its references followed; empty where it is not described."""
    node = _resolved(schema, node)
    if not place:
        return node
    inner = node.get("properties", {}).get(place[0], node.get("additionalProperties"))
    if place[0].isdigit() and isinstance(node.get("items"), dict):
        inner = node["items"]
    return _at(schema, inner, place[1:]) if isinstance(inner, dict) else {}


def _resolved(schema: Node, node: Node) -> Node:
    reference = node.get("$ref", "")
    if not reference.startswith("#/"):
        return node
    target: t.Any = schema
    for part in _parts(reference[1:]):
        target = target[part]
    # What stands beside a reference is nearer to the key.
    return {**target, **node}


def _everywhere(name: str, schema: Node, node: Node, before: tuple[str, ...] = ()) -> t.Iterator[list[str]]:
    """The places of keys of this name, those further up first."""
    properties = _resolved(schema, node).get("properties", {})
    if name in properties:
        yield [*before, name]
    for key, inner in properties.items():
        yield from _everywhere(name, schema, inner, (*before, key))


def _path_of(name: str, values: t.Any) -> list[str]:
    """Where a key stands in the values."""
    if isinstance(values, dict):
        if name in values:
            return [name]
        for key, inner in values.items():
            if path := _path_of(name, inner):
                return [key, *path]
    return []


__all__ = ("explain", "read")
