"""What is remembered of each deployment for a later rollback: where its image's schema stands, and whom it would break.

Helm keeps what was deployed and nothing of the database, which a rollback leaves as it is. Pure: the ConfigMap of the
records is read and written by `rollback_module`.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Mapping, Sequence

Object = dict[str, t.Any]
Verdict = t.Literal["safe", "unsafe", "unknown"]

# The section "what breaks the version still running" of docs/runbook.md. An accepted finding breaks as well.
BREAKING = {
    "cached-plan",
    "conflict-target-dropped",
    "contract-phase",
    "destructive",
    "rename",
    "type-change",
    "use-unknown",
    "write-rejected",
}
# Why the heads of a first deployment are not known at first.
UNTOLD: t.Final = "its image told no revision"


@dataclasses.dataclass(frozen=True)
class Record:
    """One deployment.

    :param image: of the agent
    :param heads: where its image's migrations end, None where nobody asked
    :param breaks: what of its migrations an older version would stumble over, a phrase each, none where they were
        judged harmless; None where that is not known
    :param why: for what reason it is not known, else empty
    """

    image: str = ""
    heads: tuple[str, ...] | None = None
    breaks: tuple[str, ...] | None = None
    why: str = ""

    def text(self) -> str:
        """For the ConfigMap."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def name_of(release: str) -> str:
    """The ConfigMap of a release's records."""
    return f"{release}-deployments"


def key_of(revision: int) -> str:
    """The key of Helm's revision in it."""
    return f"revision-{revision}"


def read(data: Mapping[str, str]) -> dict[int, Record]:
    """The records of a ConfigMap's data; what somebody else wrote there is left out."""
    found = {}
    for key, text in data.items():
        number = key.removeprefix("revision-")
        try:
            content = json.loads(text)
            heads, breaks = content["heads"], content["breaks"]
            found[int(number)] = Record(
                str(content["image"]),
                None if heads is None else tuple(map(str, heads)),
                None if breaks is None else tuple(map(str, breaks)),
                str(content["why"]),
            )
        except (ValueError, KeyError, TypeError):
            continue
    return found


def of_preflight(result: Object, image: str) -> Record:
    """What a preflight's result says of the deployment that follows it.

    :param result: of migration_preflight, empty where it was left out
    """
    if "verdict" not in result:
        return Record(image, why="no preflight judged its migrations")
    heads = tuple(sorted(map(str, result.get("target_revisions") or ())))
    if not heads:
        return Record(image, why=UNTOLD)
    if result.get("pending_unknown") or result.get("findings_omitted"):
        return Record(image, heads, why="what was pending could not be judged as a whole")
    pending = int(result.get("pending_count") or 0)
    findings = result.get("findings") or ()
    breaks = tuple(sorted({_phrase(each) for each in findings if each["id"] in BREAKING})) if pending else ()
    unknown = sorted({each["id"] for each in findings if each["severity"] == "unknown"} - BREAKING)
    if pending and unknown and not breaks:
        return Record(image, heads, why=f"the preflight could not know all of its migrations ({', '.join(unknown)})")
    return Record(image, heads, breaks)


def inherited(data: Mapping[str, str], revision: int, image: str) -> Record | None:
    """The record of a deployment that no preflight judged, such as a rotation's; None where it is not known.

    The same image has the same migrations, and they ran with the deployment before.

    :param data: of the ConfigMap
    """
    before = read(data).get(revision - 1)
    if before is None or before.heads is None or before.image != image:
        return None
    return Record(image, before.heads, ())


def learned(data: Mapping[str, str], revision: int, result: Object) -> dict[str, str]:
    """What the preflight of a deployment tells of the one before: a first one has no server that could be asked.

    The schema that it meets is the one to which the deployment before led, and that one met no older version, so it
    broke none.

    :param data: of the ConfigMap
    :param revision: the deployment that follows this preflight
    :return: data that takes the place of older data
    """
    before = read(data).get(revision - 1)
    live = tuple(sorted(map(str, result.get("live_revisions") or ())))
    if before is None or before.why != UNTOLD or not live or result.get("state") not in {"behind", "current"}:
        return {}
    return {key_of(revision - 1): Record(before.image, live, ()).text()}


def _phrase(each: Object) -> str:
    table = f" on {each['table']}" if each.get("table") else ""
    revision = f" by revision {each['revision']}" if each.get("revision") else ""
    return f"{each['id']}{table}{revision}"


def schema(number: int, records: Mapping[int, Record], live: Sequence[str] | None) -> tuple[Verdict, str]:
    """Whether the version of a revision can work with the live schema, and why. A rollback never changes the schema.

    :param live: rows of the version table, None where the database was not asked
    """
    own = records.get(number)
    if live is None:
        return "unknown", "the live schema is not known"
    if own is None or own.heads is None:
        why = f" ({own.why})" if own and own.why else ""
        return "unknown", f"where its schema stands was not recorded when it was deployed{why}"
    if set(own.heads) == set(live):
        return "safe", f"its schema is the live one ({_words(live)})"
    reached, wanted = _first(records, live), _first(records, own.heads)
    if reached is None or wanted is None:
        return "unknown", f"no record says how the live schema ({_words(live)}) came about"
    if reached < wanted:
        missing = f"the live schema ({_words(live)}) is older than the one it waits for ({_words(own.heads)})"
        return "unsafe", f"{missing}, and a rollback migrates nothing"
    return _ahead([(later, records.get(later)) for later in range(wanted + 1, reached + 1)], live)


def _first(records: Mapping[int, Record], heads: Sequence[str]) -> int | None:
    """The deployment that first led to a schema. A rollback comes to an older version, and never to an older schema."""
    found = (number for number, each in records.items() if each.heads is not None and set(each.heads) == set(heads))
    return min(found, default=None)


def _ahead(later: Sequence[tuple[int, Record | None]], live: Sequence[str]) -> tuple[Verdict, str]:
    """The same for a version behind the live schema: what the deployments after it did until it was as it is."""
    breaks: list[str] = []
    ahead = f"the live schema ({_words(live)})"
    for number, record in later:
        if record is None or record.heads is None:
            return "unknown", f"what revision {number} did to the schema was not recorded"
        if record.breaks is None:
            return "unknown", f"whether the migrations of revision {number} break it is not known: {record.why}"
        breaks += [f"{phrase} (revision {number})" for phrase in record.breaks]
    if breaks:
        return "unsafe", f"{ahead} breaks it: {'; '.join(breaks)}"
    return "safe", f"{ahead} is ahead, and what was added breaks no older version"


def _words(revisions: Sequence[str]) -> str:
    return ", ".join(sorted(revisions)) or "empty"


__all__ = (
    "BREAKING",
    "Record",
    "Verdict",
    "inherited",
    "key_of",
    "learned",
    "name_of",
    "of_preflight",
    "read",
    "schema",
)
