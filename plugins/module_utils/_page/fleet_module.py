"""fleet_report: what the hosts of a fleet recorded becomes fleet.html and fleet.json."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.files import write
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet import (
    PHASES,
    RECORDED,
    document,
    fleet,
    lines,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._page.fleet_page import fleet_page

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    "folder": {"type": "path"},
    "phase": {"type": "str", "required": True, "choices": list(PHASES)},
    "records": {"type": "dict", "required": True},
}


def execute(params: dict[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    """The module's result, after fleet.html and fleet.json are written (not in check mode, not without a folder).

    :raises FindingError: an argument is of no use, or the folder cannot be written
    """
    for host, record in params["records"].items():
        if record and (not isinstance(record, dict) or record.get("state") not in RECORDED):
            words = f"records: {host} must have a state, one of {', '.join(RECORDED)}, or nothing."
            raise FindingError("argument-invalid", words)
    ended = round(time.time(), 3)
    found = fleet(params["records"], params["phase"], check_mode=check_mode)
    result = {
        "changed": False,
        **{name: getattr(found, name) for name in ("level", "word", "sentence", "problem", "counts")},
        "versions": [dataclasses.asdict(one) for one in found.versions],
        "lines": lines(found),
        "said": {one.host: {"level": one.level, "text": f"{one.word}. {one.sentence}"} for one in found.releases},
        "path": "",
        "place": "",
    }
    if not params["folder"]:
        return result
    if check_mode:
        return result | {"place": "Check mode writes no report."}
    folder = Path(params["folder"])
    full = document(found, ended=ended, phase=params["phase"], check_mode=check_mode)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        words = f"{folder} cannot be made: {error.strerror}; name a folder that can be written."
        raise FindingError("argument-invalid", words) from None
    write(str(folder / "fleet.json"), json.dumps(full, indent=1, ensure_ascii=False) + "\n")
    write(str(folder / "fleet.html"), fleet_page(found, str(folder), ended=ended))
    return result | {"path": str(folder / "fleet.html"), "place": f"Fleet: {folder / 'fleet.html'}"}


__all__ = ("ARGUMENTS", "execute")
