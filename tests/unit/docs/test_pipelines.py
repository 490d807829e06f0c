"""The examples for pull requests: each calls the module as it is, and takes the database's URL from a secret alone."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.module import ARGUMENTS
from ansible_collections.ai_platform.agent.plugins.plugin_utils import preflight_console

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "docs/ci").glob("*.yml"))
VERSION = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]


def scripts(value: t.Any) -> t.Iterator[str]:
    """Every text in a document that calls the module."""
    if isinstance(value, str) and "ai_platform.agent.migration_preflight" in value:
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from scripts(inner)


def test_there_are_three() -> None:
    assert {path.stem for path in FILES} == {"github-actions", "gitlab-ci", "tekton"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_module_takes_what_it_is_given(path: Path) -> None:
    [script] = scripts(yaml.safe_load(path.read_text()))
    [words] = re.findall(r'-m ai_platform\.agent\.migration_preflight\s+(?:\\\s+)?-a "(.*?)"', script, re.DOTALL)
    given = parse_kv(words)
    assert not ArgumentSpecValidator(ARGUMENTS).validate(given).error_messages
    [variable] = re.findall(r"lookup\('env', '(\w+)'\)", given["database_url"])
    assert re.search(rf"^\s*(?:- name: )?{variable}(?:: \$\{{\{{ secrets\.|$)", path.read_text(), re.MULTILINE) or (
        f"{variable} is a masked variable" in path.read_text()
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_installs_the_artefact_of_this_version(path: Path) -> None:
    assert f"ai_platform-agent-{VERSION}.tar.gz" in path.read_text()


def test_the_hook_of_pre_commit_takes_what_it_is_given() -> None:
    [repository] = yaml.safe_load((ROOT / "docs/ci/pre-commit.yaml").read_text())["repos"]
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    [used] = repository["hooks"]
    assert (used["id"], repository["rev"]) == (hook["id"], VERSION)
    program, *always = hook["entry"].split()
    assert program == "ai-agent-preflight"
    given = preflight_console._parser().parse_args([*always, *used["args"]])
    assert (given.only_changed, given.facts, given.fail_on) == ("HEAD", "facts.json", "fail")
