"""What of a revision's text counts: the branches of PostgreSQL, and what an upgrade reaches."""

from __future__ import annotations

import ast

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.revision_code import of_postgresql, upgrading

BIND = "bind = op.get_bind()\n    "
# The body of upgrade(); `ours` is run on PostgreSQL, or may be, and `other` never.
KEPT_AND_TAKEN = {
    "equal": BIND + "if bind.dialect.name == 'mysql':\n        other()\n    else:\n        ours()",
    "equal the other way round": "if 'postgresql' == op.get_bind().dialect.name:\n        ours()\n    else: other()",
    "not equal, and the end": BIND
    + "if bind.dialect.name != 'postgresql':\n        other()\n        return\n    ours()",
    "one of": "if op.get_context().dialect.name in ('mysql', 'mssql'):\n        other()\n    ours()",
    "none of": "if op.get_context().dialect.name not in {'mysql', 'mssql'}:\n        ours()\n    else: other()",
    "a name of a name": BIND
    + "kind = bind.dialect\n    name = kind.name\n    if name == 'sqlite': other()\n    ours()",
    "a name of a condition": BIND
    + "old = bind.dialect.name == 'sqlite'\n    if not old:\n        ours()\n    else: other()",
    "and": BIND + "if bind.dialect.name == 'sqlite' and sure():\n        other()\n    ours()",
    "or": BIND + "if bind.dialect.name == 'sqlite' or bind.engine.name == 'mysql':\n        other()\n    ours()",
    "elif": BIND + "if bind.engine.name == 'mysql': other()\n    elif sure(): ours()\n    else: ours()",
    "an expression": BIND + "ours() if bind.dialect.name == 'postgresql' else other()",
    "behind the end of a branch": BIND
    + "if bind.dialect.name == 'postgresql':\n        ours()\n        return\n    other()",
    "behind an error": BIND
    + "if bind.dialect.name != 'sqlite':\n        ours()\n        raise ValueError\n    other()",
    "in a block": BIND
    + "with op.batch_alter_table('t'):\n        if bind.dialect.name == 'mysql': other()\n        ours()",
    "the same name twice": BIND + BIND + "if bind.dialect.name == 'mysql': other()\n    ours()",
    "a function around it": BIND
    + "def inner():\n        if bind.dialect.name == 'mysql': other()\n        ours()\n    inner()",
    "alembic's own": "if alembic.op.get_bind().dialect.name == 'mysql': other()\n    ours()",
}
# Both may be run.
UNDECIDED = {
    "another attribute": BIND + "if bind.dialect.driver == 'psycopg': ours()\n    other()",
    "a name of the application": "if settings.dialect.name == 'mysql': other()\n    ours()",
    "another bind": "if session.get_bind().dialect.name == 'mysql': other()\n    ours()",
    "a name that is set twice": BIND + "bind = other_bind()\n    if bind.dialect.name == 'mysql': other()\n    ours()",
    "a name that a caller gives": "def inner(bind):\n        if bind.dialect.name == 'mysql': other()\n        ours()",
    "a list with a name in it": BIND + "if bind.dialect.name in ('mysql', OURS): other()\n    ours()",
    "a condition of two parts": BIND + "if bind.dialect.name == 'postgresql' and sure(): other()\n    ours()",
    "an order": BIND + "if bind.dialect.name > 'mysql': other()\n    ours()",
}


def called(text: str) -> set[str]:
    """The functions that are called below the parts which an upgrade runs."""
    parts = upgrading(of_postgresql(ast.parse(text)))
    nodes = (node for part in parts for node in ast.walk(part))
    return {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


@pytest.mark.parametrize("name", KEPT_AND_TAKEN)
def test_another_dialects_branch_is_not_run(name: str) -> None:
    assert called(f"def upgrade():\n    {KEPT_AND_TAKEN[name]}\n") & {"ours", "other"} == {"ours"}


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_may_be_run_is_kept(name: str) -> None:
    assert called(f"def upgrade():\n    {UNDECIDED[name]}\n") >= {"ours", "other"}


def test_only_what_an_upgrade_names_is_run() -> None:
    text = "def deep(): ours()\ndef helper(): deep()\ndef lost(): other()\ndef upgrade(): helper()\n"
    assert called(text + "def downgrade(): lost()\n") == {"helper", "deep", "ours"}
    assert "other" in called(text + "@compiles(JSON)\ndef hook(): lost()\n")
    assert "other" in called(text + "TABLE = {'a': lost}\n")
    assert "other" in called(text + "class Own:\n    run = lost\n")
    assert "other" in called(text.replace("deep()\n", "globals()['lo' + 'st']()\n"))
    assert "other" in called(text.replace("upgrade", "helps"))
