"""What chart/README.md shows: values that the chart takes, and options that helm knows."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from dev.documentation import PAGES, Block, Command, read
from tests.chart.conftest import Render

PAGE = "chart/README.md"
VALUES = [block for block in read(PAGE) if block.language == "yaml"]
HELM = [
    (command, words)
    for page in PAGES
    for block in read(page)
    for command in block.commands
    for words in command.words()
    if words[0] == "helm"
]


@pytest.mark.parametrize("block", VALUES, ids=lambda block: f"line {block.line}")
def test_values_that_are_shown_are_taken(render: Render, block: Block) -> None:
    assert render("prod", yaml.safe_load(block.text.replace("sha256:…", f"sha256:{0:064}"))).names("Deployment") == [
        "my-agent"
    ]


@pytest.mark.parametrize(("command", "words"), HELM, ids=lambda value: str(getattr(value, "line", "")))
def test_helm_knows_the_options(helm: str, command: Command, words: list[str]) -> None:
    told = subprocess.run([helm, words[1], "--help"], capture_output=True, text=True, check=True).stdout
    for option in (word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", told), f"{command.page}:{command.line}: {option}"


def test_there_is_something_to_look_at() -> None:
    assert len(VALUES) >= 3
    assert {words[1] for _, words in HELM} == {"install", "upgrade", "rollback", "uninstall", "test"}
