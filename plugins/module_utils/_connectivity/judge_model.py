"""What the endpoint of the model lists, and how long certificates are still good for. Pure functions over facts."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.model_causes import MODEL
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.pod_finding import PodFinding
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.records import phases

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.facts import Observation
    from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity.pod_finding import Thresholds


def model_answers(observation: Observation, name: str) -> t.Iterator[PodFinding]:
    """What the endpoint said in a list of its models."""
    if name != MODEL:
        return
    for item in phases(observation, dependency=name, phase="models"):
        facts = item["facts"]
        if not item["ok"] or facts.get("cut"):
            continue
        if facts.get("models") is None:
            words = f"{name}: {_place(facts)} answered 200 with something else than a list of models"
            yield PodFinding("model-answer-unfit", words, name, "models", "")
        elif facts.get("listed") is False:
            words = f"{name}: {_place(facts)} lists {facts['models']} models, and {facts['model']} is none of them"
            yield PodFinding("model-not-listed", words, name, "models", "")


def certificates(observation: Observation, name: str, limits: Thresholds) -> t.Iterator[PodFinding]:
    """The certificates that end soon. One that is past its end and was accepted all the same is a warning."""
    for item in phases(observation, dependency=name, phase="tls"):
        facts = item["facts"]
        if not item["ok"] or (left := facts.get("days_left")) is None:
            continue
        whole = f"{name}: the certificate of {_place(facts)}"
        if left <= 0:
            words = f"{whole} ended on {facts['not_after']}; this connection does not verify it"
            yield PodFinding("certificate-expired", words, name, "tls", "", "warn")
        elif left < (least := min(float(limits.certificate_days), facts["lifetime_days"] / 3)):
            words = f"{whole} ends in {left:.1f} days, on {facts['not_after']}; {least:.0f} should be left"
            yield PodFinding("certificate-expires", words, name, "tls", "")


def _place(facts: t.Mapping[str, t.Any]) -> str:
    return ", ".join(facts.get("asked", ()))


__all__ = ("certificates", "model_answers")
