"""release_plan: says what a deployment would change, before it does, and whether it still is what was planned."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.files import write
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import HIDDEN, without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.spellings import pattern
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect, namespace_exists
from ansible_collections.ai_platform.agent.plugins.module_utils._release import leased_helm, plan, plan_look, plan_text
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.differences import Redact

Row = dict[str, t.Any]

# What stands for an id that is made anew by each run, so that two plans of the same are the same.
_NEW_ID: t.Final = "(a new id)"
_SHOWN: t.Final = 10

ARGUMENTS: t.Final[Row] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "chart": {"type": "path", "required": True},
    "chart_version": {"type": "str", "required": True},
    "values_file": {"type": "path", "required": True},
    "helm_binary": {"type": "path", "default": "helm"},
    "helm_runs": {"type": "bool", "default": True},
    "taken": {"type": "list", "elements": "dict", "default": []},
    "secret": {"type": "dict", "no_log": False},
    "new_id": {"type": "str", "default": ""},
    "preflight": {"type": "dict", "default": {}},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
    "earlier": {"type": "path"},
    "valid_hours": {"type": "float", "default": 24.0},
    "report_path": {"type": "path"},
    "text_path": {"type": "path"},
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails (None: it does not).

    :param params: the module's arguments
    :raises FindingError: Helm would refuse, an earlier plan cannot be read, the API server does not answer
    """
    earlier = _earlier(params["earlier"]) if params["earlier"] else None
    cluster = connect(params)
    name, namespace = params["release_name"], params["release_namespace"]
    there = namespace_exists(cluster, namespace) is not False
    taken = {(each["kind"], each["name"]) for each in params["taken"]}
    with leased_helm.of(params | {"lease": ""}, cluster) as helm:
        given = plan_look.Given(params["chart"], params["values_file"], params["helm_runs"])
        found = plan_look.look(cluster, helm, given, taken, there=there)
    objects = [item for state in found.states for item in (state.before, state.after) if item]
    secrets = plan_look.secrets_of(cluster, objects, namespace) if there else []
    known = plan.Circumstances(
        about={
            "release": name,
            "namespace": namespace,
            "cluster": cluster.address,
            "chart": f"ai-agent-{params['chart_version']}",
        },
        helm_runs=params["helm_runs"],
        taken=taken,
        secret=params["secret"],
        new_namespace=not there,
        preflight=params["preflight"],
    )
    made = plan.plan(found, known, _redact([*params["secrets"], *secrets], params["new_id"]), made=time.time())
    text = plan_text.page(made, params["report_path"] or "")
    write(params["report_path"], json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    write(params["text_path"], "\n".join(text) + "\n")
    result = {"changed": made["changes"], "plan": made, "summary": text, "sentence": plan_text.sentence(made)}
    result["diff"] = {"prepared": "\n".join(text) + "\n"}
    if earlier is None:
        return result, None
    return _compared(result, earlier, made, params)


def _redact(secrets: list[str], new_id: str) -> Redact:
    known = pattern(secrets)

    def redact(text: str) -> str:
        named = text.replace(new_id, _NEW_ID) if new_id else text
        return without_named(known.sub(HIDDEN, named))

    return redact


def _earlier(path: str) -> Row:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FindingError("plan-unreadable", f"The plan {path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise FindingError(
            "plan-unreadable", f"The plan {path} is no JSON; name the file that ends in plan.json."
        ) from None
    if not isinstance(found, dict) or found.get("kind") != plan.KIND or not isinstance(found.get("objects"), list):
        raise FindingError("plan-unreadable", f"{path} is no plan of playbooks/plan.yml.")
    if found.get("digest") != plan.digest(found):
        raise FindingError("plan-unreadable", f"The plan {path} was changed after it was made: make a new one.")
    return found


def _compared(result: Row, earlier: Row, now: Row, params: Row) -> tuple[Row, str | None]:
    hours = (now["made"] - earlier["made"]) / 3600
    found = plan.deviations(earlier, now)
    result |= {"deviations": found, "changed": False}
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        words = f"A deployment now would not do what plan {earlier['digest']} says: {'; '.join(found[:_SHOWN])}{more}."
        return result | {"error_id": "plan-differs"}, f"{words} Make a new plan and read it."
    if hours > params["valid_hours"]:
        words = f"Plan {earlier['digest']} is {hours:.0f} hours old, and {params['valid_hours']:g} are allowed"
        return result | {"error_id": "plan-expired"}, f"{words}: make a new one and read it."
    return result, None


__all__ = ("ARGUMENTS", "execute")
