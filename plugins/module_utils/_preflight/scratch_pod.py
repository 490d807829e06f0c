"""A throw-away PostgreSQL in a pod that nobody reaches, beside the image that will migrate it."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import (
    END,
    LOG_SECONDS,
    SETTINGS,
    START_SECONDS,
    SUPERUSER,
    UNHINDERED,
    ScratchError,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.held_pod import SHELL_WAIT
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import SHARED_FOLDER

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec_command import Container, Ran

CONTAINER: t.Final = "postgresql"
_DATA: t.Final = "/tmp/data"  # noqa: S108 - a folder of the pod
# The container has the memory of a small program.
_SMALL: t.Final = {"shared_buffers": "16MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}
_START: t.Final = f"""
umask 077
initdb -D {_DATA} -U {SUPERUSER} -A trust -E UTF8 --locale=C --no-sync >/tmp/initdb 2>&1 || {{
  tail -n 1 /tmp/initdb; exit 1
}}
postgres -D {_DATA} -k {SHARED_FOLDER} "$@" &
{SHELL_WAIT}
kill -QUIT $!
wait
"""
_PSQL: t.Final = (
    f"PGAPPNAME={SUPERUSER} PGCLIENTENCODING=UTF8 PGOPTIONS='{UNHINDERED}' psql -X -q -v ON_ERROR_STOP=\"$1\""
    f' -h {SHARED_FOLDER} -U {SUPERUSER} -d "$2" -f -'
)
# A process of its own writes the log, some time after.
_LOG: t.Final = rf"""
FILE={_DATA}/log/trace.csv
printf '%s' "DO 'BEGIN RAISE LOG \$\${END}\$\$; END'" | {_PSQL} || exit 1
N=0
until grep -q '{END}' $FILE; do N=$((N + 1)); [ $N -lt {int(LOG_SECONDS / 0.05)} ] || exit 3; sleep 0.05; done
cat $FILE >"$OUT"
"""
PSQL_SECONDS: t.Final = 60.0


def command(settings: t.Mapping[str, str]) -> list[str]:
    """What the container runs.

    :param settings: of postgresql.conf; the throw-away server's own come first
    """
    words = [word for name, value in (dict(settings) | _SMALL | SETTINGS).items() for word in ("-c", f"{name}={value}")]
    return ["sh", "-c", _START, "sh", *words]


class ScratchPod:
    """The server in a pod that runs."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def wait(self, major: int | None) -> None:
        """Return once it answers.

        :param major: that it must have, None for any
        :raises ScratchError: it does not start, or has another one
        :raises FindingError: the session is lost
        """
        end = time.monotonic() + START_SECONDS
        while self.psql("SELECT 1", stop=False).returncode != 0:
            if time.monotonic() > end:
                raise ScratchError(f"PostgreSQL does not start in {self._container.pod} within {START_SECONDS:g} s")
            time.sleep(0.2)
        if major is None:
            return
        said = self._container.fetch('postgres --version >"$OUT"', seconds=PSQL_SECONDS).stdout.decode(errors="replace")
        version = said.partition("(PostgreSQL) ")[2].split(" ")[0].strip()
        if version.partition(".")[0] != str(major):
            raise ScratchError(f"PostgreSQL {major} is needed, and the image of the throw-away server has {version}")

    def psql(self, sql: str, database: str = "template1", *, stop: bool = True) -> Ran:
        """Run SQL as the superuser.

        :param stop: at the first error
        """
        text = sql.encode("utf-8", "surrogateescape")
        return self._container.feed(text, _PSQL, str(int(stop)), database, seconds=PSQL_SECONDS)

    def log(self) -> str:
        """What the server has logged until now, as CSV.

        :raises ScratchError: its logger does not keep up
        """
        ran = self._container.fetch(_LOG, "1", "template1", seconds=PSQL_SECONDS)
        if ran.returncode:
            raise ScratchError(f"its log is not written within {LOG_SECONDS:g} s")
        return ran.stdout.decode(errors="replace")


__all__ = ("CONTAINER", "ScratchPod", "command")
