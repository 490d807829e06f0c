"""Images of Molecule's scenario ``preflight``: the agent with other migrations, in the lab's registry.

``python -m dev.case_images`` builds what is missing and writes ``.lab/case-images.yml``, repository and tag by case.
"""

from __future__ import annotations

import re
import sys

import yaml

from lab import images, registry
from lab.cache import digest
from lab.paths import LAB, REGISTRY, ROOT
from lab.progress import LabError, say

CONTEXT = ROOT / "molecule" / "preflight" / "images"
NAMES = LAB / "case-images.yml"


def cases() -> dict[str, dict[str, str]]:
    """Repository and tag of each stage of the Dockerfile; the tag has the digest of stage, context and agent."""
    stages = re.findall(r"^FROM .* AS (\S+)$", (CONTEXT / "Dockerfile").read_text(), re.MULTILINE)
    tag = digest([CONTEXT, images.AGENT.tag])[:8]
    return {stage: {"repository": f"{REGISTRY}/agent", "tag": f"{stage}-{tag}"} for stage in stages}


def ensure() -> None:
    """Build and push what is missing, and write the names down.

    :raises LabError: the lab is not up, or Docker refused
    """
    images.build_all()
    found = cases()
    names = {stage: f"{image['repository']}:{image['tag']}" for stage, image in found.items()}
    for stage, name in names.items():
        if not images.present(name):
            images.build(name, CONTEXT / "Dockerfile", CONTEXT, {"AGENT": images.AGENT.reference}, target=stage)
    registry.push(list(names.values()))
    NAMES.write_text(yaml.safe_dump(found))


def main() -> int:
    """Exit code 0, or 1 with one sentence on standard error."""
    try:
        ensure()
    except LabError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
