"""What the documentation tells people to type: its blocks in their order, and what reading alone finds wrong with them.

A block of language ``console`` holds commands, each behind ``$``, and what they print. `dev/run_documentation.py` runs
all of them, page by page and in the printed order, but for those under a mark with its reason::

    <!-- not run: it would make a cluster -->
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from markdown_it import MarkdownIt

from lab.paths import ROOT

PAGES = (
    *("README.md", "chart/README.md", "roles/ai_agent/README.md"),
    *("docs/agent-image.md", "docs/runbook.md", "docs/awx.md", "docs/agents.md", "docs/how-to.md"),
)
"""Pages for users. Their console blocks are run."""

COMMANDS = "console"
LANGUAGES = {COMMANDS, "dockerfile", "ini", "mako", "mermaid", "python", "sql", "text", "yaml"}
"""What a block may be. Another shell's name would hide commands from the run."""

_MARK = re.compile(r"^<!-- not run: (.+?) -->\s*$", re.DOTALL)
_NAME = re.compile(r"`([\w./-]*\w)`")
_SIMPLE = re.compile(r"^(?:&&|\|\||[;|&()<>]+)$")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
_VARIABLE = re.compile(r"\bai_agent_\w+")
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
# Whose options are looked up in their own help; helm's are in tests/chart, kubectl's and docker's by the run.
_HELPFUL = {"ansible", "ansible-playbook", "ansible-vault", "ansible-doc"}


@dataclass(frozen=True)
class Block:
    """A fenced block: `line` of its first line, `before` the paragraph above it, `reason` why it is not run."""

    page: str
    line: int
    language: str
    text: str
    before: str = ""
    reason: str = ""

    @property
    def file(self) -> str:
        """The file that the block is the content of: the last name in the sentence above it, if it looks like one."""
        names = [name for name in _NAME.findall(self.before) if "." in Path(name).name or name == "Dockerfile"]
        return names[-1] if names else ""

    @property
    def commands(self) -> list[Command]:
        """The commands of a console block, each with its line in the page."""
        return list(_commands(self)) if self.language == COMMANDS else []


