"""From the parameters of image_contract to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies, files
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import judge, report, trial
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.place_cluster import ClusterPlace, Times
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.plan import PATHS, Plan, plan
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._contract.facts import Facts

Row = dict[str, t.Any]

ARGUMENTS: t.Final[Row] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "namespace": {"type": "str", "required": True},
    # The chart makes passwords of its own for this namespace.
    "manifests": {"type": "str", "required": True, "no_log": True},
    "values": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "tools_image": {"type": "str", "default": ""},
    "request": {"type": "dict", "default": {}},
    "start_timeout": {"type": "float", "default": 300},
    "migration_timeout": {"type": "float", "default": 600},
    "away_seconds": {"type": "float", "default": 20},
    "report_path": {"type": "path"},
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails.

    :param params: the module's, and `check_mode`
    :raises FindingError: the throw-away namespace cannot be made, or does not work
    """
    dependencies.assert_libraries({"kubernetes": dependencies.CLUSTER["kubernetes"]})
    cluster = connect(params)
    if params["check_mode"] and not cluster.may("create", "namespaces", None):
        words = "The account may not make namespaces, and an image is tried in one of its own"
        raise FindingError("check-image-place", f"{words}: grant create and delete of namespaces.")
    made = plan(params["manifests"], params["secrets"])
    if made.missing:
        words = f"The values name {', '.join(made.missing)}, which the throw-away namespace does not have"
        raise FindingError("check-image-place", f"{words}: give it made-up ones in ai_agent_check_secrets.")
    if params["check_mode"]:
        return {"summary": [f"Image {made.image} would be tried in a new namespace {params['namespace']}."]}, None
    began = time.monotonic()
    times = Times(start=params["start_timeout"], migration=params["migration_timeout"])
    with ClusterPlace(cluster, params["namespace"], made, times, params["tools_image"]) as place:
        facts = trial.run(place, _target(made, params))
    return told(facts, params, time.monotonic() - began)


def told(facts: Facts, params: Row, seconds: float) -> tuple[Row, str | None]:
    """What is said of the facts: the result, and the sentence for which the module fails."""
    lines = judge.lines(facts, flat(params["values"]))
    full = report.report(facts, lines, seconds)
    files.write(params["report_path"], json.dumps(full, indent=1, ensure_ascii=False) + "\n")
    words = without_named(report.sentence(facts.image, lines))
    result = {
        "verdict": full["verdict"],
        "lines": full["lines"],
        "counts": full["counts"],
        "seconds": full["seconds"],
        "summary": [without_named(line) for line in report.table(lines)] + [words],
    }
    if full["verdict"] == "broken":
        return result | {"error_id": "image-contract"}, words
    return result, None


def _target(made: Plan, params: Row) -> trial.Target:
    return trial.Target(
        image=made.image,
        tool=made.tool,
        version_table=made.version_table,
        ledger=made.ledger,
        probes={name: made.probe(name) for name in PATHS},
        request=params["request"],
        away_seconds=params["away_seconds"],
    )


def flat(values: t.Mapping[str, t.Any], before: str = "") -> dict[str, t.Any]:
    """Values by their dotted names."""
    found: dict[str, t.Any] = {}
    for key, value in values.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and value:
            found |= flat(value, f"{name}.")
        else:
            found[name] = value
    return found


__all__ = ("ARGUMENTS", "execute", "flat", "told")
