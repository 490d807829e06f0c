"""The report in the forms that code hosts show: SARIF, annotations, Markdown."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.annotations import annotated
from ansible_collections.ai_platform.agent.plugins.module_utils._common.files import write
from ansible_collections.ai_platform.agent.plugins.module_utils._common.markdown import markdown
from ansible_collections.ai_platform.agent.plugins.module_utils._common.places import Place, places
from ansible_collections.ai_platform.agent.plugins.module_utils._common.sarif import sarif

FORMS: t.Final = ("sarif_path", "annotations_path", "markdown_path")


def publish(params: dict[str, t.Any], full: dict[str, t.Any]) -> None:
    """Write the forms that the parameters ask for.

    :param full: the report, also one without a verdict
    :raises FindingError: a file cannot be written
    """
    if not any(params[name] for name in FORMS):
        return
    where = _places(params, full)
    if params["markdown_path"]:
        write(params["markdown_path"], markdown(full, where))
    known = [place for place in where if place]
    if params["sarif_path"]:
        write(params["sarif_path"], sarif(full, known))
    if params["annotations_path"]:
        write(params["annotations_path"], annotated(full, known, params["annotations"]))


def _places(params: dict[str, t.Any], full: dict[str, t.Any]) -> t.Sequence[Place | None]:
    """A release's revisions are in an image, and so in no repository that is known here."""
    if params["alembic_dir"] is None:
        return [None] * len(full["findings"])
    return places(full, Path(params["alembic_dir"]), params["alembic_ini"])


__all__ = ("FORMS", "publish")
