"""A restore into a new database of a server: what refuses it, and its steps."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import secrets
import time
import typing as t
from pathlib import Path

from . import backup_facts, backup_restore, backup_session, session
from .backup_folder import free_bytes
from .backup_restore import literal, quoted
from .errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    from .backup_manifest import Manifest
    from .backup_run import Site

# What a killed restore leaves has both; nobody else's database is ever dropped.
MARK: t.Final = "ai_platform.agent: a restore that is not complete"
INFIX: t.Final = "_incomplete_"
# PostgreSQL cuts a name at 63 bytes.
LONGEST_NAME: t.Final = 63
GROWTH: t.Final = 1.1
CONNECT_SECONDS: t.Final = 10
_LOCAL: t.Final = ("localhost", "127.0.0.1", "::1")
_CURE: t.Final = "restore as a superuser, or grant it that right"
_TARGET: t.Final = """
SELECT current_setting('server_version_num')::int / 10000, r.rolsuper OR r.rolcreatedb,
       EXISTS (SELECT FROM pg_database WHERE datname = %(name)s),
       ARRAY(SELECT w FROM unnest(%(roles)s::text[]) w WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = w)),
       (SELECT pg_has_role(o.oid, 'USAGE') FROM pg_roles o WHERE o.rolname = %(owner)s)
