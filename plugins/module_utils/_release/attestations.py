"""What is attested of a published chart: how it was made (provenance), and what its images hold (bills of materials).

Each is an in-toto statement about the chart's digest, signed with the same key as the chart and kept in the registry
beside its signature. Neither has a time in it, so a second publication of the same content finds what is there.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import binascii
import json
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import Assembled, ChartError

Row = dict[str, t.Any]

CYCLONEDX: t.Final = "cyclonedx"
PROVENANCE: t.Final = "slsaprovenance1"
"""Types of predicates, as `cosign attest --type` names them."""

BUILD_TYPE: t.Final = "https://github.com/ai-platform/agent/publish_chart@v1"
BUILDER: t.Final = "https://github.com/ai-platform/agent/chart_publish"

_ORIGIN: t.Final = {
    "bitnami": "oci://registry-1.docker.io/bitnamicharts",
    "embedded": "https://github.com/ai-platform/agent/subcharts",
}


def provenance(assembled: Assembled, subcharts: str, archive: str, source: str) -> Row:
    """How the chart was made, as a predicate of SLSA 1.0 (https://slsa.dev/spec/v1.0/provenance).

    :param subcharts: where they come from, as `chart.CHOICES`
    :param archive: SHA-256 of the archive
    :param source: where the chart's own files come from, `git+https://...@<commit>`, empty where nobody said
    """
    materials: list[Row] = []
    if source:
        uri, _at, commit = source.rpartition("@")
        materials.append({"uri": uri, "digest": {"gitCommit": commit}})
    materials += [
        {"name": name, "uri": f"{_ORIGIN[subcharts]}/{name}", "annotations": {"version": version}}
        for name, version in sorted(assembled.subcharts.items())
    ]
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"chart": assembled.path.name, "subcharts": subcharts},
            "internalParameters": {"version": assembled.version, "archive": {"sha256": archive}},
            "resolvedDependencies": materials,
        },
        "runDetails": {"builder": {"id": BUILDER}},
    }


def bill(file: Path) -> Row:
    """A bill of materials from its file.

    :raises ChartError: it cannot be read, or is none of CycloneDX in JSON
    """
    try:
        read: t.Any = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChartError(f"The bill of materials {file} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ChartError(f"The bill of materials {file} is no JSON: write it with python -m dev.sbom.") from None
    if not isinstance(read, dict) or read.get("bomFormat") != "CycloneDX" or not read.get("components"):
        raise ChartError(
            f"The bill of materials {file} is none of CycloneDX, or lists nothing: write it with python -m dev.sbom."
        )
    return read


def predicates(printed: str) -> list[t.Any]:
    """What is attested already: the predicates in what `cosign verify-attestation` prints, an envelope (DSSE) a line.

    :raises ChartError: a line is no envelope
    """
    try:
        envelopes = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        statements = [json.loads(base64.b64decode(envelope["payload"])) for envelope in envelopes]
        return [statement["predicate"] for statement in statements]
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise ChartError("cosign verify-attestation printed no attestations that this collection can read.") from None


def bare(value: t.Any) -> t.Any:
    """A predicate without what is empty in it: cosign writes some fields that nobody gave, such as `metadata: {}`."""
    if isinstance(value, dict):
        kept = {key: bare(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner not in (None, "", [], {})}
    return [bare(inner) for inner in value] if isinstance(value, list) else value


__all__ = ("BUILD_TYPE", "CYCLONEDX", "PROVENANCE", "bare", "bill", "predicates", "provenance")
