"""Every command of a page, run in the printed order on the lab: ``python -m dev.run_documentation PAGE``.

A page is run in a fresh copy of the checkout, with an empty home, by one shell. What differs from the print is where
things are: registry.example.com is the lab's registry, and a namespace gets ``docs-`` before its name, so that nobody's
release is touched. A stranger's editor is a program that does what the page asks for, the prompts are answered.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from dev import postgresql, redis_server
from dev.documentation import PAGES, Block, Command, read
from lab import debian, engine, images, registry, shell, source
from lab.cache import digest
from lab.paths import BIN, CACHE, KUBECONFIG, LOGS, REGISTRY, ROOT
from lab.progress import LabError, say

EXAMPLE = "registry.example.com"
NAMESPACES = ("dev", "staging", "prod")
PREFIX = "docs-"
PYTHON_IMAGE = "python:3.13-slim-trixie"
SECONDS = 2400
"""For one page."""

_PLACE = re.compile(rf"(--namespace[ =]|-n |namespace: |create namespace )({'|'.join(NAMESPACES)})\b")
_COMMENTED = re.compile(r"^# ( *(?:ai_agent_\w+|agent|postgresql|redis): ?)", re.MULTILINE)
_PROMPT = re.compile(rb"[Pp]assword[^\n]*: ?$")
_BEGIN = re.compile(r"^@@(\d+)\r?$", re.MULTILINE)


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page whose commands are run, in their order."""
    return [block for block in read(page) if block.commands and not block.reason]


def uncommented(text: str) -> str:
    """An inventory with everything set that it shows as a comment."""
    return _COMMENTED.sub(r"\1", text)


@dataclass
class Workplace:
    """A stranger's machine for one page: a copy of the checkout in `folder`, an empty `home`, programs in `bin`."""

    folder: Path
    home: Path
    bin: Path
    environment: dict[str, str]
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    address: str = ""

    def here(self, text: str) -> str:
        """A command or file with this place's registry and namespaces."""
        return _PLACE.sub(rf"\1{PREFIX}\2", text.replace(EXAMPLE, self.address))


def run(page: str) -> str:
    """Run the commands of a page and return what they printed.

    :raises LabError: a command failed, or the page took too long; names page, line and command
    """
    commands = [command for block in blocks_of(page) for command in block.commands]
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(_workplace(page))
        if page == "README.md":
            place.environment |= stack.enter_context(_servers())
        stack.enter_context(_cluster(place))
        code, output = _shell(place, commands)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"documentation-{page.replace('/', '-')}.log"
    log.write_text(output, encoding="utf-8")
    if code:
        began = list(_BEGIN.finditer(output))
        command = commands[int(began[-1][1])] if began else commands[0]
        tail = output[began[-1].end() if began else 0 :].strip()[-3000:]
        why = "took too long" if code == -signal.SIGKILL else f"exit code {code}"
        raise LabError(f"{page}:{command.line}: {command.text}: {why}; all of it is in {log}:\n{tail}")
    return output


@contextlib.contextmanager
def _workplace(page: str) -> Iterator[Workplace]:
    with tempfile.TemporaryDirectory(prefix="documentation-") as name:
        base = Path(name)
        place = Workplace(base / "checkout", base / "home", base / "bin", {})
        for folder in (place.home, place.bin):
            folder.mkdir()
        place.address = registry.address()
        if page == "docs/agent-image.md":
            _write_image(place)
        else:
            _copy(place)
        place.environment = _environment(place)
        _programs(place, page)
        yield place