FROM pg_roles r WHERE r.rolname = current_user
"""
_LEFT: t.Final = """
SELECT datname FROM pg_database d WHERE shobj_description(d.oid, 'pg_database') = %s AND strpos(datname, %s) > 0
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
"""


@dataclasses.dataclass(frozen=True)
class Target:
    """Where a backup is restored to.

    :param url: of any other database of the server, as a role that may create databases
    :param name: of the new database
    :param owner: the one role that gets everything, None for the roles that had it
    """

    url: str = dataclasses.field(repr=False)
    name: str
    owner: str | None = None

    @property
    def server(self) -> str:
        """Host and port."""
        return session.place(session.parameters(self.url)).rpartition("/")[0]


def assert_known(manifest: Manifest, known: t.Collection[str], where: str) -> None:
    """Check that the code to be deployed can go on from the backup's schema.

    :raises CollectorError: `restore-revision`
    """
    unknown = [item for item in manifest["database"]["revision"] if item not in known]
    if unknown:
        image = f"; the image {manifest['image']} does, it wrote the backup" if manifest.get("image") else ""
        words = f"The backup is at the schema revision {', '.join(unknown)}, which {where} does not know{image}"
        raise CollectorError(
            "restore-revision", f"{words}. Deploy that version or a newer one, or use an older backup."
        )


def judged(target: Target, manifest: Manifest) -> list[tuple[str, str]]:
    """Notes on a restore that may begin: ids of findings with their words.

    :raises CollectorError: it may not
    """
    database = manifest["database"]
    if len(target.name.encode()) > LONGEST_NAME - len(INFIX) - 8:
        longest = LONGEST_NAME - len(INFIX) - 8
        raise CollectorError("argument-invalid", f"restore_database has more than {longest} bytes.")
    wanted = [target.owner] if target.owner else sorted(database["roles"])
    with session.connected(target.url, CONNECT_SECONDS, "ai_platform.agent restore") as connection:
        with backup_facts.translated(target.server):
            connection.autocommit = True
            backup_session.unhindered(connection)
            asked = {"name": target.name, "roles": wanted, "owner": target.owner}
            found = connection.execute(_TARGET, asked).fetchone()
            room = _free(connection, session.parameters(target.url))
        major, may, exists, missing, member = t.cast("tuple[int, bool, bool, list[str], bool | None]", found)
    if exists:
        words = f"{target.server} has a database {target.name}, and a restore never writes over one"
        raise CollectorError("restore-exists", f"{words}; name another one in restore_database.")
    if not may:
        words = f"The role of database_url may not create databases at {target.server}; name one that may."
        raise CollectorError("privilege-missing", words)
    if major < database["major"]:
        words = f"The backup is of PostgreSQL {database['major']}, and {target.server} is PostgreSQL {major}"
        raise CollectorError("restore-version", f"{words}; restore into the same version or a newer one.")
    if missing:
        words = f"{target.server} lacks the roles {', '.join(missing)}, which own or use what is in the backup"
        if target.owner:
            words = f"{target.server} has no role {target.owner}"
        raise CollectorError("restore-roles", f"{words}; create them, or give all to one role with restore_owner.")
    if member is False:
        words = f"The role of database_url is no member of {target.owner} at {target.server}, so it can give it nothing"
        raise CollectorError("restore-roles", f"{words}; grant it that role, or restore as a superuser.")
    needed = int(database["database_bytes"] * GROWTH)
    notes = _left_to_the_owner(target, database)
    if room is None:
        words = f"Nobody here can see how much room {target.server} has; the restored database needs {needed} bytes."
        return [("restore-room-unknown", words), *notes]
    if room < needed:
        words = f"{target.server} has {room} bytes free, and the restored database needs {needed}"
        raise CollectorError("restore-room", f"{words}; enlarge its volume first.")
    return notes


def _left_to_the_owner(target: Target, database: backup_facts.Facts) -> list[tuple[str, str]]:
    """What one role that gets everything leaves nobody else. Pure."""
    left = ["the owners"] if target.owner and set(database["roles"]) - {target.owner} else []
    left += ["the rights of other roles"] if target.owner else []
    if target.owner and any(role for role, _item in database["settings"]):
        left.append("the settings of roles in this database")
    words = f"{target.owner} gets everything, and {', '.join(left)} are not restored; grant them anew."
    return [("backup-note", words)] if left else []


def _free(connection: t.Any, parameters: t.Mapping[str, t.Any]) -> int | None:
    """Bytes that the server may still write, where it runs on this machine and says where."""
    host = str(parameters.get("hostaddr") or parameters.get("host") or "/")
    if host not in _LOCAL and not host.startswith("/"):
        return None
    import psycopg

    try:
        folder, port = connection.execute(
            "SELECT current_setting('data_directory'), current_setting('port')"
        ).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        connection.rollback()
        return None
    with contextlib.suppress(OSError, IndexError):
        # A tunnel looks like this machine, too.
        if (Path(folder) / "postmaster.pid").read_text(encoding="utf-8").splitlines()[3] == port:
            return free_bytes(Path(folder))
    return None


def restore(
    target: Target, manifest: Manifest, data: Path, site: Site, jobs: int
) -> tuple[dict[str, float], list[str]]:
    """The backup in a new database, under its name once it is complete and the same.

    :return: seconds by step; and what there is to note of it, as ends of sentences
    :raises CollectorError: there is no such database then
    """
    database, began = manifest["database"], time.monotonic()
    made = f"{target.name}{INFIX}{secrets.token_hex(4)}"
    parameters = session.parameters(target.url)
    import psycopg

    with session.connected(target.url, CONNECT_SECONDS, "ai_platform.agent restore") as admin:
        admin.autocommit = True
        with backup_facts.translated(target.server, _CURE):
            backup_session.unhindered(admin)
            _drop_left(admin)
            try:
                # The schema public belongs to the owner of its database, and since PostgreSQL 15 nobody else may
                # create anything there.
                admin.execute(backup_restore.creation(made, database, target.owner))
            except psycopg.errors.Error as error:
                said = (error.diag.message_primary or "").rstrip(".")
                words = f"{target.server} cannot create a database like the one that was dumped ({said})"
                raise CollectorError("restore-refused", f"{words}; give it the locale or the right.") from None
        try:
            admin.execute(f"COMMENT ON DATABASE {quoted(made)} IS {literal(MARK)}")
            admin.execute(f"REVOKE ALL ON DATABASE {quoted(made)} FROM PUBLIC")
            backup_restore.fill(site, parameters | {"dbname": made}, data, jobs, owner=target.owner)
            filled = time.monotonic()
            notes = _compared(parameters | {"dbname": made}, database, target.server)
            compared = time.monotonic()
            with backup_facts.translated(target.server, _CURE):
                _named(admin, target, made, database)
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                admin.execute(f"DROP DATABASE IF EXISTS {quoted(made)} WITH (FORCE)")
            raise
    return {"restore": round(filled - began, 3), "compare": round(compared - filled, 3)}, notes


def _drop_left(admin: t.Any) -> None:
    from psycopg import errors

    for (name,) in admin.execute(_LEFT, (MARK, INFIX)).fetchall():
        # The database may belong to another role, or be in use.
        with contextlib.suppress(errors.InsufficientPrivilege, errors.ObjectInUse, errors.InvalidCatalogName):
            admin.execute(f"DROP DATABASE {quoted(name)}")


def _compared(parameters: t.Mapping[str, t.Any], database: backup_facts.Facts, server: str) -> list[str]:
    """What there is to note of the restored database, once the planner knows its tables as well.

    :raises CollectorError: `backup-differs`
    """
    with (
        backup_facts.translated(server),
        _session(parameters) as connection,
        _session(parameters) as other,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        # Counting reads the tables from their beginning, and this looks at a sample of them meanwhile.
        analyzed = pool.submit(_analyze, other)
        differences, notes = backup_restore.compare(connection, database, server)
        if differences:
            words = "; ".join(differences[:5])
            raise CollectorError("backup-differs", f"What was restored is not as the backup's snapshot: {words}.")
        analyzed.result()
    return notes


def _session(parameters: t.Mapping[str, t.Any]) -> t.Any:
    import psycopg

    return psycopg.connect(**parameters, autocommit=True, client_encoding="UTF8")


def _analyze(connection: t.Any) -> None:
    backup_session.unhindered(connection)
    connection.execute("ANALYZE")


def _named(admin: t.Any, target: Target, made: str, database: backup_facts.Facts) -> None:
    """Give a complete database what belongs to it as a whole, and then its name."""
    import psycopg

    owner = target.owner or database["owner"]
    admin.execute(f"COMMENT ON DATABASE {quoted(made)} IS NULL")
    admin.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {quoted(made)} TO PUBLIC")
    for statement in backup_restore.properties(made, database, target.owner):
        admin.execute(statement)
    admin.execute(f"ALTER DATABASE {quoted(made)} OWNER TO {quoted(owner)}")
    try:
        admin.execute(f"ALTER DATABASE {quoted(made)} RENAME TO {quoted(target.name)}")
    except psycopg.errors.DuplicateDatabase:
        words = f"{target.server} has got a database {target.name} meanwhile"
        raise CollectorError("restore-exists", f"{words}; name another one in restore_database.") from None


__all__ = ("Target", "assert_known", "judged", "restore")
