"""The chart with its subcharts in a folder of its own, kept in a cache by content.

The collection's own tree is never written to: in an execution environment it is read-only. The content goes into the
chart's version, because kubernetes.core.helm compares versions and values, never templates.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

if t.TYPE_CHECKING:  # pragma: no cover
    from collections.abc import Iterator

CHOICES: t.Final = ("bitnami", "embedded")
"""Where the subcharts come from: Bitnami's registry, or the collection's own folder ``subcharts/``."""

SUBCHARTS: t.Final = ("postgresql", "redis")

# charts/ is where Helm puts what it fetched; the rest is what editors and interpreters leave.
IGNORED: t.Final = shutil.ignore_patterns(
    "charts", "__pycache__", ".*_cache", "*.pyc", "*.swp", "*.tmp", "*.orig", "*~", ".DS_Store"
)
VERSION: t.Final = re.compile(r"^version:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
# A dependency on a folder, in the order of keys that Chart.yaml has.
LOCAL: t.Final = re.compile(
    r"^ *- name:[ \t]*(\S+)[ \t]*\n(?: +(?!repository)\w+:.*\n)* +repository:[ \t]*[\"']?file://([^\s\"']+)",
    re.MULTILINE,
)
FETCH_SECONDS: t.Final = 300
ANOTHER_CACHE: t.Final = (
    "choose another cache (variable ai_agent_chart_cache of the role, option cache_dir of the module, XDG_CACHE_HOME)"
)


class ChartError(Exception):
    """The chart cannot be assembled; the text is one sentence: what is wrong, where, what to do."""


class CacheError(ChartError):
    """The folder for assembled charts cannot be written."""


@dataclass(frozen=True)
class Assembled:
    """An assembled chart: its folder, its version with the content in it, the digest of that content (64 hex digits),
    and the version of each subchart by name.
    """

    path: Path
    version: str
    digest: str
    subcharts: dict[str, str]


def default_cache() -> Path:
    """Return the folder for assembled charts, by the XDG Base Directory Specification.

    :raises CacheError: this user has no home folder
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            lacking = "This user has no home folder to keep the assembled chart in"
            words = f"{lacking}: set HOME or XDG_CACHE_HOME to a folder, or {ANOTHER_CACHE}."
            raise CacheError(words) from None
    return base / "ai_platform.agent" / "charts"


def content_digest(*folders: Path) -> str:
    """Return the SHA-256 of the names and contents of all files below ``folders``, as 64 hex digits.

    The order of the file system and the files' modes and times do not count, the order of the folders does.
    """
    whole = hashlib.sha256()
    for folder in folders:
        whole.update(b"folder\0")
        for relative, file in sorted((file.relative_to(folder).as_posix(), file) for file in _files(folder)):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            whole.update(f"{relative}\0{content}\n".encode())
    return whole.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        ignored = IGNORED(root, [*folders, *files])
        folders[:] = [name for name in folders if name not in ignored]
        yield from (Path(root, name) for name in files if name not in ignored)


