"""Indexes of pgvector against maintenance_work_mem: what is said, and what a server with the extension does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.judge_vector_indexes import (
    hnsw_bytes,
    ivfflat_bytes,
)
from psycopg import sql

from dev.postgresql import Server, running
from tests.integration.preflight.asking import ask, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project

MIB = 2**20
ROWS = 3000


@pytest.fixture(scope="module")
def vectors() -> Iterator[Server]:
    """A server with a table of vectors of each length."""
    with running(16, vector=True) as server, psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
        for dimensions in (3, 64):
            name = sql.Identifier(f"of_{dimensions}")
            connection.execute(sql.SQL("CREATE TABLE {} (v vector({}))").format(name, dimensions))
            values = sql.SQL(
                "INSERT INTO {} SELECT (SELECT array_agg(random()) FROM generate_series(1, {}) WHERE g > 0)::vector"
                " FROM generate_series(1, {}) g"
            )
            connection.execute(values.format(name, dimensions, ROWS))
        connection.execute("ANALYZE")
        prepare(server.url(), revision="0001")
        yield server


@pytest.mark.parametrize("dimensions", [3, 64])
@pytest.mark.parametrize("lists", [100, 400, 2000])
def test_ivfflat_refuses_to_be_built_in_less(vectors: Server, dimensions: int, lists: int) -> None:
    """What it says it needs, rounded up, is what was computed; with that much it is built."""
    needed = ivfflat_bytes(ROWS, dimensions, lists) // MIB + 1
    build = f"CREATE INDEX ON of_{dimensions} USING ivfflat (v vector_l2_ops) WITH (lists = {lists})"
    with psycopg.connect(vectors.url()) as connection:
        connection.execute("SET maintenance_work_mem = '1MB'")
        with pytest.raises(psycopg.errors.ProgramLimitExceeded, match=f"memory required is {needed} MB"):
            connection.execute(build.encode())
        connection.rollback()
        connection.execute(f"SET maintenance_work_mem = '{needed}MB'".encode())
        connection.execute(build.encode())
        connection.rollback()


@pytest.mark.parametrize(("dimensions", "m"), [(3, 16), (3, 32), (64, 16)])
def test_hnsw_leaves_memory_where_it_was_computed(vectors: Server, dimensions: int, m: int) -> None:
    """Within a tenth."""
    told: list[str] = []
    with psycopg.connect(vectors.url()) as connection:
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        connection.execute("SET maintenance_work_mem = '1MB'")
        # Beyond memory each row costs milliseconds: as many as tell the place are enough.
        rows = MIB // hnsw_bytes(1, dimensions, m) * 11 // 10
        few = sql.SQL("CREATE TABLE few AS SELECT v FROM {} LIMIT {}")
        connection.execute(few.format(sql.Identifier(f"of_{dimensions}"), rows))
        connection.execute(f"CREATE INDEX ON few USING hnsw (v vector_l2_ops) WITH (m = {m})".encode())
        connection.rollback()
    found = [int(match[1]) for text in told if (match := re.search(r"no longer fits .* after (\d+) tuples", text))]
    assert len(found) == 1, told
    assert 0.9 <= found[0] * hnsw_bytes(1, dimensions, m) / MIB <= 1.1


FLAT = "CREATE INDEX CONCURRENTLY i ON of_64 USING ivfflat (v vector_l2_ops) WITH (lists = 2000)"


@pytest.mark.parametrize(
    ("statements", "severity"),
    [
        ([FLAT], "fail"),
        (["SET maintenance_work_mem = '1GB'", FLAT], None),
        (["SET maintenance_work_mem = '8MB'", FLAT.replace("2000", "400")], "fail"),
        ([FLAT.replace("(v ", "((v::vector(64)) ")], "fail"),
        ([FLAT.replace("2000", "100")], None),
        ([FLAT.replace("ivfflat", "hnsw").replace("lists = 2000", "m = 4")], None),
        (["SET maintenance_work_mem = 1024", FLAT.replace("ivfflat", "hnsw").replace("lists = 2000", "m = 4")], "warn"),
        (["CREATE TABLE anew (v vector(64))", FLAT.replace("of_64", "anew")], None),
    ],
    ids=str,
)
def test_what_is_said(vectors: Server, statements: list[str], severity: str | None, tmp_path: Path) -> None:
    body = [f"        op.execute({text!r})" for text in statements]
    block = "    with op.get_context().autocommit_block():"
    project = Project(tmp_path / "app").add("0001", None).add("0002", "0001", body="\n".join([block, *body]))
    said = ask(project.folder, vectors.url())
    found = [item["severity"] for item in said.findings if item["id"] == "vector-index-memory"]
    assert found == ([severity] if severity else []), said.findings
