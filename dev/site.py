"""The documentation as a site in build/site: every page of this repository, and antsibull-docs' of modules and role.

It is made from the artefact, so that it documents what users install, and it asks nothing of any other server when it
is read: a closed network can serve the folder as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import typing as t
import zlib
from pathlib import Path

from dev import artefact, environments, sanity
from lab import shell
from lab.cache import cached
from lab.paths import LAB, ROOT
from lab.progress import LabError

PINS = ("antsibull-docs==2.28.0", "ansible-core==2.21.5", "furo==2025.12.19", "myst-parser==5.2.0", "sphinx==9.2.0")
SOURCE = "https://github.com/ai-platform/agent/blob/main"
COLLECTION = "collection"
SECTIONS = {
    "Guides": [
        "docs/how-to.md",
        "docs/agent-image.md",
        "examples/README.md",
        "docs/awx.md",
        "docs/gitops.md",
        "docs/agents.md",
    ],
    "Reference": ["roles/ai_agent/README.md", "chart/README.md", f"{COLLECTION}/index"],
    "Operations": ["docs/runbook.md", "docs/failures.md"],
    "What was proven": ["docs/specification.md", "docs/old-version-effects.md", "docs/faults.md"],
    "Inside": ["docs/architecture.md", "docs/decisions.md", "CONTRIBUTING.md", "CHANGELOG.md"],
}
"""The pages beside README.md, which is the first one, by the heading of their part of the navigation."""

SETTINGS = """\
project = "ai_platform.agent"
html_title = "ai_platform.agent"
extensions = ["myst_parser", "sphinx_antsibull_ext", "sphinx.ext.intersphinx"]
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest", "ansible.inv")}
html_theme = "furo"
# The theme's icons would load fonts and an image from other servers; this site loads nothing from elsewhere.
html_theme_options = {"footer_icons": []}
html_static_path = ["static"]
html_css_files = ["site.css"]
myst_heading_anchors = 6
nitpicky = False
pygments_style = "default"
pygments_dark_style = "monokai"
html_copy_source = False
html_show_sphinx = False
# Examples show excerpts and placeholders, which no lexer knows.
suppress_warnings = ["misc.highlighting_failure"]
"""
STYLE = """\
.sidebar-brand-text { font-size: 1.2rem; }
h1 { font-size: 1.7rem; }
h2 { font-size: 1.4rem; }
h3 { font-size: 1.2rem; }
"""
ANSIBLE = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
"""Where Ansible's own documentation has the labels that antsibull-docs refers to beside those of collections."""
LINK = re.compile(r"(?<!!)\[(?P<words>[^\]]*)\]\((?P<target>[^)\s]+)\)")
IMAGE = re.compile(r"!\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def pages() -> list[str]:
    """The files of this repository that are pages, README.md first."""
    return ["README.md", *(name for names in SECTIONS.values() for name in names if name.endswith(".md"))]


def linked(text: str, page: str) -> str:
    """A page's text whose links lead to pages of the site where there is one, else to the file at its source.

    :param page: its path in the repository
    """
    there = set(pages())

    def led(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return match[0]
        path = os.path.normpath(Path(page).parent / target)
        mark = f"#{anchor}" if anchor else ""
        if path in there:
            # README.md is the site's first page.
            place = os.path.relpath("index.md" if path == "README.md" else path, Path(page).parent)
        else:
            place = f"{SOURCE}/{path}"
        return f"[{match['words']}]({place}{mark})"

    return LINK.sub(led, text)


def _navigation() -> str:
    parts = []
    for title, names in SECTIONS.items():
        lines = "\n".join(name.removesuffix(".md") for name in names)
        parts.append(f"```{{toctree}}\n:hidden:\n:caption: {title}\n:maxdepth: 2\n\n{lines}\n```\n")
    return "\n".join(parts)


def _write_pages(folder: Path) -> None:
    for page in pages():
        text = linked((ROOT / page).read_text(encoding="utf-8"), page)
        # What is drawn where the page is read on a code host is shown as its text.
        text = text.replace("```mermaid", "```text")
        place = folder / ("index.md" if page == "README.md" else page)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text + ("\n" + _navigation() if page == "README.md" else ""), encoding="utf-8")
        for image in IMAGE.finditer(text):
            origin = os.path.normpath(Path(page).parent / image["target"])
            (folder / origin).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / origin, folder / origin)


