"""What the pages tell people to type: parsed as a reader sees it, and nothing in it that does not exist."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart_module import ARGUMENTS as CHART

from dev import documentation, run_documentation
from dev.documentation import PAGES, Block, blocks, problems, read
from lab import images
from lab.paths import ROOT

PAGE = """
Text with `file.py`:

```python
pass
```

<!-- not run: it needs
a person -->
```console
$ one \\
    two   # why
output
$ cd three && FOUR=4 four | five
```

```console
$ six
```
"""


def test_blocks_and_commands_are_found_in_their_order() -> None:
    first, second, third = blocks("page.md", PAGE)
    assert (first.language, first.file, first.line) == ("python", "file.py", 4)
    assert (second.reason, third.reason) == ("it needs a person", "")
    assert [command.text for command in second.commands] == [
        "one \\\n    two   # why",
        "cd three && FOUR=4 four | five",
    ]
    assert [command.line for command in second.commands] == [11, 14]
    assert [list(command.words()) for command in second.commands] == [
        [["one", "two"]],
        [["cd", "three"], ["four"], ["five"]],
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("```sh\nls\n```", "a block is sh; commands are console"),
        ("```console\nls\n```", "has none behind a $"),
        ("```console\n$ echo 'open\n```", "bash does not read it"),
        ("```console\n$ make nothing\n```", "the Makefile has no target nothing"),
        ("```console\n$ make chart SUBCHART=x\n```", "the Makefile knows no variable SUBCHART"),
        ("`make everything`", "the Makefile has no target everything"),
        ("```console\n$ ansible-playbook -i inventories/qa site.yml\n```", "there is no inventories/qa"),
        ("```console\n$ ansible-playbook --vault-idd x site.yml\n```", "ansible-playbook has no option --vault-idd"),
        ("```console\n$ ansible-vault encrypt --vault-pass x site.yml\n```", "encrypt has no option --vault-pass"),
        ("```console\n$ python -m dev.nothing\n```", "there is no module dev.nothing"),
        ("```console\n$ helm install a ./ai-agent-chart\n```", "there is no ./ai-agent-chart"),
        ("```console\n$ make chart\n$ cd build\n$ helm lint -f ai-agent-chart/values-qa.yaml\n```", "values-qa.yaml"),
        ("set `ai_agent_namespce`", "the role knows no variable ai_agent_namespce"),
        ("```yaml\na: [\n```", "the YAML does not load"),
        ("[there](docs/nowhere.md)", "the link to docs/nowhere.md leads nowhere"),
        ("[there](docs/runbook.md#nothing)", "docs/runbook.md has no heading nothing"),
    ],
)
def test_what_does_not_exist_is_named(text: str, sentence: str) -> None:
    assert sentence in " ".join(problems("README.md", text))


def test_what_the_page_makes_is_there_afterwards() -> None:
    text = "```console\n$ make chart\n$ cd build\n$ helm lint -f ai-agent-chart/values-dev.yaml ./ai-agent-chart\n```"
    assert problems("README.md", text) == []


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", "lab/README.md", "dev/README.md"])
def test_page_names_only_what_exists(page: str) -> None:
    assert problems(page, (ROOT / page).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_or_says_why_not(page: str) -> None:
    walked = {block.line for block in run_documentation.blocks_of(page)}
    for block in read(page):
        if block.commands:
            assert (block.line in walked) != bool(block.reason), f"{page}:{block.line}"


def test_something_is_run_of_each_page_that_has_commands() -> None:
    run = {page for page in PAGES if run_documentation.blocks_of(page)}
    assert run >= {"README.md", "chart/README.md", "docs/agent-image.md", "docs/how-to.md"}


# -- Ansible in the pages


def _values(page: str) -> list[Block]:
    return [block for block in read(page) if block.language == "yaml"]


@pytest.mark.parametrize(
    "page", ["roles/ai_agent/README.md", "docs/agent-image.md", "docs/how-to.md", "README.md", "docs/runbook.md"]
)
def test_variables_of_the_role_fit_its_specification(page: str) -> None:
    for block in _values(page):
        loaded = yaml.safe_load(block.text)
        if isinstance(loaded, dict) and all(name.startswith("ai_agent_") for name in loaded):
            result = ArgumentSpecValidator(documentation.specification()).validate(loaded)
            assert result.error_messages == [], f"{page}:{block.line}"


MODULES = (
    "chart_assemble",
    "connectivity_test",
    "database_backup",
    "data_retention",
    "deployment_report",
    "migration_preflight",
    "release_info",
    "release_uninstall",
)


def _arguments(module: str) -> dict[str, dict[str, object]]:
    """The argument specification that the module itself uses."""
    if module == "chart_assemble":
        return CHART
    from importlib import import_module

    base = "ansible_collections.ai_platform.agent.plugins."
    places = (
        f"modules.{module}",
        *(f"module_utils.{room}.module" for room in ("_preflight", "_connectivity", "_page", "_retention")),
        "module_utils._release.uninstall",
        "module_utils._database.module",
    )
    wanted = {"release_info": 0, "migration_preflight": 1, "connectivity_test": 2, "deployment_report": 3}
    wanted |= {"data_retention": 4, "release_uninstall": 5, "database_backup": 6}
    found = import_module(base + places[wanted[module]])
    arguments: dict[str, dict[str, object]] = found.ARGUMENTS
    return arguments


_LIKE: dict[str, object] = {"dict": {}, "list": [], "int": 1, "float": 1.0, "bool": True}


def _filled(given: dict[str, object], options: dict[str, dict[str, t.Any]]) -> dict[str, object]:
    """A task's arguments with something of the right type where only a run knows the value."""
    filled: dict[str, object] = {}
    for name, value in given.items():
        option = options.get(name, {})
        inner = option.get("options") or {}
        if isinstance(value, str) and "{{" in value:
            filled[name] = (option.get("choices") or [_LIKE.get(option.get("type", "str"), "x")])[0]
        elif inner and isinstance(value, dict):
            filled[name] = _filled(value, inner)
        elif inner and isinstance(value, list):
            filled[name] = [_filled(item, inner) for item in value]
        else:
            filled[name] = value
    return filled


