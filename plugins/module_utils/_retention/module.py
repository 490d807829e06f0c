"""From the parameters of data_retention to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common import dependencies, files
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import all_printable
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import retention
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._retention import cluster
from ansible_collections.ai_platform.agent.plugins.module_utils._retention.findings import findings, freed, summary
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding

Row = dict[str, t.Any]
CONNECT_SECONDS = 10
# A message with all of them has to go through an exec session in one line.
MOST_KEYS = 1000
# A hundred years: PostgreSQL's times do not reach back to any number of days.
MOST_DAYS = 36500

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str"},
    "release_namespace": {"type": "str"},
    "database_url": {"type": "str", "no_log": True},
    "older_than_days": {"type": "float"},
    # Keys of rows, and no secret.
    "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "tables": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "table": {"type": "str", "required": True},
            "key": {"type": "str", "required": True, "no_log": False},
            "time": {"type": "str", "required": True},
            "parent": {"type": "str"},
            "parent_column": {"type": "str"},
        },
        "required_together": [["parent", "parent_column"]],
    },
    "batch": {"type": "int", "default": 100},
    "pause_ms": {"type": "int", "default": 50},
    "statement_timeout": {"type": "float", "default": 5.0},
    "max_seconds": {"type": "int", "default": 3600},
    "job_timeout": {"type": "int", "default": 60},
    "pull_timeout": {"type": "int", "default": 600},
    "report_path": {"type": "path"},
}

# Which of them go together: arguments of AnsibleModule.
CONSTRAINTS: t.Final[dict[str, t.Any]] = {
    "required_one_of": [["release_name", "database_url"]],
    "required_together": [["release_name", "release_namespace"]],
    "mutually_exclusive": [["release_name", "database_url"]],
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails: a key that was named and could not be deleted.

    :param params: the module's, and `check_mode`
    :raises FindingError: nothing could be deleted, or the session ended on the way
    """
    _check(params)
    dry, keys = bool(params["check_mode"]), list(params["keys"])
    request = {
        "tables": params["tables"],
        "days": params["older_than_days"],
        "keys": keys,
        "dry": dry,
        "batch": params["batch"],
        "pause_seconds": params["pause_ms"] / 1000,
        "statement_seconds": params["statement_timeout"],
        "max_seconds": params["max_seconds"],
        "connect_timeout": CONNECT_SECONDS,
    }
    answer, found = _on_cluster(params, request) if params["release_name"] else (_direct(params, request), [])
    found += findings(answer, dry=dry, named=bool(keys))
    result = _result(params, answer, found, dry=dry)
    files.write(params["report_path"], json.dumps(result, indent=1, default=str))
    failed = next((item for item in found if item.severity == "fail"), None)
    return result, failed.message if failed else None


def _check(params: Row) -> None:
    """:raises FindingError: `argument-invalid`: what is to be deleted is not said, or a figure is out of its range"""
    if bool(params["keys"]) == (params["older_than_days"] is not None):
        raise FindingError("argument-invalid", "Name either older_than_days or keys: what is to be deleted.")
    if params["older_than_days"] is not None and not 0 < params["older_than_days"] <= MOST_DAYS:
        raise FindingError("argument-invalid", f"older_than_days must be more than 0, and {MOST_DAYS} at most.")
    if len(params["keys"]) > MOST_KEYS:
        raise FindingError("argument-invalid", f"keys are {MOST_KEYS} at most in one run.")
    least = {"batch": 1, "pause_ms": 0, "statement_timeout": 0.1, "max_seconds": 1, "job_timeout": 1, "pull_timeout": 0}
    for name, value in least.items():
        if params[name] < value:
            raise FindingError("argument-invalid", f"{name} must be at least {value}.")


def _on_cluster(params: Row, request: Row) -> tuple[Row, list[Finding]]:
    dependencies.assert_libraries({"kubernetes": dependencies.CLUSTER["kubernetes"]})
    place = cluster.Place(
        params["release_name"], params["release_namespace"], params["job_timeout"], params["pull_timeout"]
    )
    return cluster.run(connect(params), place, request)


def _direct(params: Row, request: Row) -> Row:
    try:
        return retention.run(request, params["database_url"])
    except CollectorError as error:
        raise FindingError(error.id, error.message) from None
    except ModuleNotFoundError as error:
        words = f"The Python package {error.name} is missing; install requirements.txt for the module's interpreter."
        raise FindingError("library-missing", words) from None


def _result(params: Row, answer: Row, found: t.Sequence[Finding], *, dry: bool) -> Row:
    done = answer["done"]
    result: Row = {
        "changed": done["sessions"] > 0,
        "subject": f"{params['release_namespace']}/{params['release_name']}"
        if params["release_name"]
        else answer["where"],
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "dry_run": dry,
        "cutoff": answer["cutoff"],
        "named": list(params["keys"]),
        "absent": done["absent"],
        "sessions": done["sessions"],
        "rows": {name: done["rows"].get(name, 0) for name in answer["tables"]},
        "beside": done["beside"],
        "bytes": freed(answer),
        "batches": done["batches"],
        "longest_ms": round(done["longest_seconds"] * 1000),
        "complete": not done["stopped"],
        "tables": answer["tables"],
        "findings": [item.as_dict() for item in found],
    }
    result["summary"] = summary(result)
    return t.cast("Row", all_printable(result))


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