def chart_version(chart: Path) -> str:
    """Return the version in a chart's Chart.yaml.

    :raises ChartError: there is none
    """
    file = chart / "Chart.yaml"
    try:
        found = VERSION.findall(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChartError(f"{file} cannot be read ({error.strerror}): {chart} is not the folder of a chart.") from error
    if len(found) != 1:
        raise ChartError(f"{file} has {len(found)} lines `version:` where it must have one.")
    return str(found[0]).strip("\"'")


# Beside an assembled chart: the digest of its content.
SEAL: t.Final = "content.sha256"


def assemble(
    chart: Path,
    choice: str,
    *,
    subcharts_dir: Path | None = None,
    cache: Path | None = None,
    helm: str = "helm",
) -> Assembled:
    """Return ``chart`` with its subcharts inside, from the cache where this content was assembled before.

    :param chart: folder of the chart, without ``charts/``
    :param choice: one of `CHOICES`; nothing falls back to the other one, because other subcharts are another database
    :param subcharts_dir: folder that holds the embedded subcharts; needed for ``embedded``
    :param cache: folder for assembled charts, default `default_cache`
    :param helm: the helm program, run for ``bitnami`` only
    :raises CacheError: the cache cannot be written
    :raises ChartError: unknown choice, no chart there, a registry out of reach
    """
    if choice not in CHOICES:
        raise ChartError(f"{choice!r} is no choice of subcharts: use {' or '.join(CHOICES)}.")
    base = chart_version(chart)
    libraries = local_dependencies(chart)
    sources = _embedded(subcharts_dir) if choice == "embedded" else {}
    content = content_digest(chart, *libraries.values(), *sources.values())
    digest = hashlib.sha256(f"{choice}\n{content}".encode()).hexdigest()
    version = f"{base}+{digest[:8]}"
    cache = cache or default_cache()
    target = cache / f"ai-agent-{version}-{digest[8:16]}" / "ai-agent"
    if not whole(target):
        try:
            _build(chart, sources, version, target, helm)
        except OSError as error:
            raise CacheError(
                f"The chart cannot be assembled in {cache} ({error.strerror}: {error.filename}): "
                f"make that folder writable, or {ANOTHER_CACHE}."
            ) from error
    versions = {name: packed_version(target / "charts", name) for name in SUBCHARTS}
    return Assembled(target, version, digest, versions)


def whole(target: Path) -> bool:
    """Whether an assembled chart is what was assembled: no file is missing, changed, or one more."""
    try:
        return (target.parent / SEAL).read_text(encoding="ascii") == seal(target)
    except (OSError, ValueError):
        return False


def seal(folder: Path) -> str:
    """Return a digest of all names and contents below, the subcharts' too, which `content_digest` passes over."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    lines = [f"{file.relative_to(folder)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def local_dependencies(chart: Path) -> dict[str, Path]:
    """Return the folders of the charts that a chart names by a path (``repository: file://…``), by their names.

    An assembled chart holds each once: the templates of one chart of a release are those of all, so the embedded
    subcharts, which name the same library, need no copy inside.

    :raises ChartError: one of them is no chart
    """
    text = (chart / "Chart.yaml").read_text(encoding="utf-8")
    found = {name: (chart / path).resolve() for name, path in LOCAL.findall(text)}
    for name, folder in found.items():
        try:
            chart_version(folder)
        except ChartError as error:
            raise ChartError(f"The chart {chart} depends on {name}, which must lie in {folder}: {error}") from error
    return found


def _embedded(subcharts_dir: Path | None) -> dict[str, Path]:
    if subcharts_dir is None:
        raise ChartError("Embedded subcharts need the folder that holds them: set subcharts_dir.")
    sources = {name: subcharts_dir / name for name in SUBCHARTS}
    for source in sources.values():
        chart_version(source)
    return sources


def _build(chart: Path, sources: dict[str, Path], version: str, target: Path, helm: str) -> None:
    """Assemble beside ``target`` and rename: a reader sees a whole chart or none, and two runs at once are safe."""
    libraries = local_dependencies(chart)
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".assembling-", dir=target.parent.parent) as temporary:
        entry = Path(temporary, "entry")
        copy = entry / target.name
        _copy(chart, copy)
        _stamp(copy / "Chart.yaml", version)
        if sources:
            for name, source in (libraries | sources).items():
                _copy(source, copy / "charts" / name)
            # The lock tells of Bitnami's versions, which are not in here; Helm needs none to use what is in charts/.
            (copy / "Chart.lock").unlink(missing_ok=True)
        else:
            _fetch_beside(copy, libraries, helm)
            _check_fetched(copy / "charts", helm)
        (entry / SEAL).write_text(seal(copy), encoding="ascii")
        try:
            entry.rename(target.parent)
        except OSError:
            if whole(target):
                # Another run was faster, with the same content.
                return
            # Something cleaned up in the cache, or wrote there.
            target.parent.rename(Path(temporary, "before"))
            entry.rename(target.parent)


def _fetch_beside(copy: Path, libraries: dict[str, Path], helm: str) -> None:
    """Let Helm fetch while the libraries lie where Chart.yaml says, and keep their folders: its packages hold times."""
    text = (copy / "Chart.yaml").read_text(encoding="utf-8")
    beside = [Path(os.path.normpath(copy / path)) for _name, path in LOCAL.findall(text)]
    for place, source in zip(beside, libraries.values(), strict=True):
        _copy(source, place)
    _fetch(copy, helm)
    for name, source in libraries.items():
        for package in _packages(copy / "charts", name):
            package.unlink()
        _copy(source, copy / "charts" / name)
    for folder in {copy.parent / place.relative_to(copy.parent).parts[0] for place in beside}:
        shutil.rmtree(folder)


def _copy(source: Path, target: Path) -> None:
    """Copy contents only: a read-only collection must not make a read-only copy."""
    shutil.copytree(source, target, ignore=IGNORED, copy_function=shutil.copyfile)
    for root, _folders, _names in os.walk(target):
        Path(root).chmod(0o755)


def _stamp(file: Path, version: str) -> None:
    file.write_text(VERSION.sub(f"version: {version}", file.read_text(encoding="utf-8")), encoding="utf-8")


def _fetch(copy: Path, helm: str) -> None:
    """Let Helm fetch what Chart.lock pins.

    :raises ChartError: it cannot; the message has Helm's last line
    """
    try:
        # `make chart` calls this without an AnsibleModule.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            [helm, "dependency", "build", str(copy)], capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise ChartError(f"There is no program {helm}, which fetches Bitnami's subcharts: install Helm.") from error
    except subprocess.TimeoutExpired as error:
        raise ChartError(f"{_out_of_reach(copy)}: no answer within {FETCH_SECONDS} s; {_REMEDY}.") from error
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()] or [
            "no reason given"
        ]
        reason = next((line for line in reversed(lines) if line.startswith("Error:")), lines[-1])
        raise ChartError(f"{_out_of_reach(copy)}: {reason.removeprefix('Error: ').rstrip('.')}; {_REMEDY}.")


_REMEDY: t.Final = "let this machine reach that registry, or choose the embedded subcharts"


def _out_of_reach(copy: Path) -> str:
    text = (copy / "Chart.yaml").read_text(encoding="utf-8")
    registries = sorted(set(re.findall(r"repository:\s*[\"']?(?!file://)([^\s\"']+)", text)))
    return f"Helm could not fetch Bitnami's subcharts from {', '.join(registries) or 'the repository of Chart.yaml'}"


def _check_fetched(charts: Path, helm: str) -> None:
    """Check that helm left nothing out without a word; the cache would keep that.

    :raises ChartError: a subchart is not there
    """
    for name in SUBCHARTS:
        if (found := len(_packages(charts, name))) != 1:
            raise ChartError(
                f"{helm} dependency build reported no failure, but the chart holds {found} packages of the subchart "
                f"{name} where it must hold one: check that this program is helm."
            )


def _packages(charts: Path, name: str) -> list[Path]:
    return sorted(charts.glob(f"{name}-*.tgz"))


def packed_version(charts: Path, name: str) -> str:
    """Return the version of a subchart in ``charts``, which holds folders or Helm's ``<name>-<version>.tgz``."""
    if (charts / name).is_dir():
        return chart_version(charts / name)
    packages = _packages(charts, name)
    if len(packages) != 1:
        raise ChartError(
            f"{charts} holds {len(packages)} packages of the subchart {name} where it must hold one: remove it."
        )
    return packages[0].name.removeprefix(f"{name}-").removesuffix(".tgz")


def export(assembled: Assembled, target: Path) -> None:
    """Put a copy of an assembled chart at ``target``, in place of what is there.

    :raises ChartError: it cannot be written
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".exporting-", dir=target.parent) as temporary:
            copy = Path(temporary, "new")
            shutil.copytree(assembled.path, copy)
            with contextlib.suppress(FileNotFoundError):
                target.rename(Path(temporary, "old"))
            copy.rename(target)
    except OSError as error:
        raise ChartError(f"The chart cannot be written to {target} ({error.strerror}).") from error
