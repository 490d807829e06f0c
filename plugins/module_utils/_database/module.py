"""From the parameters of database_backup to its result."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import sys
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._common.dependencies import (
    CLUSTER,
    assert_libraries,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import finding
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_run, backup_store
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_retention import Retention
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._database.workplace import Workplace

Row = dict[str, t.Any]
ALEMBIC_SECONDS: t.Final = 60
# Names, and nothing that is secret.
_SECRET: t.Final[Row] = {
    "name": {"type": "str", "required": True},
    "key": {"type": "str", "required": True, "no_log": False},
}
_KEPT = dataclasses.asdict(Retention())
_S3: t.Final[Row] = {
    "bucket": {"type": "str", "required": True},
    "prefix": {"type": "str"},
    "endpoint": {"type": "str"},
    "region": {"type": "str"},
    "path_style": {"type": "bool"},
    "ca_certificates": {"type": "str"},
    "secret": {
        "type": "dict",
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "access_key": {"type": "str", "default": "AWS_ACCESS_KEY_ID", "no_log": False},
            "secret_key": {"type": "str", "default": "AWS_SECRET_ACCESS_KEY", "no_log": False},
        },
    },
}

ARGUMENTS: t.Final[Row] = {
    **AUTH_ARG_SPEC,
    "cluster_expected": {"type": "str"},
    "release_name": {"type": "str"},
    "release_namespace": {"type": "str"},
    "claim": {"type": "str"},
    "s3": {"type": "dict", "options": _S3},
    "work_claim": {"type": "str"},
    "postgresql_image": {"type": "str"},
    "postgresql_user": {"type": "int"},
    "database_secret": {"type": "dict", "no_log": False, "options": _SECRET},
    "encryption_secret": {"type": "dict", "no_log": False, "options": _SECRET},
    "job_timeout": {"type": "int", "default": 60},
    "pull_timeout": {"type": "int", "default": 600},
    "run_timeout": {"type": "int", "default": 3600},
    "state": {"type": "str", "choices": ["backup", "verify", "restore", "records"], "default": "backup"},
    "path": {"type": "path"},
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
    "required_one_of": [["path", "claim", "s3"]],
    "required_together": [["release_name", "release_namespace"]],
    "required_by": {"claim": ["release_name"]},
    "required_if": [("state", "restore", ["restore_database"])],
    "mutually_exclusive": [
        ["path", "claim", "s3"],
        *(
            [one, "release_name"]
            for one in ("path", "database_url", "encryption_key", "work_path", "postgresql", "alembic_dir")
        ),
    ],
}


def execute(params: Row) -> tuple[Row, str | None]:
    """The module's result; it never fails by one.

    :param params: the module's arguments, and `check_mode` where that is on
    :raises FindingError: what was asked for cannot be had
    """
    if params["jobs"] < 1 or any(value < 0 for value in (params["retention"] or {}).values()):
        raise FindingError("argument-invalid", "jobs must be at least 1, and the numbers of retention at least 0.")
    if params["release_name"]:
        return _with_findings(_on_cluster(params)), None
    if params["state"] in {"backup", "restore"} and not params["database_url"]:
        raise FindingError("argument-invalid", f"state: {params['state']} needs database_url, or release_name.")
    assert_libraries({"psycopg": (3, 1)})
    try:
        if params["encryption_key"]:
            from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.backup_encryption import assert_key

            assert_key(params["encryption_key"])
        row = _ran(params)
    except CollectorError as error:
        raise FindingError(error.id, error.message) from None
    except OSError as error:
        words = f"Something cannot be written or read ({error.strerror or error}: {error.filename})"
        raise FindingError("backup-folder", f"{words}; correct path or work_path.") from None
    return _with_findings(row), None


def _with_findings(row: Row) -> Row:
    notes = [finding(*note).as_dict() for note in row.get("notes", ())]
    return {name: value for name, value in row.items() if name != "notes"} | {"findings": notes}


def _on_cluster(params: Row) -> Row:
    """The same for a release, in a Job.

    :raises FindingError: what was asked for cannot be had
    """
    assert_libraries({"kubernetes": CLUSTER["kubernetes"]})
    from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import connect

    def pair(name: str) -> tuple[str, str] | None:
        return (params[name]["name"], params[name]["key"]) if params[name] else None

    options = backup_cluster.Options(
        namespace=params["release_namespace"],
        release=params["release_name"],
        claim=params["claim"],
        work_claim=params["work_claim"],
        image=params["postgresql_image"],
        user=params["postgresql_user"],
        url=pair("database_secret"),
        key=pair("encryption_secret"),
        start_seconds=params["job_timeout"],
        pull_seconds=params["pull_timeout"],
        run_seconds=params["run_timeout"],
    )
    same = ("state", "jobs", "version_table", "lock_timeout_ms", "restore_database", "restore_owner", "check_mode")
    request = {name: params.get(name) for name in same} | {"name": params["backup_name"]}
    request["retention"] = _KEPT | (params["retention"] or {})
    if s3 := params["s3"]:
        request["store"] = dataclasses.asdict(_place(s3, f"{options.namespace}/{options.release}"))
        if secret := s3.get("secret"):
            names = {backup_store.ACCESS_KEY: "access_key", backup_store.SECRET_KEY: "secret_key"}
            keys = {variable: (secret["name"], secret[option]) for variable, option in names.items()}
            options = dataclasses.replace(options, secrets=keys)
    return backup_cluster.run(connect(params), options, request)


def _place(s3: Row, prefix: str = "") -> backup_store.Place:
    """Where a store is.

    :param prefix: where none is given
    """
    own = {name: s3.get(name) for name in ("endpoint", "region", "path_style", "ca_certificates")}
    given = prefix if s3.get("prefix") is None else s3["prefix"]
    return backup_store.Place(s3["bucket"], str(given).strip("/"), **own)


def _ran(params: Row) -> Row:
    with contextlib.ExitStack() as stack:
        path, store = Path(params["path"] or ""), None
        if params["s3"]:
            from ansible_collections.ai_platform.agent.plugins.module_utils._database import workplace

            if params["s3"].get("secret"):
                raise FindingError("argument-invalid", "s3.secret is for a release; elsewhere set AWS_ACCESS_KEY_ID.")
            store = backup_store.Store(_place(params["s3"]))
            place = Path(params["work_path"]) if params["work_path"] else None
            # Of its programs none is run: the folder is gone at the end, also after SIGKILL.
            path = stack.enter_context(workplace.Workplace(Path(), place)).folder / "backups"
        request = backup_run.Request(
            path=path,
            url=params["database_url"],
            key=params["encryption_key"] or None,
            name=params["backup_name"],
            jobs=params["jobs"],
            version_table=params["version_table"],
            lock_timeout_ms=params["lock_timeout_ms"],
            image=params["image"],
            retention=Retention(**(_KEPT | (params["retention"] or {}))),
            check_mode=bool(params.get("check_mode")),
            restore_database=params["restore_database"],
            restore_owner=params["restore_owner"],
            store=store,
        )

        def sites(major: int, program: str) -> contextlib.AbstractContextManager[Workplace]:
            return _workplace(params, major, program)

        if params["state"] == "restore" and params["alembic_dir"]:
            _assert_known(params, request)
        return backup_run.run(params["state"], request, sites)


def _assert_known(params: Row, request: backup_run.Request) -> None:
    """Check that the code in `alembic_dir` can go on from the backup.

    :raises CollectorError: it cannot
    """
    from ansible_collections.ai_platform.agent.plugins.module_utils._database import backup_revisions
    from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod import backup_manifest, backup_restoration

    ini = Path(params["alembic_dir"]) / params["alembic_ini"]
    python = params["alembic_python"] or sys.executable
    manifest = backup_manifest.read(request.folder.chosen(request.name).folder)
    if request.name is None:
        request.folder.assert_one_database()
    known = backup_revisions.known_revisions(ini, python, ALEMBIC_SECONDS)
    backup_restoration.assert_known(manifest, known, str(ini.parent))


@contextlib.contextmanager
def _workplace(params: Row, major: int, needed: str) -> t.Iterator[Workplace]:
    """PostgreSQL's programs on this machine.

    :param needed: the program that has to be among them
    """
    from ansible_collections.ai_platform.agent.plugins.module_utils._database import scratch_server, workplace

    place = Path(params["work_path"]) if params["work_path"] else None
    try:
        programs = scratch_server.programs(major, params["postgresql"], needed)
    except scratch_server.ScratchError as error:
        words = f"{error}; install its packages, or name their folder in `postgresql`."
        raise CollectorError("backup-unverified" if needed == "postgres" else "backup-failed", words) from None
    with workplace.Workplace(programs, place) as made:
        yield made


__all__ = ("ARGUMENTS", "CONSTRAINTS", "execute")
