"""A database with one of everything: what PostgreSQL's own dump says of it and of its restored copy is the same."""

from __future__ import annotations

import re
import subprocess
import typing as t

import psycopg
import pytest

from dev.postgresql import Server
from tests.integration.backup.conftest import Place, placed
from tests.integration.backup.test_backup import content

# By what is unusual about it. Each is a statement or some; those with a number in front are of that version and later.
ZOO = {
    "keys in a circle": """
        CREATE TABLE c1 (id int PRIMARY KEY, o int); CREATE TABLE c2 (id int PRIMARY KEY, o int REFERENCES c1);
        ALTER TABLE c1 ADD FOREIGN KEY (o) REFERENCES c2 DEFERRABLE INITIALLY DEFERRED;
        INSERT INTO c1 VALUES (1, NULL); INSERT INTO c2 VALUES (2, 1); UPDATE c1 SET o = 2""",
    "a key that was not checked": """
        CREATE TABLE nv (o int); INSERT INTO nv VALUES (99);
        ALTER TABLE nv ADD FOREIGN KEY (o) REFERENCES c1 NOT VALID, ADD CHECK (o < 5) NOT VALID""",
    "a function for a column": """
        CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql RETURN $1 * 2;
        CREATE TABLE gen (a int, b int GENERATED ALWAYS AS (twice(a)) STORED CHECK (twice(b) > 0), CHECK (a > 0));
        CREATE INDEX ON gen (twice(a)) INCLUDE (b) WHERE a > 1; INSERT INTO gen VALUES (3)""",
    "partitions of partitions": """
        CREATE TABLE pp (a int, b int, PRIMARY KEY (a, b)) PARTITION BY LIST (a);
        CREATE TABLE pp1 (b int NOT NULL, gone int, a int NOT NULL) PARTITION BY HASH (b);
        ALTER TABLE pp1 DROP gone; CREATE TABLE pp1x PARTITION OF pp1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        ALTER TABLE pp ATTACH PARTITION pp1 FOR VALUES IN (1, NULL); CREATE TABLE ppd PARTITION OF pp DEFAULT;
        INSERT INTO pp SELECT n % 3, n FROM generate_series(1, 30) n; ALTER TABLE pp1x ADD CHECK (b > 0);
        ALTER TABLE pp DETACH PARTITION ppd""",
    "sequences": """
        CREATE SEQUENCE s1 AS smallint CYCLE INCREMENT -3 MAXVALUE 9 MINVALUE -9 CACHE 5; SELECT nextval('s1');
        CREATE TABLE ser (a serial, b int GENERATED ALWAYS AS IDENTITY (START 7 INCREMENT 2));
        INSERT INTO ser DEFAULT VALUES; ALTER SEQUENCE ser_a_seq RENAME TO renamed;
        CREATE SEQUENCE never; SELECT setval('never', 5, false)""",
    "constraints": """
        CREATE TABLE ex (r int4range, EXCLUDE USING gist (r WITH &&) DEFERRABLE); INSERT INTO ex VALUES ('[1,5)');
        CREATE TABLE nnd (a int, UNIQUE NULLS NOT DISTINCT (a)); INSERT INTO nnd VALUES (NULL)""",
    "types": """
        CREATE TYPE e AS ENUM ('b', 'd'); ALTER TYPE e ADD VALUE 'a' BEFORE 'b'; ALTER TYPE e ADD VALUE 'c' AFTER 'b';
        CREATE TYPE comp AS (a int, "B c" text); CREATE DOMAIN dom AS text NOT NULL DEFAULT 'x' CHECK (VALUE <> '');
        CREATE TYPE fr AS RANGE (SUBTYPE = float8); CREATE TABLE ty (a e[], b comp[], c dom, d fr, e fr[], f comp)""",
    "values of these types": """
        INSERT INTO ty VALUES ('{a,b}', ARRAY[ROW(1, E'x"\\n')::comp], 'y', '[1,2)', '{"[1,2]"}', ROW(NULL, ''))""",
    "views": """
        CREATE VIEW v1 WITH (security_barrier) AS SELECT a FROM gen WHERE a > 0 WITH CASCADED CHECK OPTION;
        CREATE VIEW v2 AS SELECT * FROM v1;
        CREATE FUNCTION fv() RETURNS SETOF v2 LANGUAGE sql AS 'SELECT * FROM public.v2';
        CREATE VIEW v3 AS SELECT * FROM fv();
        CREATE RULE r AS ON INSERT TO v2 DO INSTEAD INSERT INTO gen VALUES (new.a);
        CREATE RECURSIVE VIEW v4 (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM v4 WHERE n < 3""",
    "materialized views": """
        CREATE MATERIALIZED VIEW m1 AS SELECT a FROM gen; CREATE UNIQUE INDEX ON m1 (a);
        CREATE MATERIALIZED VIEW m2 AS SELECT count(*) FROM m1;
        CREATE MATERIALIZED VIEW m3 AS SELECT 1 WITH NO DATA""",
    "policies": """
        CREATE TABLE rls (a int); INSERT INTO rls VALUES (1); ALTER TABLE rls ENABLE ROW LEVEL SECURITY;
        ALTER TABLE rls FORCE ROW LEVEL SECURITY; CREATE POLICY p ON rls FOR SELECT USING (a > 0)""",
    "triggers": """
        CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER t1 AFTER INSERT ON gen REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION tr();
        CREATE TRIGGER t2 BEFORE UPDATE OF a ON gen FOR EACH ROW WHEN (old.a > 1) EXECUTE FUNCTION tr('it''s', '\\');
        CREATE CONSTRAINT TRIGGER t3 AFTER INSERT ON c1 DEFERRABLE FOR EACH ROW EXECUTE FUNCTION tr();
        ALTER TABLE gen DISABLE TRIGGER t1; ALTER TABLE gen ENABLE ALWAYS TRIGGER t2;
        CREATE TRIGGER t4 INSTEAD OF DELETE ON v1 FOR EACH ROW EXECUTE FUNCTION tr()""",
    "an event trigger": """
        CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER evt ON ddl_command_end EXECUTE FUNCTION ev();
        CREATE EVENT TRIGGER no_drops ON sql_drop EXECUTE FUNCTION ev(); ALTER EVENT TRIGGER no_drops DISABLE""",
    "publications": """
        CREATE PUBLICATION p1 FOR TABLE c1 (id) WHERE (id > 0); CREATE PUBLICATION p2 FOR ALL TABLES;
        CREATE PUBLICATION p3 FOR TABLES IN SCHEMA public WITH (publish = 'insert')""",
    "text search": """
        CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = simple, accept = false);
        CREATE TEXT SEARCH CONFIGURATION conf (COPY = simple);
        ALTER TEXT SEARCH CONFIGURATION conf ALTER MAPPING FOR word WITH dict, simple;
        CREATE TABLE fts (a text, v tsvector GENERATED ALWAYS AS (to_tsvector('public.conf', a)) STORED);
        CREATE INDEX ON fts USING gin (v); INSERT INTO fts VALUES ('a rat')""",
    "routines": """
        CREATE PROCEDURE pr(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := 1; END';
        CREATE FUNCTION va(VARIADIC a text[] DEFAULT '{}') RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION atomic_one() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM gen; END;
        CREATE AGGREGATE agg(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
        SET check_function_bodies = off;
        CREATE FUNCTION broken() RETURNS int LANGUAGE sql AS 'SELECT nothing FROM nowhere';
        RESET check_function_bodies""",
    "operators and casts": """
        CREATE FUNCTION eq(comp, comp) RETURNS bool IMMUTABLE LANGUAGE sql RETURN ($1).a = ($2).a;
        CREATE OPERATOR === (LEFTARG = comp, RIGHTARG = comp, FUNCTION = eq, COMMUTATOR = ===);
        CREATE FUNCTION to_int(comp) RETURNS int LANGUAGE sql RETURN ($1).a;
        CREATE CAST (comp AS int) WITH FUNCTION to_int(comp) AS ASSIGNMENT;
        CREATE OPERATOR FAMILY fam USING btree""",
    "what is elsewhere": """
        CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER away FOREIGN DATA WRAPPER fdw OPTIONS (x 'it''s');
        CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (password 's3cret');
        CREATE FOREIGN TABLE ft (a int) SERVER away""",
    "rights": """
        REVOKE ALL ON c1 FROM PUBLIC; GRANT SELECT (id) ON c1 TO PUBLIC; GRANT USAGE ON TYPE e TO PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA public
        REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC""",
    "comments": """
        COMMENT ON COLUMN gen.a IS E'it''s\\n\\\\ --'; COMMENT ON CONSTRAINT gen_a_check ON gen IS 'x';
        COMMENT ON SCHEMA public IS 'ours'; COMMENT ON TYPE e IS 'ü'; COMMENT ON EXTENSION plpgsql IS 'changed'""",
    "how rows are stored": """
        CREATE STATISTICS st (ndistinct, mcv) ON id, o FROM c1; ALTER TABLE c1 ALTER o SET STATISTICS 500;
        CREATE TABLE opt (a text COMPRESSION pglz) WITH (fillfactor = 50, toast.autovacuum_enabled = false);
        ALTER TABLE opt ALTER a SET STORAGE EXTERNAL;
        CREATE INDEX opt_a ON opt (a); ALTER TABLE opt CLUSTER ON opt_a; ALTER TABLE opt REPLICA IDENTITY FULL""",
    "an access method": """
        CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
        CREATE TABLE am USING heap2 AS SELECT 1 AS a""",
    "a collation and a conversion": """
        CREATE COLLATION "My C" FROM "C"; CREATE TABLE col (a text COLLATE "My C"); INSERT INTO col VALUES ('x');
        CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8""",
    "tables of types and of tables": """
        CREATE TABLE of_type OF comp (PRIMARY KEY (a)); CREATE TABLE i1 (a int DEFAULT 1);
        CREATE TABLE i2 (a int DEFAULT 2, b text) INHERITS (i1);
        CREATE TABLE i3 (a int DEFAULT 3, c int) INHERITS (i2, i1);
        INSERT INTO i3 VALUES (1, 'x', 2); INSERT INTO i1 VALUES (3)""",
    "columns that are gone, or none": """
        CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
        CREATE TABLE gone (a int, b text, c int); INSERT INTO gone VALUES (1, 'x', 2); ALTER TABLE gone DROP a;
        ALTER TABLE gone ADD d int DEFAULT 5""",
    "texts": """
        CREATE TABLE txt (a text); INSERT INTO txt VALUES (E'\\\\.'), (E'\\\\N'), (E'a\\r\\nb\\tc\\\\'), (''),
        (NULL), (' '),
        (repeat('x', 3000000)), (U&'\\0001\\+01F5C4'), ('\\.'), (E'\\u200e\\ufeff')""",
    "values": """
        CREATE TABLE val (a float8, b date, c timestamptz, d interval, e numeric, f money, g bit varying, h inet,
        i point,
        j jsonb, k tsquery, l pg_lsn, m bytea, n "char", o int2vector, p macaddr8, q time with time zone, r float4);
        INSERT INTO val VALUES ('NaN', 'infinity', '0044-03-15 12:00 BC', '1 mon -1 day 00:00:01.000001', 'NaN',
        5, B'0101',
        '::1/64', '(1e-300,-0)', '{"a": 1.10}', 'a & !b:*', '0/16', '\\x00ff', '', '1 2', '08:00:2b:01:02:03',
        '12:00+05:45',
        1.1); INSERT INTO val VALUES (-0.0, '-infinity', 'infinity', '-178000000 years', 1e-300, -5);
        INSERT INTO val VALUES (5e-324, '5874897-01-01'); INSERT INTO val VALUES (0.1 + 0.2, NULL, '294276-12-31')""",
    "names": """
        CREATE SCHEMA "Schéma % ""x"" 'y'"; CREATE TABLE "Schéma % ""x"" 'y'"."ta
ble" ("co
lumn" int CONSTRAINT "con ;--" CHECK ("co
lumn" > 0)); INSERT INTO "Schéma % ""x"" 'y'"."ta
ble" VALUES (1); CREATE TABLE "user" ("order" int, "SELECT" int); CREATE TABLE "pg%s" (a int)""",
    "extensions": """
        CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
        CREATE TABLE hst (a ext.hstore, b ext.citext UNIQUE);
        INSERT INTO hst VALUES ('a=>NULL, "b c"=>"\\""', 'Ü')""",
    "large objects": """
        SELECT lo_from_bytea(4711, decode(repeat('00ff', 5000), 'hex')); COMMENT ON LARGE OBJECT 4711 IS 'x';
        GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC; SELECT lo_from_bytea(4712, '')""",
    "not for everybody's log": "CREATE UNLOGGED TABLE unl AS SELECT n FROM generate_series(1, 9) n",
    "17 a provider of the server's own": """CREATE COLLATION own (PROVIDER = builtin, LOCALE = 'C.UTF-8');
        CREATE TABLE bui (a text COLLATE own); INSERT INTO bui VALUES ('É')""",
    "18 what is computed, and keys nobody keeps": """
        CREATE TABLE virt (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL); INSERT INTO virt VALUES (1);
        CREATE TABLE unkept (o int REFERENCES c1 NOT ENFORCED, CHECK (o > 0) NOT ENFORCED);
        INSERT INTO unkept VALUES (-1)""",
    "18 keys of times": """
        CREATE EXTENSION btree_gist SCHEMA ext;
        CREATE TABLE per (id int, at daterange, PRIMARY KEY (id, at WITHOUT OVERLAPS));
        INSERT INTO per VALUES (1, '[2020-01-01,)')""",
}