def _copy(place: Workplace) -> None:
    """The files that git knows, as they are now; the virtual environment of the lab is the copy's own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for path in filter(None, listed.split("\0")):
        if not (ROOT / path).is_symlink() and not (ROOT / path).exists():
            continue
        target = place.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target, follow_symlinks=False)
    (place.folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    for file in sorted(place.folder.glob("inventories/*/group_vars/all/main.yml")):
        file.write_text(place.here(file.read_text(encoding="utf-8")), encoding="utf-8")


def _write_image(place: Workplace) -> None:
    """The files of the page's image; its public base image is one of the lab's where no registry answers."""
    for name, text in files(read("docs/agent-image.md")).items():
        path = place.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(PYTHON_IMAGE, _python_image()), encoding="utf-8")


def files(blocks: Sequence[Block]) -> dict[str, str]:
    """The files that a page shows, by their names."""
    kinds = {"dockerfile", "ini", "mako", "python"}
    return {block.file: block.text for block in blocks if block.language in kinds and block.file}


def _python_image() -> str:
    if source.chosen() == source.REGISTRIES:
        return PYTHON_IMAGE
    reference = f"{REGISTRY}/{PYTHON_IMAGE}"
    recipe = ROOT / "dev" / "documentation_image"
    inputs = digest([recipe])
    if not images.present(reference, inputs):
        base = {"BASE_IMAGE": debian.base_image("trixie")}
        images.build(reference, recipe / "Dockerfile", recipe, base, inputs=inputs)
    return reference


def _environment(place: Workplace) -> dict[str, str]:
    """The variables for the commands: this machine's network settings, and this checkout's tools and cluster."""
    own = str(Path(sys.executable).parent)
    path = [part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if part not in {own, str(BIN)}]
    kept = {name: value for name, value in os.environ.items() if not re.match(r"VIRTUAL_ENV|PYTHON|ANSIBLE", name)}
    pip = next((str(file) for file in _pip_settings() if file.is_file()), "")
    return kept | {
        "PATH": os.pathsep.join([str(place.bin), str(BIN), *path]),
        "HOME": str(place.home),
        "XDG_CACHE_HOME": str(CACHE.parent),
        "KUBECONFIG": str(KUBECONFIG),
        "EDITOR": str(place.bin / "editor"),
        "DOCKER_BUILDKIT": "0",
        "TERM": "dumb",
        "COLUMNS": "200",
        **({"PIP_CONFIG_FILE": pip} if pip else {}),
        **({"LAB_BASE": "own"} if source.chosen() == source.PACKAGES else {}),
    }


def _pip_settings() -> list[Path]:
    return [Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf"]


def _programs(place: Workplace, page: str) -> None:
    """What a page calls by name: an editor, a Python of the version it names, a docker that builds in this network."""
    (place.bin / "python3.12").symlink_to(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
    # From this checkout: `python -m` would take the copy's modules, which know no cluster.
    edit_there = f'here=$PWD; cd {ROOT} && exec {sys.executable} -m dev.run_documentation --edit {page} "$here" "$@"'
    _script(place.bin / "editor", edit_there)
    # This page goes on where the README's has made an environment.
    if page == "docs/how-to.md":
        for program in Path(sys.executable).parent.glob("ansible*"):
            (place.bin / program.name).symlink_to(program)
    docker = shutil.which("docker") or "docker"
    network = '[ "$1" != build ] || { shift; set -- build --network host "$@"; }'
    _script(place.bin / "docker", f'{network}\nexec {docker} "$@"')


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@contextlib.contextmanager
def _cluster(place: Workplace) -> Iterator[None]:
    """Namespaces that are not there before and after, and nodes that know the registry by the name it is pushed to."""
    hosts = registry.HOSTS / place.address
    hosts.mkdir(parents=True, exist_ok=True)
    server = f"http://{registry.NAME}:{registry.PORT}"
    (hosts / "hosts.toml").write_text(
        f'server = "{server}"\n\n[host."{server}"]\n  capabilities = ["pull", "resolve"]\n'
    )
    remove = [BIN / "kubectl", "--kubeconfig", KUBECONFIG, "delete", "namespace", "--ignore-not-found"]
    names = [f"{PREFIX}{name}" for name in NAMESPACES]
    shell.capture([*remove, *names], timeout=300)
    try:
        yield
    finally:
        shell.capture([*remove, "--wait=false", *names])
        shutil.rmtree(hosts, ignore_errors=True)


@contextlib.contextmanager
def _servers() -> Iterator[dict[str, str]]:
    """A database at the reference agent's last revision, and a Redis, by the variables that the page names."""
    os.environ.setdefault("TEST_REDIS_IMAGE", images.REDIS.reference)
    with postgresql.running(15) as database, redis_server.running(secrets.token_hex(8)) as cache:
        urls = {"DATABASE_URL": database.url(), "REDIS_URL": cache.url()}
        words = [sys.executable, "-m", "alembic", "upgrade", "head"]
        done = subprocess.run(
            words, cwd=ROOT / "images/agent", env=os.environ | urls, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LabError(f"the database for the page could not be migrated: {done.stderr.strip()[-500:]}")
        yield urls


def _shell(place: Workplace, commands: Sequence[Command]) -> tuple[int, str]:
    """Exit code and output of one bash that runs the commands at a terminal and stops at the first that fails."""
    lines = [f"cd {place.folder}"]
    for number, command in enumerate(commands):
        # The exit code is asked for behind the command: `set -e` would not see the first half of `a && b`.
        lines += [f"printf '\\n@@{number}\\n'", place.here(command.text), 'c=$?; [ "$c" = 0 ] || exit "$c"']
    file = place.bin / "page.sh"
    file.write_text("\n".join([*lines, ""]))
    pid, terminal = pty.fork()
    if not pid:
        os.execvpe("bash", ["bash", "--noprofile", "--norc", str(file)], place.environment)  # noqa: S606 - at a terminal
    deadline, output, answered = time.monotonic() + SECONDS, b"", 0
    while True:
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            break
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            # Linux' answer for a terminal that nobody has open any more.
            break
        output += chunk
        if _PROMPT.search(output[answered:]):
            answered = len(output)
            os.write(terminal, f"{place.password}\n".encode())
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code, output.decode(errors="replace").replace("\r\n", "\n")


def edit(page: str, folder: Path, names: Sequence[str]) -> None:
    """What a person does in an editor: set what stands as a comment, put in passwords, type a file that is shown.

    :raises LabError: the page does not show the file
    """
    address = registry.address()
    for path in (folder / name for name in names):
        shown = files_for(page).get(path.name)
        if shown is not None:
            path.write_text(shown.replace(EXAMPLE, address), encoding="utf-8")
        elif path.name == "vault.yml":
            text = path.read_text(encoding="utf-8")
            path.write_text(re.sub("change-me", lambda _: secrets.token_urlsafe(18) + "/@%", text), encoding="utf-8")
        elif path.name == "main.yml":
            text = uncommented(path.read_text(encoding="utf-8"))
            config = yaml.safe_load(KUBECONFIG.read_text(encoding="utf-8"))
            context, server = config["current-context"], config["clusters"][0]["cluster"]["server"]
            text = re.sub(r"^ai_agent_kubeconfig: .*", f"ai_agent_kubeconfig: {KUBECONFIG}", text, flags=re.MULTILINE)
            text = re.sub(r"^ai_agent_context: .*", f"ai_agent_context: {context}", text, flags=re.MULTILINE)
            text = re.sub(r"^ai_agent_cluster: .*", f"ai_agent_cluster: {server}", text, flags=re.MULTILINE)
            path.write_text(text, encoding="utf-8")
        else:
            raise LabError(f"{page} does not show what to write into {path.name}")


def files_for(page: str) -> dict[str, str]:
    """The YAML files that a page shows, by their names."""
    return {block.file: block.text for block in read(page) if block.language == "yaml" and block.file}


def main() -> int:
    """Exit code 0 when every command of the pages ran."""
    if sys.argv[1:2] == ["--edit"]:
        edit(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
        return 0
    engine.ensure()
    for page in sys.argv[1:] or [page for page in PAGES if blocks_of(page)]:
        begin = time.monotonic()
        try:
            run(page)
        except LabError as error:
            say(f"error: {error}")
            return 1
        count = sum(len(block.commands) for block in blocks_of(page))
        say(f"{page}: {count} commands in {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
