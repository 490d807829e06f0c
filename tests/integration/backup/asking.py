"""How the tests call the module: its parameters as Ansible would complete them, and a database worth backing up."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._database.module import ARGUMENTS, execute

Row = dict[str, t.Any]

# What a dump can lose: odd names, inheritance, partitions, generated columns, identities, large objects, views, rights.
SCHEMA = r"""
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('r7');
CREATE SCHEMA "Odd ""Schema' %";
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text, amount int,
                    doubled int GENERATED ALWAYS AS (amount * 2) STORED, m mood DEFAULT 'glad', raw bytea, j jsonb);
INSERT INTO items (label, amount, raw, j)
SELECT repeat('üÿ', n % 9) || E'\t\n\\' || n, n, decode(md5(n::text), 'hex'), jsonb_build_object('n', n)
FROM generate_series(1, 2000) n;
CREATE TABLE "Odd ""Schema' %"."table; DROP TABLE items;--" ("a %s" bigint REFERENCES items);
INSERT INTO "Odd ""Schema' %"."table; DROP TABLE items;--" SELECT n FROM generate_series(1, 10) n;
CREATE TABLE parts (k int, v text) PARTITION BY RANGE (k);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT n, n FROM generate_series(1, 250) n;
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent SELECT generate_series(1, 5);
INSERT INTO child SELECT n, n FROM generate_series(1, 7) n;
CREATE UNLOGGED TABLE volatile AS SELECT 1 AS a;
CREATE VIEW some_items AS SELECT * FROM items WHERE amount < 10;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS c FROM items;
CREATE SEQUENCE downwards INCREMENT -5 MINVALUE -1000000 MAXVALUE 100 START 100;
SELECT nextval('downwards'), nextval('downwards');
CREATE FUNCTION trigger_it() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no more rows'; END$$;
CREATE TABLE guarded (a int);
INSERT INTO guarded VALUES (1), (2);
CREATE TRIGGER guard BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION trigger_it();
SELECT lo_from_bytea(0, decode(repeat('00ff', 3000), 'hex')), lo_from_bytea(0, 'second');
COMMENT ON TABLE items IS 'what''s \in it';
"""


def complete(**given: t.Any) -> Row:
    """All parameters of the module."""
    params = {name: item.get("default") for name, item in ARGUMENTS.items()} | {"check_mode": False}
    return params | {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}


def ask(**given: t.Any) -> Row:
    """The module's result."""
    result, problem = execute(complete(**given))
    assert problem is None
    return result
