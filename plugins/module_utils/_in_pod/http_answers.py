"""Runs in a pod: says for each line of stdin what the pod itself answers to GET."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import http.client
import json
import sys
import typing as t
import zlib

from . import stdin_lines

Row = dict[str, t.Any]

# Between two looks of a caller, of whom nothing else is heard.
QUIET_SECONDS = 900.0
ANSWER_SECONDS = 10.0


def asked(request: Row) -> Row:
    """The answer of the first address at which somebody listens.

    :param request: `addresses`, `port`, `path`, and `most`, the bytes that a body may have
    :return: `body`, packed and in base64, of an answer with status 200; else `problem`
    """
    problem = ""
    for address in request["addresses"]:
        connection = http.client.HTTPConnection(address, request["port"], timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", request["path"])
            answer = connection.getresponse()
            body = answer.read(request["most"] + 1)
        except (OSError, http.client.HTTPException) as error:
            problem = problem or type(error).__name__
            continue
        finally:
            connection.close()
        if answer.status != 200:
            return {"problem": f"HTTP {answer.status}"}
        if len(body) > request["most"]:
            return {"problem": "too large"}
        return {"body": base64.b64encode(zlib.compress(body)).decode()}
    return {"problem": problem}


def main(request: Row) -> None:
    """Answer each line."""
    for _line in stdin_lines.lines(QUIET_SECONDS):
        sys.stdout.write(json.dumps(asked(request)) + "\n")
        sys.stdout.flush()


__all__ = ("asked", "main")
