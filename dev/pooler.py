"""A PgBouncer in transaction mode in front of a PostgreSQL, as a container; gone when its caller is done."""

from __future__ import annotations

import contextlib
import tempfile
import time
import typing as t
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dev.postgresql import free_port
from lab import debian, engine, images, shell, source
from lab.cache import digest
from lab.paths import REGISTRY, ROOT
from lab.progress import LabError

RECIPE = ROOT / "dev" / "pgbouncer"


def image() -> str:
    """The name of an image of PgBouncer, which is built where it is missing; its settings are a mounted file.

    :raises LabError: Docker refused
    """
    reference = f"{REGISTRY}/pgbouncer:{digest([RECIPE])}"
    if not images.present(reference):
        own = source.chosen() == source.PACKAGES
        base = {"BASE_IMAGE": debian.base_image("bookworm")} if own else None
        images.build(reference, RECIPE / "Dockerfile", RECIPE, base)
    return reference


def ini(database: str, **settings: str | int) -> str:
    """The text of pgbouncer.ini for transaction mode.

    :param database: a line of its section [databases]
    :param settings: of its section [pgbouncer]
    """
    own = {"pool_mode": "transaction", "ignore_startup_parameters": "extra_float_digits"} | settings
    return "\n".join(
        ["[databases]", database, "[pgbouncer]", *(f"{name} = {value}" for name, value in own.items()), ""]
    )


@contextlib.contextmanager
def in_front_of(url: str, **settings: str | int) -> t.Iterator[str]:
    """The pooler's URL for the same database and login.

    :param url: of a PostgreSQL on 127.0.0.1
    :param settings: more lines of pgbouncer.ini
    :raises LabError: the pooler does not answer
    """
    engine.ensure()
    reference = image()
    wanted = conninfo_to_dict(url)
    port = free_port()
    password = str(wanted["password"]).replace("'", "''")
    login = f"user={wanted['user']} password='{password}'"
    # One server connection, so that whatever one client leaves on it meets the next client.
    own: dict[str, str | int] = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "auth_type": "any",
        "default_pool_size": 1,
    }
    text = ini(f"* = host={wanted['host']} port={wanted['port']} {login}", **own | settings)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "pgbouncer.ini").write_text(text)
        mount = f"{folder}:/etc/pgbouncer/test:ro"
        done = shell.capture(["docker", "run", "--detach", "--network", "host", "--volume", mount, reference])
        if done.returncode:
            raise LabError(f"PgBouncer's container did not start: {done.stderr.strip()}")
        container = done.stdout.strip()
        try:
            pooled = f"postgresql://{wanted['user']}@127.0.0.1:{port}/{wanted['dbname']}"
            _await(pooled, container)
            yield pooled
        finally:
            shell.capture(["docker", "rm", "--force", container])


def _await(url: str, container: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with psycopg.connect(url, connect_timeout=2):
                return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                logs = shell.capture(["docker", "logs", "--tail", "5", container])
                raise LabError(f"PgBouncer did not answer within 20 s ({error}): {logs.stderr.strip()}") from None
        time.sleep(0.2)
