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
from ansible_collections.ai_platform.agent.plugins.module_utils._common.redaction import without_named
from ansible_collections.ai_platform.agent.plugins.module_utils._common.words import printable
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.execution import execute
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.options import CONSTRAINTS, OPTIONS

DOCUMENTED_IN = Path(__file__).parents[1] / "modules" / "migration_preflight.py"
# Options that are about a release in a cluster, or lists with reasons, which belong into an inventory.
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
VARIABLE: t.Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_FLAG: t.Final = re.compile(r"--[a-z][a-z-]*", re.ASCII)


def main(words: t.Sequence[str] | None = None) -> int:
    """Judge, print the summary, and say how it ended.

    :param words: the arguments, by default those of this process
    :return: the exit code
    """
    given = vars(_parser().parse_args(words))
    variable = given.pop("database_url_from")
    if not VARIABLE.fullmatch(variable):
        return _without_verdict("--database-url-from wants the name of an environment variable, such as DATABASE_URL.")
    params = {name: value for name, value in given.items() if value is not None}
    if "facts" not in params and os.environ.get(variable):
        params[DATABASE_URL] = os.environ[variable]
    checked = ArgumentSpecValidator(OPTIONS, **CONSTRAINTS).validate(params)
    if checked.error_messages:
        return _without_verdict("; ".join(_unquoted(text, params) for text in checked.error_messages))
    if not params.keys() & {DATABASE_URL, "facts"}:
        return _without_verdict(f"what is to be judged against? Set {variable} to the database's URL, or give --facts.")
    try:
        result, problem = execute(dict(checked.validated_parameters))
    except FindingError as error:
        return _without_verdict(f"{error.message} ({error.id})")
    print(without_named("\n".join(result["summary"])))
    for item in result["findings"]:
        # The summary has complaints alone, so the subject of the verdict is printed beside it.
        if item["id"] in NOTES and item["severity"] == "info":
            print(f"  note  {without_named(item['message'])}")
    if problem:
        print(without_named(printable(problem)), file=sys.stderr)
    return 1 if problem else 0


def _without_verdict(words: str) -> int:
    print(f"no verdict: {without_named(printable(words))}", file=sys.stderr)
    return 2


def _unquoted(text: str, params: t.Mapping[str, t.Any]) -> str:
    """An error about an argument, without what was given for it: it may have been meant for another one."""
    values = [value for given in params.values() for value in _texts(given)]
    for value in sorted(values, key=len, reverse=True):
        for quoted in (repr(value), f"'{value}'", f'"{value}"', *([value] if "://" in value or "=" in value else ())):
            text = text.replace(quoted, "what was given")
    return text


def _texts(value: t.Any) -> list[str]:
    if isinstance(value, dict):
        return [text for name, inner in value.items() for text in (*_texts(name), *_texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) and value else []


class _Parser(argparse.ArgumentParser):
    """A parser whose errors name options and never values: one that was mistyped or misplaced may be secret."""

    def parse_args(self, args: t.Any = None, namespace: t.Any = None) -> t.Any:
        words = list(sys.argv[1:] if args is None else args)
        self._values = [part for word in words for part in (word, word.partition("=")[2]) if part]
        found, unknown = self.parse_known_args(words, namespace)
        if unknown:
            self.error(_about_unknown(unknown))
        return found

    def error(self, message: str) -> t.NoReturn:
        for value in sorted(self._values, key=len, reverse=True):
            message = message.replace(repr(value), "what was given")
        super().error(without_named(message))


def _about_unknown(words: t.Sequence[str]) -> str:
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    if "--database-url" in flags:
        return (
            "--database-url: everybody on this machine can read a program's arguments; set DATABASE_URL, or name"
            " another environment variable with --database-url-from"
        )
    named = [flag for flag in flags if _FLAG.fullmatch(flag)]
    return f"there is no option {', '.join(named)}" if named else "an argument stands behind no option"


def _parser() -> argparse.ArgumentParser:
    described = read_docstring(str(DOCUMENTED_IN))["doc"]["options"]
    parser = _Parser(
        prog="ai-agent-preflight",
        description="Judge pending Alembic migrations against the database that they will meet, and change nothing.",
        epilog="Exit code 0: passed. 1: findings reach --fail-on. 2: there is no verdict.",
        # A person who writes --database-url means a URL, not the name of a variable.
        allow_abbrev=False,
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
    """The first sentence of an option's documentation, without Ansible's markup; argparse needs % doubled."""
    description = option["description"]
    text = description if isinstance(description, str) else description[0]
    plain = re.sub(r"\b[A-Z]\(([^)]*)\)", r"\1", text)
    return re.split(r"(?<=[.?])\s", plain)[0].replace("%", "%%")


__all__ = ("main",)

if __name__ == "__main__":
    raise SystemExit(main())
