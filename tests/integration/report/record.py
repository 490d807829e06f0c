"""Records what migration_preflight says of a real database, for the page: python -m tests.integration.report.record"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

sys.path.insert(0, "collections")

from ansible_collections.ai_platform.agent.plugins.module_utils._preflight import module

from dev.postgresql import running

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests" / "unit" / "plugins" / "module_utils" / "_page"
# As large as a table must be to be worth a warning, and no larger.
FILL = """
INSERT INTO sessions (id) SELECT gen_random_uuid() FROM generate_series(1, 5000);
INSERT INTO messages (session_id, role, content)
SELECT id, CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END, repeat('word ', 60)
FROM sessions, generate_series(1, 40) AS n;
ANALYZE;
"""
HURTING = '''"""Message texts are limited, and found by their session's day."""
from alembic import op
revision = "0007"
down_revision = "0006"
def upgrade():
    op.execute("ALTER TABLE messages ALTER COLUMN content TYPE varchar(8000)")
    op.execute("CREATE INDEX ix_sessions_created_at ON sessions (created_at)")
    op.execute("ALTER TABLE sessions RENAME COLUMN created_at TO began_at")
def downgrade():
    pass
'''
ACCEPTED = [
    {"id": name, "reason": reason, "revision": "0005", "table": None}
    for name, reason in [
        ("revision-not-static", "Fills in batches of 5000, each committed; read by two people."),
        ("full-table-write", "Only offline it is one statement."),
    ]
]


def _alembic(folder: Path, url: str, target: str) -> None:
    words = [sys.executable, "-m", "alembic", "upgrade", target]
    subprocess.run(words, cwd=folder, env=os.environ | {"DATABASE_URL": url}, capture_output=True, check=True)


def _judged(folder: Path, url: str, programs: Path) -> dict[str, object]:
    path = folder / "report.json"
    params = {name: option.get("default") for name, option in module.ARGUMENTS.items()}
    params |= {
        "alembic_dir": str(folder),
        "database_url": url,
        "environment": "prod",
        "accept": ACCEPTED,
        "migrator_sets_lock_timeout": True,
        "report_path": str(path),
        "trace": True,
        "trace_postgresql": str(programs),
    }
    module.execute(params)
    full: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    # The port is another one each time, and nobody's database is called 127.0.0.1.
    return full | {"subject": "db.example.com:5432/agent"}


def main() -> None:
    with tempfile.TemporaryDirectory() as place, running(15) as server:
        folder, programs = Path(place) / "agent", server.folder / "programs" / "bin"
        shutil.copytree(ROOT / "images" / "agent", folder)
        _alembic(folder, server.url(), "0003")
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for statement in FILL.split(";")[:-1]:
                connection.execute(statement)
        found = {"safe": _judged(folder, server.url(), programs)}
        (folder / "migrations" / "versions" / "0007_limits.py").write_text(HURTING, encoding="utf-8")
        found["unsafe"] = _judged(folder, server.url(), programs)
    for name, full in found.items():
        (FOLDER / f"preflight-{name}.json").write_text(json.dumps(full, indent=1) + "\n", encoding="utf-8")
        print(name, full["verdict"])


if __name__ == "__main__":
    main()
