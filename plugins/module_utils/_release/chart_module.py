"""chart_assemble: a chart assembled in the cache, and its manifests rendered where they are asked for."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm, published, schema_errors, waits
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import (
    CHOICES,
    Assembled,
    CacheError,
    ChartError,
    assemble,
)

Row = dict[str, t.Any]

CHART: t.Final = "ai-agent"
"""Name of the chart, as Helm says it in its messages."""

ARGUMENTS: t.Final[Row] = {
    "chart": {"type": "path"},
    "reference": {"type": "str"},
    "public_key": {"type": "path"},
    "cosign_binary": {"type": "path", "default": "cosign"},
    "plain_http": {"type": "bool", "default": False},
    "subcharts": {"type": "str", "required": True, "choices": list(CHOICES)},
    "subcharts_dir": {"type": "path"},
    "cache_dir": {"type": "path"},
    "helm_binary": {"type": "path", "default": "helm"},
    "release_name": {"type": "str"},
    "release_namespace": {"type": "str"},
    "timeout": {"type": "str"},
    "values": {"type": "dict"},
}

# Which of them go together.
CONSTRAINTS: t.Final[Row] = {
    "required_one_of": [("chart", "reference")],
    "required_if": [("subcharts", "embedded", ["subcharts_dir"])],
    "required_by": {
        "public_key": ["reference"],
        "values": ["release_name", "release_namespace"],
        "timeout": ["values"],
    },
}


def execute(params: Row, environment: t.Mapping[str, str], run_folder: Path) -> Row:
    """The result, a failed one where the chart does not take the values.

    :param environment: what helm gets besides its own
    :param run_folder: a folder that lasts as long as this run, where the user has none for a cache
    :raises ChartError: there is no chart, or `timeout` is no duration
    """
    assembled = _assembled(params, environment, run_folder)
    result: Row = {
        "changed": False,
        "path": str(assembled.path),
        "version": assembled.version,
        "digest": assembled.digest,
        "subcharts": assembled.subcharts,
    }
    if params["values"] is None:
        return result
    rendered = helm.template(params["helm_binary"], str(assembled.path), params, environment)
    if rendered.code:
        schemas = schema_errors.read(assembled.path, CHART, assembled.subcharts)
        said = schema_errors.explain(rendered.errors, schemas, params["values"]) or rendered.complaint
        complaint = without_named(said)
        words = f"The chart {result['version']} does not take the values: {complaint}"
        return result | {"failed": True, "msg": words, "complaint": complaint}
    return result | {"manifests": rendered.output} | _waits(params["timeout"], rendered.output)


def _waits(timeout: str | None, manifests: str) -> Row:
    if timeout is None:
        return {}
    try:
        return {"timeout_seconds": waits.seconds(timeout), "longest_wait_seconds": waits.longest(manifests)}
    except ValueError as error:
        raise ChartError(f"timeout: {error}.") from None


def _assembled(params: Row, environment: t.Mapping[str, str], run_folder: Path) -> Assembled:
    """A published chart, or the collection's own with its subcharts; from the user's cache, or from the run's folder.

    :raises ChartError: there is no chart, or the chosen cache cannot be written
    """
    folders = {name: params[name] and Path(params[name]) for name in ("subcharts_dir", "cache_dir")}

    def within(cache: Path | None) -> Assembled:
        if params["reference"]:
            return published.fetch(
                params["reference"],
                params["subcharts"],
                key=params["public_key"] and Path(params["public_key"]),
                cosign=params["cosign_binary"],
                cache=cache,
                helm=params["helm_binary"],
                plain_http=params["plain_http"],
                environment=environment,
            )
        return assemble(
            Path(params["chart"]),
            params["subcharts"],
            subcharts_dir=folders["subcharts_dir"],
            cache=cache,
            helm=params["helm_binary"],
        )

    try:
        return within(folders["cache_dir"])
    except CacheError:
        # A controller may run as an account whose home is missing or read-only. A folder that somebody chose must work.
        if folders["cache_dir"]:
            raise
        return within(run_folder / "charts")


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
