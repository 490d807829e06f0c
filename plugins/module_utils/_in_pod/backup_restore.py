"""A backup into a new database, and what of it is not as in its snapshot."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

from . import backup_encryption, backup_facts, backup_manifest
from .errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    from .backup_take import Programs


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text as SQL has it, whatever the server makes of backslashes."""
    text = value.replace("'", "''")
    return "E'" + text.replace("\\", "\\\\") + "'" if "\\" in text else f"'{text}'"


def creation(name: str, database: backup_facts.Facts, owner: str | None = None) -> str:
    """The statement that creates the database as the one that was dumped."""
    words = [f"CREATE DATABASE {quoted(name)} TEMPLATE template0 ENCODING {literal(database['encoding'])}"]
    words += [f"LC_COLLATE {literal(database['collate'])} LC_CTYPE {literal(database['ctype'])}"]
    # Since PostgreSQL 15 it may be another one than the C library.
    provider = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}.get(database["provider"] or "c")
    if provider:
        words += [f"LOCALE_PROVIDER {provider[0]} {provider[1]} {literal(database['locale'])}"]
    if provider and database.get("rules"):
        words += [f"ICU_RULES {literal(database['rules'])}"]
    return " ".join([*words, *([f"OWNER {quoted(owner)}"] if owner else [])])


def plain_creation(name: str, database: backup_facts.Facts) -> str:
    """The same where this machine does not know the locale: rows are the same, their order by text is not."""
    encoding = literal(database["encoding"])
    return f"CREATE DATABASE {quoted(name)} TEMPLATE template0 ENCODING {encoding} LOCALE 'C'"


def roles(database: backup_facts.Facts) -> list[str]:
    """Statements for a server of our own, on which nobody logs in as one of them."""
    return [
        f"CREATE ROLE {quoted(name)}{' SUPERUSER' if superuser else ''}"
        for name, superuser in database["roles"].items()
    ]


def properties(name: str, database: backup_facts.Facts, owner: str | None = None) -> list[str]:
    """Statements for what belongs to the database as a whole: its settings, the rights on it, its comment.

    :param owner: the one role that gets everything, and then nobody has rights of his own
    """
    place = f"DATABASE {quoted(name)}"
    made = [f"COMMENT ON {place} IS {literal(database['comment'])}"] if database["comment"] else []
    if database["connection_limit"] != -1:
        made += [f"ALTER {place} CONNECTION LIMIT {database['connection_limit']}"]
    for role, item in database["settings"]:
        setting, _equals, value = item.partition("=")
        # A list, such as a search path, stands there as it is written.
        value = value if setting in _LISTS else literal(value)
        if role and owner:
            continue
        whom = f"ROLE {quoted(role)} IN {place}" if role else place
        made.append(f"ALTER {whom} SET {quoted(setting)} TO {value or literal('')}")
    if database["rights"] and not owner:
        made.append(f"REVOKE ALL ON {place} FROM PUBLIC")
        for role, right, grantable in database["rights"]:
            more = " WITH GRANT OPTION" if grantable and role else ""
            made.append(f"GRANT {right} ON {place} TO {quoted(role) if role else 'PUBLIC'}{more}")
    return made


_LISTS: t.Final = (
    "search_path", "DateStyle", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries",
)  # fmt: skip


@contextlib.contextmanager
def opened(folder: Path, manifest: backup_manifest.Manifest, key: str | None, work: Path) -> t.Iterator[Path]:
    """The dump as pg_restore reads it; decrypted below `work`.

    :raises CollectorError: `backup-key`, `backup-corrupt`, `backup-folder`
    """
    import shutil

    if key is None or not manifest["encrypted"]:
        yield folder / backup_manifest.DATA
        return
    plain = work / "plain"
    try:
        try:
            backup_encryption.decrypt(folder / backup_manifest.DATA, plain, key)
        except OSError as error:
            words = f"The backup {folder.name} cannot be decrypted into {work} ({error.strerror or error})"
            raise CollectorError("backup-folder", f"{words}; correct the folder, or use another backup.") from None
        yield plain
    finally:
        shutil.rmtree(plain, ignore_errors=True)


def fill(programs: Programs, place: t.Mapping[str, t.Any], data: Path, jobs: int, *, owner: str | None = None) -> None:
    """Restore into an empty database.

    :param owner: the one role that gets everything
    :raises CollectorError: `backup-failed`
    """
    options = ["--format=directory", f"--jobs={jobs}", "--exit-on-error", "--no-tablespaces", "--no-password"]
    options += ["--no-owner", "--no-acl", f"--role={owner}"] if owner else []
    programs.run("pg_restore", [*options, "--dbname=service=live", str(data)], place)


def compare(connection: t.Any, database: backup_facts.Facts, where: str) -> tuple[list[str], list[str]]:
    """In what the restored database differs from the snapshot, and what there is to note of it.

    :param connection: in autocommit
    :raises CollectorError: it cannot be asked
    """
    with backup_facts.translated(where):
        backup_facts.prepare(connection)
        found = backup_facts.facts(connection, _table(connection, database["version_table"]))
        found["counts"] = backup_facts.counts(connection, found["tables"])
        found["matview_counts"] = backup_facts.matview_counts(connection, found)
    return backup_facts.differences(database, found), backup_facts.notes(database, found)


def _table(connection: t.Any, name: str | None) -> str | None:
    """The version table, where it was restored."""
    return backup_facts.version_table(connection, name) if name else None


__all__ = (
    "compare", "creation", "fill", "literal", "opened", "plain_creation", "properties", "quoted", "roles",
)  # fmt: skip
