"""What an API server refuses: an object for a reason of its own, or a right that the account lacks."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError


class Forbidden(FindingError):
    """The account lacks a right; `verb`, `resource` (plural.group) and `namespace` say which, `account` whose."""

    def __init__(self, verb: str, resource: str, namespace: str | None, account: str = "") -> None:
        super().__init__("cluster-forbidden", forbidden(verb, resource, namespace, account))
        self.verb, self.resource, self.namespace = verb, resource, namespace


def forbidden(verb: str, resource: str, namespace: str | None, account: str) -> str:
    """The sentence about a right that an account lacks, with the file that has it."""
    where = f"in namespace {namespace}" if namespace else "cluster-wide"
    file = "exec-rbac.yaml" if resource == "pods/exec" else "deployer-rbac.yaml"
    remedy = f"apply roles/ai_agent/files/{file} there" if namespace else "grant it"
    who = f"account {account}" if account else "account"
    return f"The {who} may not {verb} {resource} {where}: {remedy}, or use another account."


class Refused(FindingError):
    """The API server did not take an object, for a reason of its own: `status` and `said` are its HTTP answer."""

    def __init__(self, error_id: str, message: str, status: int, said: str) -> None:
        super().__init__(error_id, message)
        self.status, self.said = status, said


def status_message(error: t.Any) -> str:
    """The message of the server's Status object in one line, without a full stop."""
    try:
        text = json.loads(error.body)["message"]
    except (TypeError, ValueError, KeyError):
        text = str(error.reason or "no reason given")
    return " ".join(str(text).split())[:400].rstrip(".")


__all__ = ("Forbidden", "Refused", "forbidden", "status_message")
