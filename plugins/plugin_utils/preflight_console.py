"""`migration_preflight` as a program, for pre-commit and for whoever has no playbook.

    python -m ansible_collections.ai_platform.agent.plugins.plugin_utils.preflight_console --facts facts.json

Its options are those of the module, spelt with dashes. It judges the revisions of a folder; a release in a cluster is
judged by the module alone. It leaves with 0; with 1 where findings reach --fail-on; with 2 where there is no verdict.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
import os
import re
import sys
import typing as t
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.plugin_docs import read_docstring
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.execution import execute
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.options import CONSTRAINTS, OPTIONS

DOCUMENTED_IN = Path(__file__).parents[1] / "modules" / "migration_preflight.py"
# They are about a release in a cluster, or lists with reasons, which belong into an inventory.
WITHOUT: t.Final = frozenset(
    {
        "accept",
        "cluster_expected",
        "connections_needed",
        "job_timeout",
        "manifests",
        "pull_timeout",
        "release_name",
        "release_namespace",
        "trace_image",
        "trace_user",
        "trust_new_image",
    }
)
# Findings that say what was judged.
NOTES: t.Final = frozenset({"facts-age", "revisions-not-changed"})
# Secret, and so in the environment: everybody on a machine can read a program's arguments.
DATABASE_URL: t.Final = "database_url"


def main(words: t.Sequence[str] | None = None) -> int:
    """Judge, print the summary, and say how it ended.

    :param words: the arguments, by default those of this process
    :return: the exit code
    """
    given = vars(_parser().parse_args(words))
    variable = given.pop("database_url_from")
    params = {name: value for name, value in given.items() if value is not None}
    if "facts" not in params and os.environ.get(variable):
        params[DATABASE_URL] = os.environ[variable]
    checked = ArgumentSpecValidator(OPTIONS, **CONSTRAINTS).validate(params)
    if checked.error_messages:
        return _without_verdict("; ".join(checked.error_messages))
    if not params.keys() & {DATABASE_URL, "facts"}:
        return _without_verdict(f"what is to be judged against? Set {variable} to the database's URL, or give --facts.")
    try:
        result, problem = execute(dict(checked.validated_parameters))
    except FindingError as error:
        return _without_verdict(f"{error.message} ({error.id})")
    print("\n".join(result["summary"]))
    for item in result["findings"]:
        # The summary has complaints alone; what the verdict is of, has to be said beside it.
        if item["id"] in NOTES and item["severity"] == "info":
            print(f"  note  {item['message']}")
    if problem:
        print(printable(problem), file=sys.stderr)
    return 1 if problem else 0


def _without_verdict(words: str) -> int:
    print(f"no verdict: {printable(words)}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    described = read_docstring(str(DOCUMENTED_IN))["doc"]["options"]
    parser = argparse.ArgumentParser(
        prog="ai-agent-preflight",
        description="Judge pending Alembic migrations against the database that they will meet, and change nothing.",
        epilog="Exit code 0: passed. 1: findings reach --fail-on. 2: there is no verdict.",
    )
    for name, option in OPTIONS.items():
        if name not in WITHOUT and name != DATABASE_URL:
            flag = f"--{name.replace('_', '-')}"
            parser.add_argument(flag, dest=name, help=_first_sentence(described[name]), **_form(name, option))
    parser.add_argument(
        "--database-url-from",
        default="DATABASE_URL",
        metavar="VARIABLE",
        help="Environment variable that holds the database's URL, unless --facts is given. By default DATABASE_URL.",
    )
    return parser


def _form(name: str, option: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """How argparse takes an option of a module; without a default of its own, so that the module's holds."""
    if name == "alembic_dir":
        return {"default": ".", "metavar": "FOLDER"}
    if option["type"] == "bool":
        return {"action": argparse.BooleanOptionalAction, "default": None}
    if option["type"] == "list":
        return {"action": "append"}
    if option["type"] == "dict":
        return {"action": _Pairs, "metavar": "NAME=VALUE"}
    return {"choices": option.get("choices")}


class _Pairs(argparse.Action):
    """NAME=VALUE, once or more, as a dictionary."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: t.Any, *_: t.Any
    ) -> None:
        name, equals, value = str(values).partition("=")
        if not name or not equals:
            parser.error(f"{'/'.join(self.option_strings)}: write NAME=VALUE")
        setattr(namespace, self.dest, (getattr(namespace, self.dest) or {}) | {name: value})


def _first_sentence(option: t.Mapping[str, t.Any]) -> str:
    """Of an option's documentation, without Ansible's markup; a percent sign is argparse's own."""
    description = option["description"]
    text = description if isinstance(description, str) else description[0]
    plain = re.sub(r"\b[A-Z]\(([^)]*)\)", r"\1", text)
    return re.split(r"(?<=[.?])\s", plain)[0].replace("%", "%%")


__all__ = ("main",)

if __name__ == "__main__":
    raise SystemExit(main())
