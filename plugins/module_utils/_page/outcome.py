"""The outcome of a run in a word, a level and a sentence. Pure functions over what the run says of itself."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

Level = t.Literal["good", "warn", "bad", "neutral"]
State = t.Literal["done", "failed", "not reached", "not chosen"]

# The steps in which a module of this collection checks something, and that module: the kind of its report.
MODULE_OF: t.Final = {"preflight": "migration_preflight", "verify": "connectivity_test", "soak": "release_soak"}
# The steps of the role; those of _READ_ONLY change nothing. A soak is shown where one began.
STEPS: t.Final = ("guard", "preflight", "credentials", "release", "verify")
_READ_ONLY = frozenset({"guard", "preflight"})
_MESSAGE_CHARACTERS = 600
_FAILED_WORDS = {"guard": "Stopped", "preflight": "Blocked", "verify": "Not verified", "soak": "Not passed"}


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of the run. `began` in seconds since 1970, `seconds` how long it took; None where it never began."""

    name: str
    state: State
    began: float | None = None
    seconds: float | None = None


@dataclasses.dataclass(frozen=True)
class Outcome:
    """`word` is for the eye, `sentence` for the reader, `level` for the colour."""

    level: Level
    word: str
    sentence: str


def steps_of(began: t.Mapping[str, float], ended: float, *, failed: bool) -> list[Step]:
    """Every step of the role, from the times at which those that ran began; with `failed` the last of them failed."""
    running = sorted(began.items(), key=lambda item: item[1])
    times = [start for _name, start in running] + [ended]
    ran = {
        name: Step(name, "done", start, round(max(0.0, end - start), 3))
        for (name, start), end in zip(running, times[1:], strict=True)
    }
    last = running[-1][0] if running else ""
    if failed and last:
        ran[last] = dataclasses.replace(ran[last], state="failed")
    names = [*STEPS, *(name for name in ran if name not in STEPS)]
    after = STEPS.index(last) if failed and last in STEPS else len(STEPS)
    return [ran.get(name, Step(name, "not reached" if names.index(name) > after else "not chosen")) for name in names]


def outcome(
    run: t.Mapping[str, t.Any], steps: t.Sequence[Step], reports: t.Mapping[str, t.Any], *, check_mode: bool
) -> Outcome:
    """The outcome of `run` (see the module's arguments) with its `reports` by kind."""
    subject = " in ".join(str(run[name]) for name in ("release", "environment") if run.get(name)) or str(run["host"])
    failed = next((step.name for step in steps if step.state == "failed"), None)
    if run.get("failure") is not None or failed is not None:
        # The task that stops the run repeats what the module said, with more words around it.
        kind = MODULE_OF.get(failed or "", "")
        # Only of a soak the task says what the module does not know: whether the release was rolled back.
        said = "" if failed == "soak" else reports.get(kind, {}).get("message")
        message = said or (run.get("failure") or {}).get("message") or ""
        return _failed(subject, failed or "", message, check_mode=check_mode)
    attention = _attention(reports)
    level: Level = "warn" if attention else "neutral" if check_mode else "good"
    if check_mode:
        would = "would change" if run.get("changed") else "would stay as it is"
        return Outcome(level, "Rehearsed", _join(f"Check mode changed nothing: {subject} {would}", attention))
    revision = (run.get("revision") or {}).get("after")
    numbered = f" (Helm revision {revision})" if revision else ""
    if not run.get("changed"):
        word, done = "Unchanged", f"{subject} was already as the inventory wants it, nothing was changed"
    elif (run.get("revision") or {}).get("before"):
        word, done = "Upgraded", f"{subject} was upgraded{numbered}"
    else:
        word, done = "Installed", f"{subject} was installed{numbered}"
    ran = {step.name for step in steps if step.state == "done"}
    if "release" not in ran:
        word, done = "Checked", f"Nothing was deployed: {subject} was looked at"
    verified = _verified(reports) if "verify" in ran else ", and was not verified" if "release" in ran else ""
    return Outcome(level, word, _join(f"{done}{verified}", attention))


def _failed(subject: str, step: str, message: str, *, check_mode: bool) -> Outcome:
    message = message.strip()
    if len(message) > _MESSAGE_CHARACTERS:
        message = message[:_MESSAGE_CHARACTERS].rstrip() + " …"
    if check_mode or step in _READ_ONLY:
        what = f"Nothing was changed: {step or 'the run'} stopped {subject}"
    elif step == "verify":
        what = f"{subject} is deployed, but did not pass its verification"
    elif step == "soak":
        what = f"{subject} was deployed, and did not pass its soak"
    elif step:
        what = f"{subject} failed in the step {step}"
    else:
        what = f"{subject} failed"
    return Outcome("bad", _FAILED_WORDS.get(step, "Failed"), _join(what, message or "The run's output says why"))


def _verified(reports: t.Mapping[str, t.Any]) -> str:
    pods = {item.get("pod") for item in reports.get("connectivity_test", {}).get("dependencies", ())}
    if not pods:
        return ", and passed its test"
    return (
        f", and its {len(pods)} pods reach what they need" if len(pods) > 1 else ", and its pod reaches what it needs"
    )


def _attention(reports: t.Mapping[str, t.Any]) -> str:
    """How many findings want a look; they did not stop the run because the policy let them through."""
    counts = dict.fromkeys(("fail", "unknown", "warn"), 0)
    for report in reports.values():
        for item in report.get("findings", ()):
            if item.get("severity") in counts and item.get("accepted") is None:
                counts[item["severity"]] += 1
    names = {"fail": ("failing finding", "failing findings"), "unknown": ("unknown", "unknowns"),
             "warn": ("warning", "warnings")}  # fmt: skip
    words = [f"{number} {names[name][number != 1]}" for name, number in counts.items() if number]
    if not words:
        return ""
    number = sum(counts.values())
    return (
        f"{' and '.join([', '.join(words[:-1]), words[-1]] if words[:-1] else words)} want{'s' * (number == 1)} a look"
    )


def _join(*sentences: str) -> str:
    kept = [sentence.strip() for sentence in sentences if sentence.strip()]
    return " ".join(sentence if sentence.endswith((".", "…")) else f"{sentence}." for sentence in kept)


__all__ = ("MODULE_OF", "STEPS", "Level", "Outcome", "State", "Step", "outcome", "steps_of")
