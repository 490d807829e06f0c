"""Images that are released in a registry: pulled by Docker, from the mirror where there is one, by digest if known."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from lab import mirror, own_checksums, shell
from lab.paths import LAB
from lab.progress import LabError, say

ENGINE_CERTS = Path("/etc/docker/certs.d")
"""Where Docker's engine looks, at each pull, for whom to trust as ``<host:port>`` (file name ``*.crt``)."""

OWN = "ai-agent-lab.crt"
TRUSTED = LAB / "trusted"
"""Files that this checkout wrote into :data:`ENGINE_CERTS`, one a line: ``make clean`` removes them."""


def name(reference: str) -> str:
    """What Docker is asked for when the lab needs *reference*."""
    return mirror.image(own_checksums.image(reference))


def ensure(reference: str) -> str:
    """Leave with the image in Docker, pulled when it is not there; returns what it is called there.

    :raises LabError: it cannot be had, or is not what its digest says
    """
    wanted = name(reference)
    if shell.capture(["docker", "image", "inspect", wanted]).returncode:
        trust()
        say(f"        pulling {wanted}")
        try:
            # What one try got stays with the engine, layer by layer.
            shell.run(["docker", "pull", "--quiet", wanted], log="pull", what=f"pulling {wanted}")
        except LabError as error:
            raise LabError(explain(wanted, str(error))) from None
    return wanted


def trust() -> None:
    """Let the engine of this machine trust the mirror's authority, for the mirror alone."""
    found = mirror.configured()
    if not (found and found.authority) or os.environ.get("DOCKER_HOST", "unix:").partition(":")[0] != "unix":
        return
    wanted = found.authority.read_bytes()
    folder = ENGINE_CERTS / found.host
    if any(file.read_bytes() == wanted for file in folder.glob("*.crt")):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OWN).write_bytes(wanted)
    except OSError:
        # Not root's: the pull may succeed nevertheless, for the engine has a store of its own.
        return
    say(f"        Docker's engine trusts {found.authority} for {found.host} ({folder / OWN})")
    LAB.mkdir(exist_ok=True)
    known = TRUSTED.read_text().splitlines() if TRUSTED.exists() else []
    if str(folder / OWN) not in known:
        TRUSTED.write_text("\n".join([*known, str(folder / OWN)]) + "\n")


def distrust() -> None:
    """Remove what :func:`trust` wrote."""
    if TRUSTED.exists():
        for line in TRUSTED.read_text().splitlines():
            Path(line).unlink(missing_ok=True)
            with suppress(OSError):
                # Somebody else's certificate may be beside it.
                Path(line).parent.rmdir()


def explain(wanted: str, words: str) -> str:
    """One sentence about a pull that failed; Docker's own words where it is for none of the known reasons.

    :param words: what Docker said, among other things
    """
    mirrored = mirror.configured() is not None
    host = wanted.partition("/")[0] if mirrored else "its registry"
    certificate = ENGINE_CERTS / host / "ca.crt" if mirrored else "its certificate store"
    named = "name its authority's file in LAB_MIRROR_CA, or " if mirrored else ""
    last = words.strip().splitlines()[-1].strip()
    reasons = {
        "x509|certificate": f"Docker's engine does not trust the certificate of {host}: {named}add the authority's "
        f"as root to {certificate} where the engine runs",
        "verification failed|unexpected commit digest|does not match": f"{host} sent something of another digest, "
        "which is not used: ask who runs it",
        "manifest unknown|not found|name unknown": f"{host} does not have it: "
        + ("make lab-mirror lists what a mirror must hold" if mirrored else "check its name"),
        "unauthorized|denied|authentication|forbidden": f"{host} asks for a login: "
        + ("the nodes have none, so let the mirror be read without one" if mirrored else "use docker login"),
        "refused|no such host|timeout|deadline|unreachable|EOF|reset": f"{last}: check the network"
        + (" and LAB_MIRROR" if mirrored else ", or use LAB_SOURCE=packages"),
    }
    for pattern, reason in reasons.items():
        if re.search(pattern, words, re.IGNORECASE):
            return f"{wanted} was not pulled, {reason}"
    return words
