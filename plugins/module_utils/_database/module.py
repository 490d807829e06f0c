"""From the parameters of database_backup to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.dependencies import assert_libraries
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_folder import Backup, BackupFolder
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_retention import Retention, superfluous
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._database.workplace import Workplace

Row = dict[str, t.Any]
CONNECT_SECONDS: t.Final = 10
ALEMBIC_SECONDS: t.Final = 60
_KEPT = dataclasses.asdict(Retention())

ARGUMENTS: t.Final[Row] = {
    "state": {"type": "str", "choices": ["backup", "verify", "restore", "list"], "default": "backup"},
    "path": {"type": "path", "required": True},
    "database_url": {"type": "str", "no_log": True},
    "backup_name": {"type": "str"},
    "postgresql": {"type": "path"},
    "work_path": {"type": "path"},
    "jobs": {"type": "int", "default": 2},
    "encryption_key": {"type": "str", "no_log": True},
    "retention": {
        "type": "dict",
        "default": {},
        "options": {name: {"type": "int", "default": value} for name, value in _KEPT.items()},
    },
    "version_table": {"type": "str", "default": "alembic_version"},
    "lock_timeout_ms": {"type": "int", "default": 10000},
    "image": {"type": "str"},
    "restore_database": {"type": "str"},
    "restore_owner": {"type": "str"},
    "alembic_dir": {"type": "path"},
    "alembic_ini": {"type": "str", "default": "alembic.ini"},
    "alembic_python": {"type": "path"},
}

# Which of them go together: arguments of AnsibleModule.
CONSTRAINTS: t.Final[Row] = {
    "required_if": [
        ("state", "backup", ["database_url"]),
        ("state", "restore", ["database_url", "restore_database"]),
    ],
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result; it never fails by one.

    :param params: the module's arguments, and `check_mode` where that is on
    :raises FindingError: what was asked for cannot be had
    """
    if params["jobs"] < 1 or any(value < 0 for value in (params["retention"] or {}).values()):
        raise FindingError("argument-invalid", "jobs must be at least 1, and the numbers of retention at least 0.")
    assert_libraries({"psycopg": (3, 1)})
    steps = {"backup": _backup, "verify": _verify, "restore": _restore, "list": _list}
    try:
        if params["encryption_key"]:
            from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_encryption import assert_key

            assert_key(params["encryption_key"])
        return steps[params["state"]](params, BackupFolder(Path(params["path"]))), None
    except CollectorError as error:
        raise FindingError(error.id, error.message) from None
    except OSError as error:
        words = f"Something cannot be written or read ({error.strerror or error}: {error.filename})"
        raise FindingError("backup-folder", f"{words}; correct path or work_path.") from None


def _list(_params: Row, folder: BackupFolder) -> Row:
    found = folder.backups()
    return {"backups": [item.record for item in found], "findings": [], "summary": _lines(found)}


def _backup(params: Row, folder: BackupFolder) -> Row:
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_take, session

    parameters = session.parameters(params["database_url"])
    where = session.place(parameters)
    key, check_mode = params["encryption_key"] or None, bool(params.get("check_mode"))
    with contextlib.ExitStack() as stack:
        connection = session.connected(params["database_url"], CONNECT_SECONDS, backup_take.APPLICATION)
        stack.callback(connection.close)
        facts = backup_take.look(connection, params["version_table"], where)
        workplace = stack.enter_context(_workplace(params, facts["major"]))
        wish = backup_take.Wish(
            params["jobs"],
            workplace.folder,
            key,
            params["version_table"],
            params["lock_timeout_ms"],
            params["image"],
        )
        for needed, what in (
            (backup_take.room(folder, facts["database_bytes"]), folder.path),
            (backup_take.work_room(wish, facts["database_bytes"]), workplace.folder.parent),
        ):
            if not needed.enough:
                words = f"{what} has {_size(needed.free)} free, and a backup of {where} may need {_size(needed.needed)}"
                raise CollectorError("backup-room", f"{words}; nothing was begun.")
        if check_mode:
            return {"changed": True, "findings": [], "summary": [f"{where} would be backed up into {folder.path}."]}
        stack.enter_context(folder.locked())
        made = backup_take.take(connection, facts, parameters, where, folder, wish, workplace, workplace)
        # The snapshot would hold back VACUUM for as long as the verification takes.
        connection.close()
        made = _verified(made, params, workplace)
        removed = _thinned(params, folder, facts["database"])
        findings = _notes(made)
        if not (after := backup_take.room(folder, facts["database_bytes"])).enough:
            words = f"{folder.path} has {_size(after.free)} free, and the next backup may need {_size(after.needed)}."
            findings.append(finding("backup-room-soon", words))
    return _result(made, findings) | {"changed": True, "removed": removed}


