"""Records what the collector says about the cases, for the unit tests: python -m tests.integration.preflight.record"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import psycopg

sys.path.insert(0, "collections")

from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import live_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.facts import TableFacts
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.questions import facts_request

from dev.postgresql import running
from tests.unit.plugins.module_utils._sql.cases import CASES, SCHEMA, VERSIONS
from tests.unit.plugins.module_utils._sql.claims import parsed

FOLDER = Path(__file__).resolve().parents[2] / "unit" / "plugins" / "module_utils" / "_sql" / "facts"


def collected(connection: psycopg.Connection) -> dict[str, t.Any]:
    """The collector's two answers for all cases together."""
    question = facts_request([parsed(case.sql, alone=case.alone) for case in CASES if not case.before])
    facts = live_facts.collect(connection, question)
    # What other modules of _in_pod add is recorded with them.
    known = {name: rows for name, rows in facts.items() if name in TableFacts.__annotations__}
    return {"server": live_facts.server(connection, 0), "facts": known}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for major in VERSIONS:
        with running(major) as server, psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(SCHEMA)
            answer = collected(connection)
            answer["server"]["sessions"] = []
            lines = [f'"server": {json.dumps(answer["server"])}']
            for name, rows in answer["facts"].items():
                if isinstance(rows, dict):
                    parts = [f'"{part}": {json.dumps(value)}' for part, value in rows.items()]
                    lines.append(f'"{name}": {{\n' + ",\n".join(parts) + "\n}")
                else:
                    lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]")
            (FOLDER / f"{major}.json").write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
