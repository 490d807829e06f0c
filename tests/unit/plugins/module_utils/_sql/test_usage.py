"""Does a statement use a table, or a column of it? Each shape has its answer for one column and for its neighbour."""

from __future__ import annotations

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.usage import use_of

MESSAGES = {("public", "messages")}

# Statement, whether it uses messages.model, whether it uses the table.
SHAPES = [
    ("SELECT model FROM messages WHERE id = $1", True, True),
    ("SELECT id FROM messages", False, True),
    ("SELECT * FROM messages", True, True),
    ("SELECT m.* FROM messages m JOIN sessions s ON s.id = m.session_id", True, True),
    ("SELECT s.* FROM messages m JOIN sessions s ON s.id = m.session_id", False, True),
    ("SELECT s.model FROM messages m JOIN sessions s ON s.id = m.session_id", False, True),
    ("SELECT model FROM messages m JOIN sessions s ON s.id = m.session_id", True, True),
    ("SELECT m FROM messages m", True, True),
    ("SELECT row_to_json(messages) FROM messages", True, True),
    ("SELECT count(*) FROM messages", False, True),
    ("SELECT id FROM messages ORDER BY model", True, True),
    ("SELECT id FROM messages GROUP BY id HAVING max(model) > $1", True, True),
    ("SELECT id FROM messages NATURAL JOIN sessions", True, True),
    ("SELECT id FROM messages JOIN sessions USING (model)", True, True),
    ("SELECT id FROM messages JOIN sessions USING (id)", False, True),
    ("SELECT (m).model FROM (SELECT m FROM messages m) x", True, True),
    ("SELECT id FROM sessions WHERE EXISTS (SELECT FROM messages WHERE model = $1)", True, True),
    ("WITH x AS (SELECT id, model FROM messages) SELECT id FROM x", True, True),
    ("WITH messages AS (SELECT 1 AS model) SELECT model FROM messages", False, False),
    ("SELECT model FROM archive.messages", False, False),
    ("SELECT model FROM public.messages", True, True),
    ("INSERT INTO messages (id, model) VALUES ($1, $2)", True, True),
    ("INSERT INTO messages (id) VALUES ($1)", False, True),
    ("INSERT INTO messages VALUES ($1, $2)", True, True),
    ("INSERT INTO messages (id) VALUES ($1) RETURNING model", True, True),
    ("INSERT INTO messages (id) VALUES ($1) ON CONFLICT (model) DO NOTHING", True, True),
    ("INSERT INTO messages (id) VALUES ($1) ON CONFLICT ON CONSTRAINT k DO NOTHING", True, True),
    ("INSERT INTO messages (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id", False, True),
    ("INSERT INTO messages (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET model = excluded.model", True, True),
    ("INSERT INTO log (id) SELECT id FROM messages WHERE model = $1", True, True),
    ("UPDATE messages SET model = $1", True, True),
    ("UPDATE messages SET id = $1 WHERE model = $2", True, True),
    ("UPDATE messages SET (id, model) = ($1, $2)", True, True),
    ("UPDATE messages SET id = $1", False, True),
    ("UPDATE log SET model = $1", False, False),
    ("DELETE FROM messages WHERE model = $1", True, True),
    ("DELETE FROM messages USING sessions s WHERE s.model = $1", False, True),
    ("DELETE FROM messages", False, True),
    ("MERGE INTO messages m USING log l ON l.id = m.id WHEN MATCHED THEN UPDATE SET model = l.x", True, True),
    ("MERGE INTO messages m USING log l ON l.id = m.id WHEN NOT MATCHED THEN INSERT (id) VALUES (l.id)", False, True),
    ("COPY messages TO STDOUT", True, True),
    ("COPY messages (id) FROM STDIN", False, True),
    ("COPY (SELECT model FROM messages) TO STDOUT", True, True),
    ("DECLARE c CURSOR FOR SELECT model FROM messages", True, True),
    ("PREPARE p AS SELECT model FROM messages", True, True),
    ("EXPLAIN SELECT model FROM messages", True, True),
    ("TABLE messages", True, True),
    ("SELECT id FROM messages FOR UPDATE OF messages", False, True),
    ("SELECT x.model FROM messages m, LATERAL (SELECT m.model AS model) x", True, True),
    ('SELECT "model" FROM "messages"', True, True),
    ("/* model */ SELECT id FROM messages -- model", False, True),
    ("SELECT 'model' FROM messages", False, True),
]


@pytest.mark.parametrize(("sql", "column", "table"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_a_shape(sql: str, column: bool, table: bool) -> None:
    assert use_of(sql, MESSAGES, "model") == ("yes" if column else "no")
    assert use_of(sql, MESSAGES, None) == ("yes" if table else "no")


@pytest.mark.parametrize("sql", ["SELECT model FRO messages", "DO $$ BEGIN DELETE FROM messages; END $$"])
def test_what_cannot_be_read_is_open(sql: str) -> None:
    assert use_of(sql, MESSAGES, "model") == "open"
