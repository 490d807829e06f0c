"""Blocks of PL/pgSQL: what of them is read, and that the rest is unknown and never safe."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import said_and_done, worst

TABLES = """
CREATE TABLE users (id serial PRIMARY KEY, email text, age int, tags text[]);
INSERT INTO users (email, age) VALUES ('a', 1), ('b', 2); CREATE TYPE feeling AS ENUM ('a');
"""
ABOUT = {"statement-refused", "definition-refused", "object-missing", "table-missing", "object-exists",
         "statement-opaque"}  # fmt: skip
# The worst that is said of a block, whether it ends with an error, and the block.
CASES: dict[str, tuple[str | None, bool, str]] = {
    'for loop': ('unknown', False, 'DECLARE r record; BEGIN FOR r IN SELECT * FROM users LOOP UPDATE users SET age = 1 WHERE id = r.id; END LOOP; END'),
    'for range': ('unknown', False, "BEGIN FOR i IN 1..3 LOOP EXECUTE 'CREATE TABLE t' || i || ' (a int)'; END LOOP; END"),
    'foreach': ('unknown', False, "DECLARE x text; BEGIN FOREACH x IN ARRAY ARRAY['a','b'] LOOP EXECUTE format('ALTER TABLE users ADD %I int', x); END LOOP; END"),
    'execute format const': (None, False, "BEGIN EXECUTE format('ALTER TABLE %I ADD %I int', 'users', 'score'); END"),
    'execute format bad': ('fail', True, "BEGIN EXECUTE format('ALTER TABLE %I ADD %I int', 'nothere', 'score'); END"),
    'execute concat': ('fail', True, "BEGIN EXECUTE 'DROP TABLE ' || 'nothere'; END"),
    'execute using': ('unknown', False, "BEGIN EXECUTE 'UPDATE users SET age = $1' USING 5; END"),
    'if return': ('unknown', False, 'BEGIN IF EXISTS (SELECT 1 FROM users) THEN RETURN; END IF; DROP TABLE nothere; END'),
    'if return not': ('unknown', True, 'BEGIN IF NOT EXISTS (SELECT 1 FROM users) THEN RETURN; END IF; DROP TABLE nothere; END'),
    'exception others': ('unknown', False, 'BEGIN DROP TABLE nothere; EXCEPTION WHEN others THEN NULL; END'),
    'exception others reraise': ('unknown', True, 'BEGIN DROP TABLE nothere; EXCEPTION WHEN others THEN RAISE; END'),
    'while': ('unknown', True, "DECLARE i int := 0; BEGIN WHILE i < 3 LOOP i := i + 1; EXECUTE 'DROP TABLE nothere'; END LOOP; END"),
    'for query execute': ('unknown', False, "DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables WHERE tablename = 'users' LOOP EXECUTE 'ALTER TABLE ' || quote_ident(r.tablename) || ' ADD created int'; END LOOP; END"),
    'nested exception': ('unknown', True, 'BEGIN BEGIN DROP TABLE nothere; EXCEPTION WHEN undefined_table THEN NULL; END; DROP TABLE alsonot; END'),
    'get diagnostics': ('unknown', True, "DECLARE n int; BEGIN UPDATE users SET age = 1; GET DIAGNOSTICS n = ROW_COUNT; IF n <> 5 THEN RAISE EXCEPTION 'wrong'; END IF; END"),
    'select into': ('unknown', True, "DECLARE n int; BEGIN SELECT count(*) INTO n FROM users; IF n > 0 THEN RAISE EXCEPTION 'not empty'; END IF; END"),
    'return then ': ('unknown', False, 'BEGIN RETURN; DROP TABLE nothere; END'),
    'if raise': ('unknown', True, "BEGIN IF EXISTS (SELECT 1 FROM users) THEN RAISE EXCEPTION 'x'; END IF; END"),
    'exception others on good': ('unknown', False, "BEGIN ALTER TABLE users ADD score int; EXCEPTION WHEN others THEN RAISE NOTICE 'x'; END"),
    'loop exit': ('unknown', False, 'BEGIN LOOP EXIT; END LOOP; END'),
    'execute into': ('unknown', True, "DECLARE n int; BEGIN EXECUTE 'SELECT 1 FROM nothere' INTO n; END"),
    'for over exec': ('unknown', True, "DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT * FROM nothere' LOOP NULL; END LOOP; END"),
    'exception duplicate_column more': ('unknown', False, 'BEGIN ALTER TABLE users ADD age int; ALTER TABLE users ADD score int; EXCEPTION WHEN duplicate_column THEN NULL; END'),
    'const declared': ('unknown', True, "DECLARE t text := 'nothere'; BEGIN EXECUTE 'DROP TABLE ' || t; END"),
    'execute quote': (None, False, "BEGIN EXECUTE 'ALTER TABLE users ADD COLUMN ' || quote_ident('Age') || ' int'; END"),
    'execute current_database': ('unknown', True, "BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'nope'); END"),
    'sqlstate handler': ('unknown', False, "BEGIN DROP TABLE nothere; EXCEPTION WHEN SQLSTATE '42P01' THEN NULL; END"),
    'format few args': ('unknown', True, "BEGIN EXECUTE format('ALTER TABLE %I ADD %I int', 'users'); END"),
    'format %s': (None, False, "BEGIN EXECUTE format('ALTER TABLE %s ADD x int DEFAULT %L', 'users', '5'); END"),
    'format positional': ('fail', True, "BEGIN EXECUTE format('ALTER TABLE %1$I ADD %2$I int', 'users', 'age'); END"),
    'if type return, bad': (None, False, "BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'feeling') THEN RETURN; END IF; DROP TABLE nothere; END"),
    'if no type return, bad': ('fail', True, "BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'nofeeling') THEN RETURN; END IF; DROP TABLE nothere; END"),
    'if not type return, ok': (None, False, "BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'feeling') THEN RETURN; END IF; ALTER TABLE users ADD m feeling; END"),
    'return first': ('unknown', False, 'BEGIN RETURN; DROP TABLE nothere; END'),
    'return last': (None, False, 'BEGIN ALTER TABLE users ADD m feeling; RETURN; END'),
    'two returns': ('unknown', False, "BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'nofeeling') THEN RETURN; END IF; IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'feeling') THEN RETURN; END IF; DROP TABLE nothere; END"),
    'format %%': (None, False, "BEGIN EXECUTE format('COMMENT ON TABLE users IS %L', '5%'); END"),
    'format percent': (None, False, "BEGIN EXECUTE format('COMMENT ON TABLE %I IS ''10%%''', 'users'); END"),
    'format width': ('unknown', False, "BEGIN EXECUTE format('ALTER TABLE %-5I ADD x int', 'users'); END"),
    'format missing': ('unknown', True, "BEGIN EXECUTE format('ALTER TABLE %I ADD %I int', 'users'); END"),
    'format upper': ('fail', True, "BEGIN EXECUTE format('ALTER TABLE %I ADD x int', 'Users'); END"),
    'format schema in I': ('fail', True, "BEGIN EXECUTE format('ALTER TABLE %I ADD x int', 'public.users'); END"),
    'format current_schema': ('unknown', False, "BEGIN EXECUTE format('ALTER TABLE %I.users ADD x int', current_schema()); END"),
    'format mixed': (None, False, "BEGIN EXECUTE format('ALTER TABLE %2$I ADD %1$I int, ADD %s int', 'x', 'users', 'y'); END"),
    'format number': (None, False, "BEGIN EXECUTE format('ALTER TABLE users ADD x int DEFAULT %s', 5); END"),
    'format null': ('unknown', True, "BEGIN EXECUTE format('ALTER TABLE %I ADD x int', NULL); END"),
    'format empty': ('unknown', True, "BEGIN EXECUTE format('ALTER TABLE %I ADD x int', ''); END"),
    'literal quote': (None, False, "BEGIN EXECUTE 'COMMENT ON TABLE users IS ' || quote_literal('it''s'); END"),
    'literal backslash': ('unknown', False, "BEGIN EXECUTE format('COMMENT ON TABLE users IS %L', 'a\\b'); END"),
    'concat': (None, False, "BEGIN EXECUTE concat('ALTER TABLE ', 'users', ' ADD x int'); END"),
    'concat null': ('unknown', True, "BEGIN EXECUTE 'ALTER TABLE users ADD x int' || NULL; END"),
    'two in one': ('unknown', False, "BEGIN EXECUTE 'ALTER TABLE users ADD x int; ALTER TABLE users ADD y int'; END"),
    'execute select': ('unknown', False, "BEGIN EXECUTE 'SELECT 1'; END"),
    'execute commit': ('unknown', True, "BEGIN EXECUTE 'COMMIT'; END"),
    'execute nothing': ('unknown', False, "BEGIN EXECUTE ''; END"),
    'return in if with more': ('unknown', False, "BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'feeling') THEN RAISE NOTICE 'x'; RETURN; END IF; DROP TABLE nothere; END"),
    'return in else': ('unknown', False, "BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'nofeeling') THEN NULL; ELSE RETURN; END IF; DROP TABLE nothere; END"),
    'nested': ('unknown', False, "BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'feeling') THEN RETURN; END IF; IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'nofeeling') THEN DROP TABLE nothere; END IF; END"),
    'exception after return': ('unknown', False, "BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'nofeeling') THEN RETURN; END IF; CREATE TYPE feeling AS ENUM ('b'); EXCEPTION WHEN duplicate_object THEN NULL; END"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_of_a_block_is_read(name: str, session: psycopg.Connection) -> None:
    wanted, fails, block = CASES[name]
    found, error = said_and_done(session, TABLES, "", [f"DO $$ {block} $$"])
    told = [item.message for item in found]
    assert worst(found, ABOUT) == wanted, (told, error)
    assert bool(error) == fails, error
    assert wanted == "unknown" or fails == (wanted == "fail"), (told, error)
