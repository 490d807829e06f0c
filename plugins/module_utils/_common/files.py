"""The files that a module leaves: reports, SQL."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common import junit, report
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import of_error


def write(path: str | None, text: str) -> None:
    """Write a file whole, with mode 0600, in the place of what was there; a link there is not followed.

    Without a path nothing is written.

    :raises FindingError: `argument-invalid`: the file cannot be written
    """
    if path is None:
        return
    target = Path(path)
    if target.exists() and not target.is_file():
        raise FindingError("argument-invalid", f"{path} cannot be written: it is no ordinary file.")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, no path
                file.write(text)
            Path(name).replace(target)
        except OSError:
            Path(name).unlink()
            raise
    except OSError as error:
        raise FindingError("argument-invalid", f"{path} cannot be written: {error.strerror}.") from None


def write_reports(params: dict[str, t.Any], full: dict[str, t.Any]) -> None:
    """A report as JSON and as JUnit, where `report_path` and `junit_path` say.

    :raises FindingError: `argument-invalid`: one of them cannot be written
    """
    write(params["report_path"], json.dumps(full, indent=1, default=str))
    if params["junit_path"]:
        write(params["junit_path"], junit.junit(full, params["fail_on"]))


def write_error(params: dict[str, t.Any], kind: str, subject: str, error: FindingError) -> dict[str, t.Any]:
    """A report of a run that ended before it could judge, written to the same two places.

    :return: the report that says so
    :raises FindingError: `argument-invalid`: one of them cannot be written
    """
    full = report.without_verdict(kind, subject, of_error(error))
    # A run without a verdict fails under every policy.
    write_reports(params | {"fail_on": "fail"}, full)
    return full


__all__ = ("write", "write_error", "write_reports")