def _complaints(module: str, given: dict[str, object]) -> list[str]:
    """What the module would say of these arguments."""
    specification = _arguments(module)
    messages: list[str] = ArgumentSpecValidator(specification).validate(_filled(given, specification)).error_messages
    return messages


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_a_module_fit_its_arguments(module: str) -> None:
    text = (ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8")
    (examples,) = re.findall(r'^EXAMPLES = r"""\n(.*?)"""', text, re.MULTILINE | re.DOTALL)
    seen = 0
    for task in _tasks(yaml.safe_load(examples)):
        for name, given in task.items():
            if name == f"ai_platform.agent.{module}":
                assert _complaints(module, given) == [], task.get("name")
                seen += 1
    assert seen


def _tasks(nodes: object) -> list[dict[str, t.Any]]:
    """All tasks, those of plays and blocks too."""
    found: list[dict[str, t.Any]] = []
    for node in nodes if isinstance(nodes, list) else []:
        inner = [
            task
            for key in ("tasks", "block", "rescue", "always", "pre_tasks", "post_tasks")
            for task in _tasks(node.get(key))
        ]
        found += inner or [node]
    return found


@pytest.mark.parametrize("page", PAGES)
def test_modules_on_a_command_line_get_arguments_that_they_know(page: str) -> None:
    for block in read(page):
        for command in block.commands:
            for words in command.words():
                if words[0] == "ansible" and "-m" in words:
                    module = words[words.index("-m") + 1].rpartition(".")[2]
                    given = parse_kv(words[words.index("-a") + 1])
                    assert given
                    assert _complaints(module, given) == [], f"{page}:{command.line}"


# -- Names that stand in several places


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_inventory_comments_name_what_make_images_pushes(environment: str) -> None:
    path = ROOT / f"inventories/{environment}/group_vars/all/main.yml"
    loaded = yaml.safe_load(run_documentation.uncommented(path.read_text(encoding="utf-8")))
    assert {"ai_agent_context", "ai_agent_kubeconfig", "ai_agent_subcharts", "ai_agent_images"} <= set(loaded)
    given = {name: value for name, value in loaded.items() if name in documentation.specification()}
    assert ArgumentSpecValidator(documentation.specification()).validate(given).error_messages == []
    named = {
        "/".join(filter(None, (image.get("registry"), image["repository"]))) + f":{image['tag']}"
        for image in loaded["ai_agent_images"].values()
    }
    pushed = {f"registry.example.com/team/{each.name}:{each.version}" for each in images.ALL}
    assert named == pushed - {f"registry.example.com/team/agent:{images.AGENT_NEXT.version}"}


def test_documented_image_has_the_versions_of_the_reference_agent() -> None:
    pinned = dict(
        line.split("==") for line in (ROOT / "images/agent/requirements.txt").read_text().split() if "==" in line
    )
    (dockerfile,) = (block.text for block in read("docs/agent-image.md") if block.language == "dockerfile")
    named = dict(re.findall(r"([A-Za-z]+)(?:\[binary\])?==([\d.]+)", dockerfile))
    assert named == {name: pinned[name] for name in named}
    assert set(named) == {"alembic", "fastapi", "psycopg", "redis", "SQLAlchemy", "uvicorn"}