def inventory(labels: t.Iterable[str]) -> bytes:
    """What Sphinx would fetch from Ansible's documentation to link to these labels; here nobody asks it.

    Source: https://www.sphinx-doc.org/en/master/usage/extensions/intersphinx.html, and the form of ``objects.inv``.
    """
    lines = []
    for label in sorted(labels):
        plugin = re.match(r"ansible_collections\.(\w+)\.(\w+)\.(\w+?_[a-z]+)(?:__|$)", label)
        page = f"collections/{plugin[1]}/{plugin[2]}/{plugin[3]}.html" if plugin else ANSIBLE.get(label)
        if page:
            lines.append(f"{label} std:label -1 {page}#{re.sub(r'[^a-z0-9]+', '-', label)} -\n")
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: \n# The remainder is compressed using zlib.\n"
    return head.encode() + zlib.compress("".join(lines).encode())


def _elsewhere(folder: Path) -> set[str]:
    """The labels to which pages refer and which none of them has."""
    texts = [file.read_text(encoding="utf-8") for file in folder.glob("*.rst")]
    wanted = {label for text in texts for label in re.findall(r":ref:`(?:[^`<]*<)?([^<>`]+)>?`", text)}
    # An option of another collection's module: its name, and the option's with escaped underscores.
    for name, option in re.findall(r":ansopt:`([\w.]+)#module:([^`=]+)", "".join(texts)):
        wanted.add(f"ansible_collections.{name}_module__parameter-{option.replace(chr(92), '')}")
    return wanted - {label for text in texts for label in re.findall(r"^\.\. _(\S+):$", text, re.MULTILINE)}


def fitted(text: str) -> str:
    """A page of antsibull-docs for this theme: without a table of contents, which stands beside every page here.

    In the navigation a plugin has its name alone, and the page of all of them says what they are.
    """
    text = re.sub(r"^\.\. contents::\n(?:   .*\n)+", "", text, flags=re.MULTILINE)
    text = re.sub(r"^Ai_Platform\.Agent\n=+$", "Modules, role and plugins\n" + "=" * 25, text, flags=re.MULTILINE)
    return re.sub(r"^    (\w+?)_(module|role|lookup|filter|callback)$", r"    \1 <\1_\2>", text, flags=re.MULTILINE)


def _programs() -> Path:
    """The environment with Sphinx, in the user's cache.

    :raises LabError: PyPI cannot be reached
    """

    def build(folder: Path) -> None:
        environments.fill(folder / "venv", *PINS, compiled=True)

    key = "-".join([PINS[0].partition("==")[2], PINS[-1].partition("==")[2], environments.python()])
    return cached("documentation-site", key, build) / "venv" / "bin"


def _others() -> Path:
    """The folder with the collections whose documentation ours builds upon (sanity.DEPENDENCIES)."""
    import ansible_collections

    places = [Path(place) for place in ansible_collections.__path__]
    return next(place.parent for place in places if all((place / a / b).is_dir() for a, b in sanity.DEPENDENCIES))


def build(site: Path) -> Path:
    """Make the site; its first page is index.html.

    :param site: a folder that is replaced
    :raises LabError: PyPI cannot be reached, or a page is wrong; the log says which
    """
    programs = _programs()
    work = LAB / "site"
    shutil.rmtree(work, ignore_errors=True)
    installed = work / "collections"
    archive = artefact.build(work / "artefact")
    env = {
        "ANSIBLE_COLLECTIONS_PATH": f"{installed}{os.pathsep}{_others()}",
        "HOME": str(work),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
    galaxy: list[object] = [programs / "ansible-galaxy", "collection", "install", "--no-deps", archive, "-p", installed]
    shell.run(galaxy, log="site", what="installing the artefact", env=env)
    source = work / "source"
    _write_pages(source)
    (source / "conf.py").write_text(SETTINGS, encoding="utf-8")
    words: list[object] = [
        programs / "antsibull-docs",
        "collection",
        "--use-current",
        "--squash-hierarchy",
        "--fail-on-error",
    ]
    words += ["--dest-dir", source / COLLECTION, f"{artefact.NAMESPACE}.{artefact.NAME}"]
    (source / COLLECTION).mkdir()
    shell.run(words, log="site", what="antsibull-docs", env=env)
    for file in (source / COLLECTION).glob("*.rst"):
        file.write_text(fitted(file.read_text(encoding="utf-8")), encoding="utf-8")
    (source / "static").mkdir()
    (source / "static" / "site.css").write_text(STYLE, encoding="utf-8")
    (source / "ansible.inv").write_bytes(inventory(_elsewhere(source / COLLECTION)))
    sphinx: list[object] = [programs / "sphinx-build", "-q", "-W", "--keep-going", "-b", "html", source, work / "html"]
    shell.run(sphinx, log="site", what="Sphinx", env=env)
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(work / "html", site, ignore=shutil.ignore_patterns(".buildinfo", ".doctrees", "objects.inv"))
    return site


def main() -> int:
    """Exit code 0 when every page was made."""
    try:
        print(f"{build(ROOT / 'build' / 'site')}/index.html")
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
