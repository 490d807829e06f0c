"""Blocks with ELSIF, with values of enums and other names in their conditions, with EXECUTE and caught columns."""

# ruff: noqa: E501 - a table; every statement is written here

from __future__ import annotations

import psycopg
import pytest

from tests.integration.preflight.said_and_done import LEDGER, agree_at_worst, said_and_done, sql

# ThreeFish-AI/negentropy#52 and #51, MODSetter/SurfSense#395 and OpenHands/OpenHands#11782 reported such blocks.
CASES: dict[str, tuple[str, list[str], str | None, str]] = {
    "enum label by pg_enum not there": ("CREATE TYPE pk AS ENUM ('user','org'); CREATE TABLE principals (id int PRIMARY KEY, kind pk NOT NULL, is_system bool); INSERT INTO principals VALUES (1,'user',false),(2,'user',true);", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'GITHUB' AND enumtypid = (SELECT oid FROM pg_type WHERE typname = 'pk')) THEN ALTER TYPE pk ADD VALUE 'GITHUB'; END IF; END $$"), None, ""),
    "enum label by pg_enum there": ("CREATE TYPE pk AS ENUM ('user','org'); CREATE TABLE principals (id int PRIMARY KEY, kind pk NOT NULL, is_system bool); INSERT INTO principals VALUES (1,'user',false),(2,'user',true);", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'org' AND enumtypid = (SELECT oid FROM pg_type WHERE typname = 'pk')) THEN ALTER TYPE pk ADD VALUE 'org'; END IF; END $$"), None, ""),
    "enum label by pg_enum, type missing": ("", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'GITHUB' AND enumtypid = (SELECT oid FROM pg_type WHERE typname = 'connector')) THEN ALTER TYPE connector ADD VALUE 'GITHUB'; END IF; END $$"), "fail", "does not exist"),
    "enum label by pg_enum join": ("CREATE TYPE pk AS ENUM ('user','org'); CREATE TABLE principals (id int PRIMARY KEY, kind pk NOT NULL, is_system bool); INSERT INTO principals VALUES (1,'user',false),(2,'user',true);", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_enum e JOIN pg_type t ON e.enumtypid = t.oid WHERE t.typname = 'pk' AND e.enumlabel = 'org') THEN ALTER TYPE pk ADD VALUE 'org'; END IF; END $$"), None, ""),
    "enum label added without check": ("CREATE TYPE pk AS ENUM ('user','org'); CREATE TABLE principals (id int PRIMARY KEY, kind pk NOT NULL, is_system bool); INSERT INTO principals VALUES (1,'user',false),(2,'user',true);", sql("ALTER TYPE pk ADD VALUE 'org'"), "fail", "already exists"),
    "ELSIF four ways: both": ("CREATE TYPE plugin_vis AS ENUM ('a'); CREATE TYPE pluginvis AS ENUM ('a');", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'plugin_vis') AND NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN ALTER TYPE plugin_vis RENAME TO pluginvis; ELSIF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'plugin_vis') AND EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN DROP TYPE plugin_vis; ELSIF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN CREATE TYPE pluginvis AS ENUM ('a'); END IF; END $$", "CREATE TABLE p (v pluginvis)"), None, ""),
    "ELSIF four ways: none": ("", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'plugin_vis') AND NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN ALTER TYPE plugin_vis RENAME TO pluginvis; ELSIF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'plugin_vis') AND EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN DROP TYPE plugin_vis; ELSIF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN CREATE TYPE pluginvis AS ENUM ('a'); END IF; END $$", "CREATE TABLE p (v pluginvis)"), None, ""),
    "ELSIF four ways: old in use": ("CREATE TYPE plugin_vis AS ENUM ('a'); CREATE TYPE pluginvis AS ENUM ('a'); CREATE TABLE q (v plugin_vis);", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'plugin_vis') AND NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN ALTER TYPE plugin_vis RENAME TO pluginvis; ELSIF EXISTS (SELECT 1 FROM pg_type WHERE typname = 'plugin_vis') AND EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN DROP TYPE plugin_vis; ELSIF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'pluginvis') THEN CREATE TYPE pluginvis AS ENUM ('a'); END IF; END $$"), "fail", "depend"),
    "do: pg_proc condition create": ("", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'touch') THEN CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$; END IF; END $$", "CREATE TRIGGER t BEFORE UPDATE ON ledger FOR EACH ROW EXECUTE FUNCTION touch()"), None, ""),
    "do: pg_roles condition": ("", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'readonly') THEN GRANT SELECT ON ledger TO readonly; END IF; END $$"), None, ""),
    "do: perform setval": ("CREATE TABLE mc (id serial PRIMARY KEY, name text); INSERT INTO mc (id, name) VALUES (1,'a');", sql("DO $$  BEGIN PERFORM setval('mc_id_seq', (SELECT max(id) FROM mc)); END $$", "INSERT INTO mc (name) VALUES ('b')"), None, ""),
    "proc: there": ("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$;", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'touch') THEN CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$; END IF; END $$"), None, ""),
    "proc: there, dropped where there": ("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$;", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'touch') THEN DROP FUNCTION touch(); END IF; END $$", "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$;"), None, ""),
    "proc: in another schema": ("CREATE SCHEMA o; CREATE FUNCTION o.touch() RETURNS int LANGUAGE sql AS 'SELECT 1';", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'touch') THEN CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$; END IF; END $$", "CREATE TRIGGER t BEFORE UPDATE ON ledger FOR EACH ROW EXECUTE FUNCTION touch()"), "fail", "does not exist"),
    "ext: there": ("CREATE EXTENSION citext;", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citext') THEN CREATE EXTENSION citext; END IF; END $$"), None, ""),
    "role: there": ("CREATE ROLE ro9;", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'ro9') THEN CREATE ROLE ro9; END IF; END $$", "GRANT SELECT ON ledger TO ro9"), None, ""),
    "role: made": ("", sql("DO $$  BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ro8') THEN CREATE ROLE ro8; END IF; END $$", "GRANT SELECT ON ledger TO ro8"), None, ""),
    "schema: made": ("", sql("DO $$  BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'aux') THEN CREATE SCHEMA aux; END IF; END $$", "CREATE TABLE aux.t (id int)"), None, ""),
    "label: added twice in one upgrade": ("CREATE TYPE pk AS ENUM ('user','org'); CREATE TABLE principals (id int PRIMARY KEY, kind pk NOT NULL, is_system bool); INSERT INTO principals VALUES (1,'user',false),(2,'user',true);", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'bot' AND enumtypid = 'pk'::regtype) THEN ALTER TYPE pk ADD VALUE 'bot'; END IF; END $$", "DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'bot' AND enumtypid = 'pk'::regtype) THEN ALTER TYPE pk ADD VALUE 'bot'; END IF; END $$"), None, ""),
    "label: regtype missing": ("", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'bot' AND enumtypid = 'nope'::regtype) THEN ALTER TYPE nope ADD VALUE 'bot'; END IF; END $$"), "unknown", "does not exist"),
    "label: by schema": ("CREATE TYPE pk AS ENUM ('user','org'); CREATE TABLE principals (id int PRIMARY KEY, kind pk NOT NULL, is_system bool); INSERT INTO principals VALUES (1,'user',false),(2,'user',true);CREATE SCHEMA o; CREATE TYPE o.pk AS ENUM ('z');", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'o' AND t.typname = 'pk' AND e.enumlabel = 'user') THEN ALTER TYPE o.pk ADD VALUE 'user'; END IF; END $$"), None, ""),
    "label: renamed where there": ("CREATE TYPE pk AS ENUM ('user','org'); CREATE TABLE principals (id int PRIMARY KEY, kind pk NOT NULL, is_system bool); INSERT INTO principals VALUES (1,'user',false),(2,'user',true);", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'org' AND enumtypid = 'pk'::regtype) THEN ALTER TYPE pk RENAME VALUE 'org' TO 'team'; END IF; END $$", "UPDATE principals SET kind = 'team' WHERE id = 1"), None, ""),
    "label: renamed where there, old used": ("CREATE TYPE pk AS ENUM ('user','org'); CREATE TABLE principals (id int PRIMARY KEY, kind pk NOT NULL, is_system bool); INSERT INTO principals VALUES (1,'user',false),(2,'user',true);", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM pg_enum WHERE enumlabel = 'org' AND enumtypid = 'pk'::regtype) THEN ALTER TYPE pk RENAME VALUE 'org' TO 'team'; END IF; END $$", "UPDATE principals SET kind = 'org' WHERE id = 1"), "fail", "invalid input value"),
    "elsif: first": ("", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'note') THEN ALTER TABLE ledger RENAME note TO remark; ELSIF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'kind') THEN ALTER TABLE ledger RENAME kind TO remark; END IF; END $$", "UPDATE ledger SET remark = note"), "fail", "does not exist"),
    "elsif: else": ("", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'nope') THEN ALTER TABLE ledger DROP nope; ELSIF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'nix') THEN ALTER TABLE ledger DROP nix; ELSE ALTER TABLE ledger ADD COLUMN z int NOT NULL; END IF; END $$"), "fail", "contains null values"),
    "elsif: else not run": ("", sql("DO $$  BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'nope') THEN ALTER TABLE ledger DROP nope; ELSIF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'kind') THEN ALTER TABLE ledger DROP kind; ELSE ALTER TABLE ledger ADD COLUMN z int NOT NULL; END IF; END $$"), None, ""),
    "elsif: what the first makes does not start the second": ("", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'z') THEN ALTER TABLE ledger ADD COLUMN z int; ELSIF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'z') THEN ALTER TABLE ledger ADD COLUMN z int; END IF; END $$"), None, ""),
    "execute: fine": ("", sql("DO $$  BEGIN EXECUTE 'ALTER TABLE ledger ADD COLUMN z int'; END $$", "UPDATE ledger SET z = 1"), None, ""),
    "execute: computed": ("", sql("DO $$  BEGIN EXECUTE 'ALTER TABLE ledger ADD COLUMN ' || (SELECT 'z int'); END $$", "UPDATE ledger SET z = 1"), "unknown", ""),
    "execute: of constants": ("", sql("DO $$  BEGIN EXECUTE 'ALTER TABLE ledger ADD COLUMN ' || 'z int'; END $$", "UPDATE ledger SET z = 1"), None, ""),
    "execute: in a condition": ("", sql("DO $$  BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'ledger' AND column_name = 'z') THEN EXECUTE 'ALTER TABLE ledger ADD COLUMN z int NOT NULL'; END IF; END $$"), "fail", "contains null values"),
    "caught column: not there": ("", sql("DO $$  BEGIN ALTER TABLE ledger ADD COLUMN z int; EXCEPTION WHEN duplicate_column THEN NULL; END $$", "UPDATE ledger SET z = 1"), None, ""),
    "caught column: not null": ("", sql("DO $$  BEGIN ALTER TABLE ledger ADD COLUMN z int NOT NULL; EXCEPTION WHEN duplicate_column THEN NULL; END $$"), "fail", "contains null values"),
    "caught column: two commands": ("", sql("DO $$  BEGIN ALTER TABLE ledger ADD COLUMN kind text, ADD COLUMN z int; EXCEPTION WHEN duplicate_column THEN NULL; END $$", "UPDATE ledger SET z = 1"), "unknown", "does not exist"),
}  # fmt: skip
SAYS = {
    "object-missing",
    "object-exists",
    "object-depended-upon",
    "definition-differs",
    "statement-refused",
    "statement-opaque",
    "rows-violate",
    "data-refused",
    "not-null-without-default",
    "enum-value-used",
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_is_what_happens(name: str, session: psycopg.Connection) -> None:
    setup, texts, wanted, words = CASES[name]
    agree_at_worst(said_and_done(session, LEDGER, setup, texts, rows=True), SAYS, wanted, words)
