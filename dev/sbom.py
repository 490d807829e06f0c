"""A bill of materials (CycloneDX, JSON) of an image of this project: what pip installs in it, and Debian's packages.

The same input gives the same bytes: no time, and a serial number that follows from the content. The files are for
`ai_agent_publish_sboms` of playbooks/publish_chart.yml::

    python -m dev.sbom requirements images/agent/requirements*.txt > agent.cdx.json
    python -m dev.sbom image registry.example.com/team/postgresql:15 > postgresql.cdx.json
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import typing as t
import uuid
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from lab.progress import LabError

FORMAT = "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"
"""What dpkg-query is asked for, a line for each package."""

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;#]+)\s*(?:[;#].*)?$")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/ai-platform/agent/sbom")


def requirements(text: str) -> list[Component]:
    """The distributions of a frozen file of pip.

    :raises LabError: a line names no exact version, so that nobody can say what will be installed
    """
    found = []
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        match = _PINNED.match(line)
        if match is None:
            raise LabError(f"{line!r} names no exact version: write name==version, as pip freeze does.")
        # https://packaging.python.org/en/latest/specifications/name-normalization/
        name, version = re.sub(r"[-_.]+", "-", match["name"]).lower(), match["version"]
        purl = PackageURL("pypi", None, name, version)
        found.append(
            Component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=purl.to_string())
        )
    return found


def packages(listed: str, release: str) -> list[Component]:
    """Debian's packages, from what dpkg-query printed for FORMAT.

    :param release: Debian's code name, which says where a version comes from
    :raises LabError: nothing is installed, so this is no list of packages
    """
    found = []
    for line in listed.splitlines():
        state, name, version, architecture, source, of_source = line.split("\t")
        if not state.startswith("ii"):
            continue
        qualifiers = {"arch": architecture, "distro": release}
        if (source, of_source) != (name, version):
            qualifiers["upstream"] = f"{source}@{of_source}"
        purl = PackageURL("deb", "debian", name, version, qualifiers)
        found.append(
            Component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=purl.to_string())
        )
    if not found:
        raise LabError("dpkg-query lists no package: the image has none of Debian's, or its database was removed.")
    return found


def of_image(words: t.Sequence[str]) -> list[Component]:
    """Debian's packages where these words before a command lead to, `docker run --rm <image>` for example.

    :raises LabError: there is no dpkg, or it does not answer
    """

    def ask(*command: str) -> str:
        done = subprocess.run([*words, *command], capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise LabError(f"{' '.join([*words, command[0]])} failed: {done.stderr.strip()[-300:]}")
        return done.stdout

    name = re.search(r'^VERSION_CODENAME="?(\w+)', ask("cat", "/etc/os-release"), re.MULTILINE)
    return packages(ask("dpkg-query", "--show", f"--showformat={FORMAT}"), name[1] if name else "unknown")


def written(name: str, version: str, components: t.Sequence[Component]) -> str:
    """The bill of materials of something that has a name and a version, as CycloneDX 1.6 in JSON.

    :return: the same text for the same components, in whatever order they are given
    """
    bom = Bom(components=components)
    bom.metadata.component = image = Component(name=name, version=version, type=ComponentType.CONTAINER, bom_ref=name)
    bom.register_dependency(image, components)
    made: dict[str, t.Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    # When it was written, and by which version of which library, says nothing about what it lists.
    made["metadata"].pop("timestamp", None)
    made["metadata"].pop("tools", None)
    made.pop("serialNumber", None)
    made["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(made, sort_keys=True))}"
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Print one; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dev.sbom", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", choices=["requirements", "image"])
    parser.add_argument("what", nargs="+", help="files of pip, which are installed together, or the name of one image")
    given = parser.parse_args(arguments)
    if given.kind == "image" and len(given.what) > 1:
        parser.error("one image at a time")
    try:
        if given.kind == "requirements":
            files = [Path(each) for each in given.what]
            name, version = files[0].parent.name, "1.0.0"
            found = requirements("\n".join(each.read_text(encoding="utf-8") for each in files))
            # A distribution that stands in several files at one version is one component.
            components = list({each.bom_ref.value: each for each in found}.values())
        else:
            [image] = given.what
            name, _, version = image.rpartition("/")[2].partition(":")
            components = of_image(["docker", "run", "--rm", "--network=none", "--entrypoint=", image])
    except (LabError, OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(written(name, version, components))
    return 0


if __name__ == "__main__":
    sys.exit(main())