def text_of(place: Place, database: str) -> list[str]:
    """What pg_dump says of a database's schema, without what is by chance."""
    programs = place.server.folder / "programs"
    words = [str(programs / "bin" / "pg_dump"), "--schema-only", "-d", place.server.url(database)]
    done = subprocess.run(words, check=True, env={"LD_LIBRARY_PATH": str(programs / "lib")}, capture_output=True)
    lines = done.stdout.decode().splitlines()
    return [line for line in lines if not re.match(r"\\(un)?restrict ", line)]


def test_one_of_everything(server: Server) -> None:
    own = [text for name, text in ZOO.items() if not name[:2].isdigit() or int(name[:2]) <= server.major]
    with placed(server, "SELECT 1", "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'") as place:
        with psycopg.connect(place.url, autocommit=True) as connection:
            for text in own:
                connection.execute(t.cast("t.Any", text))
        made = place.ask()
        assert made["backup"]["verified"]
        assert [item["message"].partition(" dumped ")[2] for item in made["findings"]] == [
            "without the rows of foreign tables, which are at another server: public.ft."
        ]
        target = f"{place.database}_again"
        place.ask(state="restore", database_url=server.url(), restore_database=target)
        assert text_of(place, target) == text_of(place, place.database)
        assert content(server.url(target)) == content(place.url)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE FUNCTION helper(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 > 0';"
         "CREATE FUNCTION ok(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN helper($1); END';"
         "CREATE TABLE items (a int CHECK (ok(a))); INSERT INTO items VALUES (1)", "SET search_path"),
        ("CREATE TABLE items (a int); INSERT INTO items VALUES (1); CREATE TABLE later (a int);"
         "CREATE FUNCTION ok(int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.later)';"
         "ALTER TABLE items ADD CHECK (ok(a)) NOT VALID", ""),
        ("DROP SCHEMA public CASCADE; CREATE SCHEMA mine; CREATE TABLE mine.t (a int)", ""),
    ],
)  # fmt: skip
def test_what_a_restore_trips_over(statement: str, words: str, server: Server) -> None:
    """Bare pg_restore fails there as well: it is told before the backup is needed, with what to do."""
    from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

    with placed(server, statement) as place:
        if not words:
            assert place.ask()["backup"]["verified"]
            return
        with pytest.raises(FindingError, match=words):
            place.ask()
        assert [item["verified"] for item in place.ask(state="records")["backups"]] == [False]
