"""What there is to say of a deletion, or of one that was only counted. Pure: the program's answer goes in."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import size

Row = dict[str, t.Any]
# A table with more dead rows than this share, and nobody who would see to them, grows without need.
DEAD_SHARE = 0.2
DEAD_ROWS = 1000
_STOPPED = {
    "time": ("retention-unfinished", "its time was up"),
    "caller": ("retention-unfinished", "nobody waited for it any more"),
    "lock": ("retention-waited", "the tables were locked by somebody else, twenty times in a row"),
}


def findings(answer: Row, *, dry: bool, named: bool) -> list[Finding]:
    """The findings in the program's answer.

    :param named: keys were named, and age did not count
    """
    done = answer["done"]
    found = []

    def left(finding_id: str, words: str, severity: t.Literal["warn", "info"] = "warn") -> None:
        # Whoever asked for a session by its key waits for an answer; of old ones, the next run takes what is left.
        found.append(finding(finding_id, words, severity="fail" if named and not dry else severity))

    if stopped := _STOPPED.get(done["stopped"]):
        did = "counted" if dry else "deleted"
        left(stopped[0], f"Not all was {did}: {stopped[1]}; {done['sessions']} sessions until then.")
    if done["held"]:
        left(
            "retention-locked",
            f"{done['held']} sessions were left, because somebody else held a row of theirs.",
            "info",
        )
    if done["refused"]:
        words = f"{done['refused']} sessions were left, because a row elsewhere refers to them, or a trigger refused."
        left("retention-locked", words)
    if done["beyond"]:
        words = f"Some of them would have taken what is not theirs: {'; '.join(done['beyond'])}"
        left("retention-trigger", f"{words}. A trigger or a foreign key does that.")
    if done["large"]:
        words = f"{done['large']} sessions were left, because deleting one of them takes longer than a statement may."
        left("retention-large", words)
    if done["absent"]:
        found.append(finding("retention-absent", f"{len(done['absent'])} of the named keys are not there."))
    if answer["unindexed"]:
        words = f"No index begins with {', '.join(answer['unindexed'])}: each deletion reads the whole table."
        found.append(finding("retention-unindexed", words))
    if answer["triggers"]:
        words = f"{', '.join(answer['triggers'])} runs for each deleted row; what it keeps elsewhere is not deleted."
        found.append(finding("retention-trigger", words))
    if answer["changes"]:
        words = f"{', '.join(answer['changes'])} changes rows that stay where those go to which they refer."
        found.append(finding("retention-changes", words))
    if done["beside"]:
        each = (f"{n} {verb} in {name}" for name, rows in done["beside"].items() for verb, n in rows.items())
        found.append(finding("retention-changes", f"Beside these, triggers and foreign keys did: {', '.join(each)}."))
    if not answer["after_known"]:
        words = "What the tables hold afterwards is not known, because somebody locks one of them; it is as before."
        found.append(finding("retention-waited", words))
    return found + _debts(answer["tables"])


def _debts(tables: t.Mapping[str, Row]) -> list[Finding]:
    found = []
    for name, each in tables.items():
        after = each["after"]
        dead, rows = after["dead_rows"], after["dead_rows"] + after["live_rows"]
        if after["autovacuum"] or dead < max(DEAD_ROWS, DEAD_SHARE * rows):
            continue
        words = f"{name} has {dead} dead rows beside {after['live_rows']}, and autovacuum is off for it"
        found.append(
            finding("vacuum-due", f"{words}: its {size(after['bytes'])} do not shrink by themselves.", table=name)
        )
    return found


def freed(answer: Row) -> dict[str, int]:
    """About how many bytes of each table and its indexes become free for new rows: its share of the rows."""
    rows = answer["done"]["rows"]
    told = {}
    for name, each in answer["tables"].items():
        before = each["before"]
        number = rows.get(name, 0)
        told[name] = round(before["bytes"] * number / max(before["rows"], number, 1))
    return told


def summary(full: Row) -> list[str]:
    """The result in a few lines; the first one is the outcome in one sentence."""
    done, rows = full["sessions"], full["rows"]
    verb = "would be deleted" if full["dry_run"] else "deleted"
    what = " and ".join(f"{number} of {name}" for name, number in rows.items())
    age = f"older than {full['cutoff']}" if full["cutoff"] else "that were named"
    free = size(sum(full["bytes"].values()))
    lines = [f"{full['subject']}: {done} sessions {age} {verb} ({what}), about {free} become free for new rows."]
    if not full["dry_run"] and done:
        lines.append(
            f"In {full['batches']} transactions, of which none held a lock for longer than {full['longest_ms']} ms."
        )
    for name, each in full["tables"].items():
        after = each["after"]
        begins = f"autovacuum begins at {after['vacuum_begins_at']}" if after["autovacuum"] else "autovacuum is off"
        words = (
            f"{name}: {size(after['bytes'])}, {after['live_rows']} rows and {after['dead_rows']} dead ones; {begins}"
        )
        last = f", last on {after['last_autovacuum'][:19]}" if after["last_autovacuum"] else ""
        lines.append(f"{words}{last}.")
    return lines + [f"{item['severity']}: {item['message']} ({item['id']})" for item in full["findings"]]


__all__ = ("findings", "freed", "summary")
