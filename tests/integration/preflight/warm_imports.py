"""What the process has imported of which warm.py makes forks; never imported in another one."""

from __future__ import annotations

import importlib
from pathlib import Path

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

_AnsibleCollectionFinder(paths=[str(Path(__file__).resolve().parents[3] / "collections")])._install()

_ROOM = "ansible_collections.ai_platform.agent.plugins.module_utils._preflight"
for _name in (
    "alembic.command",
    "alembic.config",
    "ansible.module_utils._internal._ansiballz._loader",
    "pglast",
    "psycopg",
    "sqlalchemy.dialects.postgresql",
    f"{_ROOM}.execution",
    f"{_ROOM}.run",
    f"{_ROOM}.source_direct",
    f"{_ROOM}.trace_direct",
    "tests.integration.preflight.warm",
):
    importlib.import_module(_name)
