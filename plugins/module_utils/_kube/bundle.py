"""Programs for a Python in a pod, packed from the modules of _in_pod: bundle_loader.py unpacks them there."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import typing as t
import zlib

from ansible_collections.ai_platform.agent.plugins.module_utils._common.source_text import source

# Ansible packs with a module only what it sees imported: names in strings would be left behind, so these imports stay.
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import (
    alembic_trace,
    alembic_worker,
    backup_pod,
    bundle_loader,
    collect,
    contract_desk,
    http_answers,
    known_revisions,
    move_pod,
    probe,
    render,
    retention,
    rotation,
    service_file,
)

PACKAGE: t.Final = bundle_loader.__name__.rpartition(".")[0]


def _named(entry: t.Any, *others: str) -> tuple[str, ...]:
    return entry.__name__, *(f"{PACKAGE}.{name}" for name in others)


# The full names of what each program consists of; the first one's `main` takes the request.
_WORKER: t.Final = (
    "alembic_online",
    "alembic_place",
    "alembic_url",
    "alembic_watch",
    "alembic_worker",
    "executed_text",
    "files_read",
    "kept_off_disk",
    "revision_code",
    "revision_problems",
    "source_lines",
    "untyped_literals",
)
RENDERER: t.Final = _named(render, *_WORKER, "framing")
# On this machine, for the direct transport.
RENDERING_WORKER: t.Final = _named(alembic_worker, *(name for name in _WORKER if name != "alembic_worker"))
TRACER: t.Final = _named(alembic_trace, *_WORKER)
COLLECTOR: t.Final = _named(
    collect,
    *_WORKER,
    "address_facts",
    "relation_facts",
    "check_facts",
    "copy_facts",
    "errors",
    "framing",
    "guest_memory",
    "immutable_facts",
    "key_facts",
    "libpq_url",
    "named_facts",
    "live_facts",
    "right_facts",
    "live_queries",
    "object_facts",
    "row_bounds",
    "row_facts",
    "row_queries",
    "row_tables",
    "row_casts",
    "row_written",
    "sequence_facts",
    "shape_facts",
    "object_queries",
    "parse_facts",
    "place_facts",
    "probe_causes",
    "probe_startup",
    "session",
    "usage_facts",
    "write_facts",
    "write_queries",
)
REVISIONS: t.Final = _named(known_revisions)
BACKUP: t.Final = _named(
    backup_pod,
    *_WORKER,
    "backup_encryption",
    "backup_facts",
    "backup_failure",
    "backup_folder",
    "backup_lost",
    "backup_manifest",
    "backup_restoration",
    "backup_restore",
    "backup_retention",
    "backup_session",
    "backup_run",
    "backup_store",
    "backup_store_failure",
    "backup_stored",
    "backup_take",
    "backup_verify",
    "errors",
    "framing",
    "libpq_url",
    "probe_causes",
    "session",
)
MOVE: t.Final = _named(
    move_pod,
    "backup_pod",
    "move_facts",
    "move_freeze",
    "move_run",
    *(name.rpartition(".")[2] for name in BACKUP if name != backup_pod.__name__),
)
CONTRACT: t.Final = _named(contract_desk, "contract_load", "contract_relay", "stdin_lines")
HTTP_ANSWERS: t.Final = _named(http_answers, "stdin_lines")
LOGIN: t.Final = _named(service_file, "errors", "libpq_url", "probe_causes", "session")
PROBE: t.Final = _named(
    probe,
    "framing",
    "guest_memory",
    "libpq_url",
    "probe_causes",
    "probe_certificate",
    "probe_model",
    "probe_postgresql",
    "probe_progress",
    "probe_proxy",
    "probe_redis",
    "probe_startup",
    "probe_wire",
)
RETENTION: t.Final = _named(
    retention,
    "errors",
    "framing",
    "guest_memory",
    "libpq_url",
    "probe_causes",
    "probe_startup",
    "retention_batches",
    "retention_debt",
    "retention_effects",
    "retention_failure",
    "retention_statements",
    "retention_tables",
    "session",
)
ROTATION: t.Final = _named(rotation, "errors", "guest_memory", "libpq_url", "probe_causes", "session")


def bundle(names: t.Sequence[str], request: dict[str, t.Any]) -> str:
    """One line of base64: the modules `names`, and the request for the `main` of the first."""
    whole = {"sources": {name: source(name) for name in names}, "entry": names[0], "request": request}
    return base64.b64encode(zlib.compress(json.dumps(whole).encode(), 9)).decode()


def command(*arguments: str) -> list[str]:
    """The command that runs a bundle; without an argument it is read from stdin."""
    return ["python", "-c", source(bundle_loader.__name__), *arguments]


__all__ = (
    "BACKUP",
    "COLLECTOR",
    "CONTRACT",
    "HTTP_ANSWERS",
    "LOGIN",
    "MOVE",
    "PROBE",
    "RENDERER",
    "RENDERING_WORKER",
    "RETENTION",
    "REVISIONS",
    "ROTATION",
    "TRACER",
    "bundle",
    "command",
)
