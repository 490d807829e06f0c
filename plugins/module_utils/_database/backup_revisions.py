"""Whether the code to be deployed knows the schema revision of a backup."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import REVISIONS, bundle, command

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_manifest import Manifest


def known_revisions(ini: Path, python: str, seconds: float) -> set[str]:
    """The revisions that the code to be deployed has.

    :raises CollectorError: `alembic-env-failed`, `alembic-timeout`
    """
    read, write = os.pipe()
    try:
        # Revisions are the application's own code: it gets no variable of ours.
        subprocess.run(  # pylint: disable=ansible-bad-function
            [python, *command(bundle(REVISIONS, {"ini": str(ini), "answers": write}))[1:]], cwd=ini.parent,
            env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[write], timeout=seconds, check=False,
        )  # fmt: skip
        os.close(write)
        write = -1
        with open(read, encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            answer = file.read()
    except subprocess.TimeoutExpired:
        words = f"Alembic did not list the revisions of {ini} within {seconds:g} s; find what a revision waits for."
        raise CollectorError("alembic-timeout", words) from None
    finally:
        if write != -1:
            os.close(write)
    with contextlib.suppress(ValueError):
        return set(json.loads(answer))
    raise CollectorError("alembic-env-failed", f"Alembic cannot list the revisions of {ini}; run `alembic history`.")


def assert_known(manifest: Manifest, known: t.Collection[str], where: str) -> None:
    """Check that the code to be deployed can go on from the backup's schema.

    :raises CollectorError: `restore-revision`
    """
    unknown = [item for item in manifest["database"]["revision"] if item not in known]
    if unknown:
        image = f"; the image {manifest['image']} does, it wrote the backup" if manifest.get("image") else ""
        words = f"The backup is at the schema revision {', '.join(unknown)}, which {where} does not know{image}"
        raise CollectorError(
            "restore-revision", f"{words}. Deploy that version or a newer one, or use an older backup."
        )


__all__ = ("assert_known", "known_revisions")
