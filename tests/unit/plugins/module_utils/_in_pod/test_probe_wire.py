"""No form of a password leaves a pod; a network that begins late is waited for."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_wire import (
    Dependency,
    Log,
    NetworkGrace,
    Stop,
    described,
)

PASSWORD = 'p@:/%+ü"x'
FORMS = {
    "raw": PASSWORD,
    "encoded": "p%40%3A%2F%25%2B%C3%BC%22x",
    "lower": "p%40%3a%2f%25%2b%c3%bc%22x",
    "repr": repr(PASSWORD)[1:-1],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_no_form_of_the_password_is_written(form: str) -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide(f"postgresql://user:{FORMS['encoded']}@host/db", PASSWORD)
    log.put(record="phase", error={"text": f"failed for {form} at host"}, facts={"deep": [{"er": form}]})
    assert json.loads(lines[0]) == {
        "record": "phase",
        "error": {"text": "failed for *** at host"},
        "facts": {"deep": [{"er": "***"}]},
    }


def test_a_url_that_nobody_told_of_loses_its_login() -> None:
    lines: list[str] = []
    Log(lines.append).put(error={"text": "cannot parse redis://:secret@host/0"})
    assert "secret" not in lines[0]
    assert "//***@host/0" in lines[0]


def test_a_password_that_is_a_word_of_the_message_does_not_hide_the_cause() -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide("postgresql://user:password@host/db", "password")
    log.put(error=described(OSError("FATAL:  password authentication failed")))
    said = json.loads(lines[0])["error"]
    assert said["text"] == "FATAL:  *** authentication failed"
    assert said["cause"] == "password"


def test_own_words_of_a_record_stay_what_they_are() -> None:
    lines: list[str] = []
    log = Log(lines.append)
    log.hide("redis://:p@host/0", "p")
    log.put(record="phase", phase="tcp", dependency="postgresql")
    assert json.loads(lines[0]) == {"record": "phase", "phase": "tcp", "dependency": "postgresql"}


@pytest.fixture
def port() -> t.Iterator[int]:
    """A port on which nobody listens, and nobody else will."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def phases(port: int, grace: NetworkGrace) -> list[tuple[str, bool]]:
    """What is on record of a server: each phase, and whether it went well."""
    lines: list[str] = []
    with contextlib.suppress(Stop):
        Dependency(Log(lines.append), "postgresql", 1, grace).wire([("127.0.0.1", port)], None)
    return [(record["phase"], record["ok"]) for record in map(json.loads, lines)]


def test_a_mesh_that_is_not_ready_at_once_is_waited_for() -> None:
    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))
        threading.Timer(0.7, late.listen).start()
        begin = time.monotonic()
        assert phases(late.getsockname()[1], NetworkGrace(20)) == [("dns", True), ("tcp", True)]
        assert 0.6 < time.monotonic() - begin < 10


def test_a_server_that_is_away_is_told_once_the_network_had_its_time(port: int) -> None:
    grace = NetworkGrace(0.7)
    begin = time.monotonic()
    assert phases(port, grace) == [("dns", True), ("tcp", False)]
    assert time.monotonic() - begin > 0.6
    # The second server is told at once: what had its time has it no more.
    begin = time.monotonic()
    assert phases(port, grace)[-1] == ("tcp", False)
    assert time.monotonic() - begin < 0.5


def test_a_network_that_works_is_waited_for_no_more(port: int) -> None:
    grace = NetworkGrace(20)
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen()
        assert phases(there.getsockname()[1], grace)[-1] == ("tcp", True)
        begin = time.monotonic()
        assert phases(port, grace)[-1] == ("tcp", False)
        assert time.monotonic() - begin < 5


def test_what_moves_a_terminals_cursor_is_taken_out() -> None:
    lines: list[str] = []
    Log(lines.append).put(error={"text": "one\x1b[31mtwo\x07\r\x9bthree"}, facts={"location": "/a\x1b[2J"})
    said = json.loads(lines[0])
    assert said["error"]["text"] == "one [31mtwo   three"
    assert said["facts"]["location"] == "/a [2J"
