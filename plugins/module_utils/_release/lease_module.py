"""release_lease: from its arguments to its result, and the sentences about who has the Lease."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import getpass
import secrets
import socket
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import lease as leases
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect
from ansible_collections.ai_platform.agent.plugins.module_utils._release import belongings, lease_keeper
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

Row = dict[str, t.Any]

ARGUMENTS: t.Final[dict[str, t.Any]] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str", "required": True},
    "release_namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
    "wait": {"type": "int", "default": 90},
    "controller_pid": {"type": "int"},
    "folder": {"type": "path"},
}
# Which of them go together: arguments of AnsibleModule.
CONSTRAINTS: t.Final[dict[str, t.Any]] = {"required_if": [["state", "free", ["folder"]]]}


def name_of(release: str) -> str:
    """The Lease of a release: whoever changes the release has it."""
    return f"{release}-writer"


def holder() -> str:
    """Who this is, for people, and which run, so that no two are the same: `alice@build-7 (run 3f9c02aa)`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user id that has no name.
        user = "somebody"
    return f"{user}@{socket.gethostname()} (run {secrets.token_hex(4)})"


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result, and the sentence for which it fails (None: it does not).

    :param params: the module's arguments, and `check_mode`
    :raises FindingError: the API server refuses or does not answer
    """
    if params["state"] == "free":
        return _freed(params)
    return _looked(params) if params["check_mode"] else _held(params)


def _freed(params: Row) -> tuple[Row, str | None]:
    if params["check_mode"]:
        return {"lost": ""}, None
    lost = lease_keeper.end(Path(params["folder"]))
    place = f"{params['release_namespace']}/{name_of(params['release_name'])}"
    words = f"This run lost its Lease {place} before its end ({lost}), so another one may have changed the release"
    return {"lost": lost}, f"{words}: deploy again." if lost else None


def _looked(params: Row) -> tuple[Row, str | None]:
    seen = leases.look(connect(params), name_of(params["release_name"]), params["release_namespace"])
    words = f"{seen.holder} has it since {seen.since}" if seen.holder else "nobody has it"
    return {"folder": "", "holder": seen.holder, "since": seen.since, "said": words}, None


def _held(params: Row) -> tuple[Row, str | None]:
    # Before the fork: what is wrong with options and libraries is said by this process.
    clusters = [connect(params)]
    # A connection must not be shared by two processes.
    clusters[0].api.rest_client.pool_manager.clear()
    if not params["controller_pid"]:
        raise FindingError("argument-invalid", "controller_pid is missing, the process for which the Lease is kept.")
    me = holder()
    labels = belongings.own_labels(params["release_name"])

    def lease() -> leases.Lease:
        cluster = clusters.pop() if clusters else connect(params)
        name, namespace = name_of(params["release_name"]), params["release_namespace"]
        return leases.Lease(cluster, (name, namespace), me, seconds=lease_keeper.SECONDS, labels=labels)

    answer = lease_keeper.start(lease, params["controller_pid"], params["wait"])
    if "error_id" in answer:
        raise FindingError(answer["error_id"], answer["msg"])
    if "holder" in answer:
        there = leases.Seen(**answer["holder"])
        told = {"folder": "", "holder": there.holder, "since": there.since}
        return told | {"error_id": "lease-held", "waited": answer["waited"]}, _refusal(params, there, answer["waited"])
    # A Lease is no part of the release and does not stay, so taking it does not count as a change.
    return {"holder": me, "since": "", **answer}, None


def _refusal(params: Row, there: leases.Seen, waited: int) -> str:
    """Why a run does not begin: who has the Lease, since when, and what to do."""
    release = f"{params['release_name']} in namespace {params['release_namespace']}"
    waiting = f"this run waited {waited} s for it" if waited else "this run did not wait for it"
    return (
        f"Release {release} is being changed by {there.holder} since {there.since}, and {waiting}. Let that run end, "
        f"or wait longer (ai_agent_lease_wait). If its machine died, Lease {name_of(params['release_name'])} expires "
        f"{there.seconds} s after the last sign of life ({there.renewed})."
    )


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute", "holder", "name_of")
