"""What is said of the version that still serves is what its statements meet, on every supported server."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight import serving
from tests.integration.preflight.conftest import CHOSEN
from tests.integration.preflight.said_and_done import judged

# By the server's error: the findings of which one must be there.
SAID = {
    "FeatureNotSupported": {"cached-plan"},
    "CheckViolation": {"write-rejected"},
    "UniqueViolation": {"write-rejected"},
    "ForeignKeyViolation": {"write-rejected"},
    "ExclusionViolation": {"write-rejected"},
    "NotNullViolation": {"contract-phase"},
    "InvalidColumnReference": {"conflict-target-dropped"},
    "UndefinedColumn": {"destructive", "rename"},
    "UndefinedTable": {"destructive", "rename"},
}


def rows() -> dict[str, list[str]]:
    """The document's cells by migration."""
    lines = serving.DOCUMENT.read_text().splitlines()
    parts = [[part.strip() for part in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {part[0].strip("`"): part[1:] for part in parts}


@pytest.mark.parametrize("version", CHOSEN)
def test_the_document_and_the_findings_are_what_the_server_does(version: int) -> None:
    written = rows()
    assert set(written) == set(serving.KINDS)
    with serving.prepared_server(version) as (admin, url):
        for kind in serving.KINDS:
            seen = serving.effects(admin, url, kind)
            for name, cell in zip(serving.OLD, written[kind], strict=True):
                now = serving.shown(seen, name)
                assert cell == now or f"{now} on" in cell, (kind, name)
            with psycopg.connect(url("serving")) as connection:
                ids = {item.id for item in judged(connection, [kind])}
            for error in set(seen.values()) - {""}:
                assert SAID[error] & ids, (kind, error, ids)