@dataclass(frozen=True)
class Command:
    """One command, several lines where it goes on with a backslash."""

    page: str
    line: int
    text: str

    def words(self) -> Iterator[list[str]]:
        """The words of each simple command in it, without assignments before it and without comments."""
        lexer = shlex.shlex(self.text.replace("\\\n", " "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        simple: list[str] = []
        for word in [*lexer, ";"]:
            if _SIMPLE.match(word):
                while simple and re.match(r"\w+=", simple[0]):
                    simple.pop(0)
                if simple:
                    yield simple
                simple = []
            else:
                simple.append(word)


def blocks(page: str, text: str) -> list[Block]:
    """The fenced blocks of a page in their order."""
    found, before, reason = [], "", ""
    for token in MarkdownIt().parse(text):
        if token.type == "html_block":
            mark = _MARK.match(token.content)
            reason = " ".join(mark[1].split()) if mark else ""
        elif token.type == "inline":
            before, reason = token.content, ""
        elif token.type == "fence":
            line = (token.map or [0])[0] + 1
            found.append(Block(page, line, token.info.partition(" ")[0], token.content, before, reason))
            before, reason = "", ""
    return found


def read(page: str) -> list[Block]:
    """The fenced blocks of a page of this checkout."""
    return blocks(page, (ROOT / page).read_text(encoding="utf-8"))


def _commands(block: Block) -> Iterator[Command]:
    current: Command | None = None
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if current and current.text.endswith("\\"):
            current = replace(current, text=f"{current.text}\n{line}")
        elif line.startswith("$ "):
            if current:
                yield current
            current = Command(block.page, number, line.removeprefix("$ "))
    if current:
        yield current


def problems(page: str, text: str) -> list[str]:
    """What is wrong with the commands and names of a page, each in one sentence with its place."""
    found = []
    place = _Place()
    for block in blocks(page, text):
        where = f"{page}:{block.line}"
        if block.language not in LANGUAGES:
            found.append(f"{where}: a block is {block.language or 'of no language'}; commands are {COMMANDS}")
        if block.language == COMMANDS and not block.commands:
            found.append(f"{where}: a block of commands has none behind a $")
        for command in block.commands:
            wrong = list(_syntax(command.text)) or list(_command(command, place))
            found += [f"{page}:{command.line}: {sentence}" for sentence in wrong]
        found += [f"{where}: {sentence}" for sentence in _yaml(block)]
    return [*found, *(f"{page}: {sentence}" for sentence in _mentions(page, text))]


def _syntax(text: str) -> Iterator[str]:
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"bash does not read it: {done.stderr.strip().splitlines()[0]}"


@dataclass
class _Place:
    """Where the commands before have led to, and what they made."""

    folder: str = "."
    made: tuple[str, ...] = ()

    def path(self, word: str) -> str:
        """A word as a path from the root of the checkout."""
        return os.path.normpath(Path(self.folder, word))

    def exists(self, word: str) -> bool:
        """Whether a path is in the checkout, or one of those that the page has made."""
        path = self.path(word)
        if any(path == item or path.startswith(f"{item}/") for item in self.made):
            # What is assembled under build/ai-agent-chart has the chart's own files.
            inside = path.removeprefix("build/ai-agent-chart")
            return inside == path or (ROOT / "chart" / inside.lstrip("/")).exists()
        return bool(list(ROOT.glob(path)))


def _command(command: Command, place: _Place) -> Iterator[str]:
    for words in command.words():
        program, given = words[0], words[1:]
        if program == "make":
            yield from _make(given, place)
        elif program == "cd":
            place.folder = place.path(given[0])
        elif program in {"$EDITOR", "cp"}:
            place.made += tuple(place.path(word) for word in given[-1:])
        if program == "-m" or (program.endswith("python") and "-m" in given):
            module = given[given.index("-m") + 1]
            if module.split(".")[0] in {"dev", "lab", "tests", "benchmarks"} and not place.exists(
                module.replace(".", "/") + ".py"
            ):
                yield f"there is no module {module}"
        yield from _options(words)
        yield from (f"there is no {word}" for word in given if _is_path(word) and not place.exists(word.lstrip("@")))
        yield from _variables(" ".join(words))


def _make(given: Sequence[str], place: _Place) -> Iterator[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in given:
        name, equals, _ = word.partition("=")
        if not equals and name not in _TARGET.findall(makefile):
            yield f"the Makefile has no target {name}"
        if equals and f"$({name})" not in makefile and name not in (ROOT / "CONTRIBUTING.md").read_text("utf-8"):
            yield f"the Makefile knows no variable {name}"
    if "chart" in given:
        place.made += ("build/ai-agent-chart", "build")


def _is_path(word: str) -> bool:
    """Whether a word names a file of the checkout: by its first folder, or by its ending."""
    if re.search(r"[:={}$'\"]", word) or word.startswith(("/", "~", "-")):
        return False
    first = word.lstrip("@").partition("/")[0]
    inside = "/" in word and (first == "." or (ROOT / first).is_dir())
    return inside or word.endswith((".yml", ".yaml", ".txt", ".py", ".md", ".sh"))


def _options(words: Sequence[str]) -> Iterator[str]:
    if words[0] not in _HELPFUL:
        return
    action = words[1:2] if words[0] == "ansible-vault" else []
    text = output_of(words[0], *action, "--help")
    for option in (word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-zA-Z]", word)):
        if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text):
            yield f"{' '.join([words[0], *action])} has no option {option}"


@functools.cache
def output_of(*words: str) -> str:
    """What a program of this virtual environment prints."""
    program = Path(sys.executable).parent / words[0]
    return subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False).stdout


@functools.cache
def specification() -> dict[str, dict[str, object]]:
    """The role's variables by meta/argument_specs.yml, without their defaults, which only a run can fill in."""
    text = (ROOT / "roles/ai_agent/meta/argument_specs.yml").read_text(encoding="utf-8")
    options = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return {name: {key: item for key, item in each.items() if key != "default"} for name, each in options.items()}


def _variables(text: str) -> Iterator[str]:
    for name in dict.fromkeys(_VARIABLE.findall(text)):
        if name not in specification() and not name.endswith("_"):
            yield f"the role knows no variable {name}"


def _yaml(block: Block) -> Iterator[str]:
    if block.language != "yaml":
        return
    try:
        yaml.safe_load(block.text)
    except yaml.YAMLError as error:
        yield f"the YAML does not load: {' '.join(str(error).split())}"


def _mentions(page: str, text: str) -> Iterator[str]:
    """Names in the prose: variables of the role, make's targets, links."""
    yield from _variables(re.sub(r"vault_ai_agent_\w+|\bai_agent_\w+\*|ai_platform\.agent\.\w+", "", text))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in dict.fromkeys(re.findall(r"`make ([a-z][a-z-]*)", text)):
        if target not in _TARGET.findall(makefile):
            yield f"the Makefile has no target {target}"
    for path, anchor in _LINK.findall(text):
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists():
            yield f"the link to {path} leads nowhere"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"{path or page} has no heading {anchor}"


def anchors(text: str) -> set[str]:
    """The names by which GitHub links to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
