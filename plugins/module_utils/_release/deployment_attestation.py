"""deployment_attestation: what a deployment elsewhere proved of an image, bound to its digest and signed.

An environment before production deploys, verifies and attests what its report says; production deploys only what
that environment attested. The predicate is this collection's own, kept in the registry as an in-toto statement about
the image (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md).
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._release import facts, helm, look
from ansible_collections.ai_platform.agent.plugins.module_utils._release.attestations import predicates
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import ChartError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.cosign import Cosign

Row = dict[str, t.Any]

KIND: t.Final = "https://github.com/ai-platform/agent/deployment/v1"
"""Type of the predicate, as `cosign attest --type` takes it."""

ARGUMENTS: t.Final[Row] = {
    "state": {"type": "str", "required": True, "choices": ["attested", "verified"]},
    "manifests": {"type": "str"},
    "image": {"type": "str"},
    "report": {"type": "path"},
    "signing_key": {"type": "path"},
    "public_key": {"type": "path"},
    "environment": {"type": "str", "default": "staging"},
    "max_hours": {"type": "int", "default": 720},
    "plain_http": {"type": "bool", "default": False},
    "cosign_binary": {"type": "path", "default": "cosign"},
}
CONSTRAINTS: t.Final[Row] = {
    "mutually_exclusive": [("manifests", "image")],
    "required_if": [
        ("state", "attested", ["report", "signing_key"]),
        ("state", "verified", ["public_key"]),
        ("state", "verified", ["manifests", "image"], True),
    ],
}

_SECTION: t.Final = "docs/runbook.md#attestation-missing"
_DIGEST: t.Final = re.compile(r"(?P<name>[^\s@]+?)(?::[\w.-]+)?@(?P<digest>sha256:[0-9a-f]{64})")
_REPORT: t.Final = "ai_platform.agent/deployment/"
_STEPS: t.Final = ("preflight", "release", "verify")
_HOUR: t.Final = 3600.0


def by_digest(image: str) -> str:
    """The reference without its tag, ``registry/name@sha256:…``.

    :raises ChartError: it has no digest, so that what it names can change
    """
    found = _DIGEST.fullmatch(image)
    if found is None:
        raise ChartError(
            f"The image {image} is not named by its digest, and a tag can be moved: set ai_agent_images.agent.digest"
            f" to sha256:<64 hex digits> ({_SECTION})."
        )
    return f"{found['name']}@{found['digest']}"


def agent_image(manifests: str) -> str:
    """The image of the agent in a release's manifests.

    :raises ChartError: there is no Deployment of an agent in them
    :raises FindingError: they are no YAML
    """
    found = look.agent_of(facts.parse(manifests), None)
    if found is None:
        raise ChartError("The manifests have no Deployment of an agent, so there is no image to ask for.")
    return str(shared.agent_container(found["spec"]["template"]["spec"])["image"])


def predicate(report: Row) -> Row:
    """What is attested of the image that a deployment which went well deployed.

    :param report: the content of report.json
    :raises ChartError: it is none, of a check, of a deployment that did not go through, or of an image without digest
    """
    if not str(report.get("form")).startswith(_REPORT):
        raise ChartError("The report is none of a deployment: name the report.json that site.yml wrote.")
    run, said = report["run"], report["outcome"]
    deployed = str(((run.get("images") or {}).get("after") or {}).get("agent") or "")
    begun = {step["name"] for step in report["steps"] if step.get("began") is not None}
    missing = [step for step in _STEPS if step not in begun]
    if run.get("check_mode") or run.get("failure") or said["level"] == "fail" or missing:
        why = f"it had no {' and no '.join(missing)}" if missing else said["sentence"]
        raise ChartError(f"The deployment of {run.get('release')} is nothing to attest: {why.rstrip('.')}.")
    reports = {
        kind: {"verdict": each.get("verdict"), "counts": each.get("counts") or {}}
        for kind, each in sorted(report["reports"].items())
    }
    about = {name: run.get(name) for name in ("release", "namespace", "environment", "ended")}
    about |= {"chart": (run.get("chart") or {}).get("after") or "", "image": by_digest(deployed)}
    return about | {"outcome": said["word"], "level": said["level"], "reports": reports}


def judged(found: t.Sequence[Row], environment: str, max_hours: int, now: float) -> Row:
    """The newest attestation of an environment that is young enough.

    :param found: predicates that are signed, about the image
    :param max_hours: 0 for any age
    :param now: seconds since 1970
    :raises ChartError: there is none
    """
    own = [each for each in found if each.get("environment") == environment and _time(each)]
    if not own:
        others = sorted({str(each.get("environment")) for each in found} - {"None"})
        beside = f" (there is one of {' and '.join(others)})" if others else ""
        raise ChartError(f"no deployment in {environment} is attested{beside}")
    newest = max(own, key=_time)
    hours = (now - _time(newest)) / _HOUR
    if max_hours and hours > max_hours:
        raise ChartError(f"its deployment in {environment} is {hours:.0f} hours old, and at most {max_hours} count")
    if newest.get("level") == "fail":
        raise ChartError(f"its newest deployment in {environment} failed")
    return newest


def _time(found: Row) -> float:
    ended = found.get("ended")
    return float(ended) if isinstance(ended, int | float) and not isinstance(ended, bool) else 0.0


def execute(params: Row, environment: t.Mapping[str, str], *, check_mode: bool) -> Row:
    """The module's result.

    :raises ChartError: nothing can be attested; or nothing that counts is attested
    :raises FindingError: the manifests are no YAML
    """
    if params["state"] == "attested":
        made = predicate(_read(Path(params["report"])))
        changed = _cosign(params, made["image"], environment).attest(
            params["signing_key"], [(KIND, made)], only_ask=check_mode
        )
        return {"changed": changed, **_told(made["image"], made)}
    image = by_digest(params["image"] or agent_image(params["manifests"]))
    cosign = _cosign(params, image, environment)
    asked = cosign.ask_attested(params["public_key"], KIND)
    if asked.code == helm.NOT_FOUND:
        raise ChartError(f"There is no program {params['cosign_binary']}, which verifies attestations: install cosign.")
    try:
        found = _accepted(asked, params)
    except ChartError as error:
        raise ChartError(
            f"The image {image} is not deployed here: {error}. Deploy it in {params['environment']} and run"
            f" playbooks/attest.yml there ({_SECTION})."
        ) from None
    return {"changed": False, **_told(image, found)}


def _accepted(asked: helm.Ended, params: Row) -> Row:
    """What cosign verified, as far as it counts; its words are the same for none, another key and a silent registry."""
    if asked.code:
        words = asked.complaint.rstrip(".")[-300:]
        raise ChartError(f"the key {params['public_key']} accepts no attestation of it ({words})")
    return judged(predicates(asked.output), params["environment"], params["max_hours"], time.time())


def _cosign(params: Row, image: str, environment: t.Mapping[str, str]) -> Cosign:
    return Cosign(params["cosign_binary"], image, environment, plain_http=params["plain_http"])


def _read(file: Path) -> Row:
    try:
        read: t.Any = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChartError(f"The report {file} cannot be read: {error.strerror}.") from None
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise ChartError(f"The report {file} is no report: name the report.json that site.yml wrote.")
    return read


def _told(image: str, found: Row) -> Row:
    ended = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(_time(found)))
    verdicts = ", ".join(f"{kind}: {each.get('verdict')}" for kind, each in (found.get("reports") or {}).items())
    sentence = f"{image} was deployed in {found.get('environment')} on {ended} ({verdicts or 'no reports'})."
    return {"image": image, "attestation": found, "sentence": sentence}


__all__ = ("ARGUMENTS", "CONSTRAINTS", "KIND", "agent_image", "by_digest", "execute", "judged", "predicate")
