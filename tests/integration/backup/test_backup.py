"""A backup comes back as it was; what is not one is never taken for one."""

from __future__ import annotations

import typing as t

import psycopg

from tests.integration.backup.conftest import Place

ROWS = """
SELECT format('%I.%I', n.nspname, c.relname), (xpath('/row/d/text()', query_to_xml(format(
  'SELECT md5(string_agg(t::text, ''|'' ORDER BY t::text)) AS d FROM ONLY %I.%I t', n.nspname, c.relname),
  false, true, '')))[1]::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1
"""


def content(url: str) -> t.Any:
    """Every row of every table, and of the large objects."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(t.cast("t.Any", ROWS)).fetchall()
        objects = connection.execute(
            "SELECT m.oid, md5(lo_get(m.oid)) FROM pg_largeobject_metadata m ORDER BY 1"
        ).fetchall()
        return rows, objects


def test_a_lost_volume_comes_back_with_the_same_rows(place: Place) -> None:
    before = content(place.url)
    made = place.ask(image="agent@sha256:1")
    record = made["backup"]
    assert (record["verified"], record["revision"], record["image"]) == (True, ["r7"], "agent@sha256:1")
    target = f"{place.database}_again"
    place.execute("DROP TABLE items CASCADE")
    result = place.ask(database_url=place.server.url(), state="restore", restore_database=target)
    assert content(place.server.url(target)) == before
    assert target in result["next_step"]
    assert result["expected_seconds"] == record["seconds"]["restore"]
    assert place.names() == [record["name"]]
    assert list(place.work.iterdir()) == []