def _thinned(params: Row, folder: BackupFolder, database: str) -> list[str]:
    """The names of the backups of this database that were removed."""
    rule = Retention(**(_KEPT | (params["retention"] or {})))
    own = [item.kept for item in folder.backups() if item.record.get("database", database) == database]
    gone = superfluous(own, rule)
    for name in gone:
        folder.remove(name)
    return gone


def _verify(params: Row, folder: BackupFolder) -> Row:
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_manifest

    with folder.locked():
        found = folder.backups()
        name = params["backup_name"] or (found[0].folder.name if found else None)
        chosen = folder.chosen(name)
        if params.get("check_mode"):
            return {"changed": True, "findings": [], "summary": [f"{chosen.folder} would be verified."]}
        major = backup_manifest.read(chosen.folder)["database"]["major"]
        with _workplace(params, major) as workplace:
            made = _verified(chosen, params, workplace)
    return _result(made, _notes(made)) | {"changed": True}


def _restore(params: Row, folder: BackupFolder) -> Row:
    from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_restoration
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_manifest, backup_restore

    began = time.monotonic()
    target = backup_restoration.Target(params["database_url"], params["restore_database"], params["restore_owner"])
    key = params["encryption_key"] or None
    chosen = folder.chosen(params["backup_name"])
    manifest = backup_manifest.read(chosen.folder)
    if params["alembic_dir"]:
        ini = Path(params["alembic_dir"]) / params["alembic_ini"]
        python = params["alembic_python"] or sys.executable
        known = backup_restoration.known_revisions(ini, python, ALEMBIC_SECONDS)
        backup_restoration.assert_known(manifest, known, str(ini.parent))
    findings = backup_restoration.judged(target, manifest)
    backup_manifest.check(chosen.folder, manifest, key)
    expected = chosen.record.get("seconds", {}).get("restore")
    result = _result(chosen, findings) | {"changed": True, "expected_seconds": expected}
    if params.get("check_mode"):
        about = f" in about {expected:.0f} s, as its verification took" if expected else ""
        return result | {"summary": [f"{chosen.folder} would be restored into {target.name}{about}."]}
    with (
        _workplace(params, manifest["database"]["major"], server=False) as workplace,
        backup_restore.opened(chosen.folder, manifest, key, workplace.folder) as data,
    ):
        seconds = backup_restoration.restore(target, manifest, data, workplace, params["jobs"])
    step = (
        f"Let the database's URL in the release's Secret (database-url, migration-database-url) name {target.name}"
        f" instead of {manifest['database']['database']}, change its rotationId with it, and run site.yml."
    )
    words = f"{chosen.folder.name} was restored into {target.name} at {target.server}, and its rows are those counted."
    seconds["all"] = round(time.monotonic() - began, 3)
    return result | {"seconds": seconds, "next_step": step, "summary": [words, step]}


@contextlib.contextmanager
def _workplace(params: Row, major: int, *, server: bool = True) -> t.Iterator[Workplace]:
    from ansible_collections.ai_platform.agent.plugins.module_utils._database import scratch_server, workplace

    place = Path(params["work_path"]) if params["work_path"] else None
    try:
        programs = scratch_server.programs(major, params["postgresql"], "postgres" if server else "pg_restore")
    except scratch_server.ScratchError as error:
        words = f"{error}; install its packages, or name their folder in `postgresql`."
        raise CollectorError("backup-unverified" if server else "backup-failed", words) from None
    with workplace.Workplace(programs, place) as made:
        yield made


def _verified(backup: Backup, params: Row, workplace: Workplace) -> Backup:
    from ansible_collections.ai_platform.agent.plugins.module_utils._database.backup_verify import verify

    return verify(backup, params["encryption_key"] or None, workplace, params["jobs"])


def _notes(backup: Backup) -> list[Finding]:
    return [finding("backup-note", f"{backup.folder.name} was {note}.") for note in backup.record.get("notes") or ()]


def _result(backup: Backup, findings: t.Sequence[Finding]) -> Row:
    return {
        "backup": backup.record,
        "findings": [item.as_dict() for item in findings],
        "summary": [*_lines([backup]), *(item.message for item in findings)],
    }


def _lines(backups: t.Sequence[Backup]) -> list[str]:
    return [
        f"{record['name']}: {record.get('rows', '?')} rows, {_size(record.get('bytes', 0))},"
        f" revision {', '.join(record.get('revision') or ()) or 'none'},"
        f" {'verified' if record.get('verified') else 'not verified: ' + str(record.get('problem'))}"
        for record in (backup.record for backup in backups)
    ]


def _size(number: int) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
