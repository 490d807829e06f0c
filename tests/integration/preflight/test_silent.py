"""A server, or a pooler before it, that answers the login and nothing after it."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.preflight.asking import ask, prepare
from tests.unit.plugins.module_utils._in_pod.project import Project


class Proxy:
    """Hands everything on; what the server says beyond so many bytes stays here."""

    def __init__(self, host: str, port: int, limit: int) -> None:
        self._target, self._limit = (host, port), limit
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _address = self._socket.accept()
            server = socket.create_connection(self._target)
            threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, self._limit), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        passed = 0
        while data := source.recv(4096):
            if limit is not None and passed >= limit:
                continue
            passed += len(data)
            sink.sendall(data)


def test_it_has_an_end(database: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "app").add("0001", None)
    at = urlsplit(database)
    proxy = Proxy(at.hostname or "", at.port or 0, 500)
    begin = time.monotonic()
    url = database.replace(f":{at.port}/", f":{proxy.port}/")
    answer = ask(project.folder, database, database_url=f"{url}?sslmode=disable", statement_timeout_ms=100)
    assert time.monotonic() - begin < 60
    assert (answer.verdict, answer.ids) == (None, {"database-timeout"}), answer.message


@pytest.mark.parametrize("row", ["5", "NULL"])
def test_a_version_table_of_another_form(row: str, database: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "app").add("0001", None)
    prepare(database, f"CREATE TABLE alembic_version AS SELECT {row}::int AS version_num")
    answer = ask(project.folder, database)
    assert answer.serious["revision-unknown"] == "fail"
