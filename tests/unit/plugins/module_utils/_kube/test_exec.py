"""A session in a pod, over the library's own client with what came in through its socket."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import exec
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden, connect
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import ExecSession
from kubernetes.stream.ws_client import WSClient
from websocket import ABNF


class Socket:
    """Frames that are there already, then the end."""

    connected = True

    def __init__(self, *frames: tuple[int, bytes]) -> None:
        self.frames = [*frames]
        self.sock = self
        self.sent: list[str] = []

    def recv_data_frame(self, _control: bool) -> tuple[int, t.Any]:
        opcode, data = self.frames.pop(0)
        return opcode, types.SimpleNamespace(data=data)

    def send(self, payload: str, opcode: int) -> None:
        assert opcode == ABNF.OPCODE_TEXT
        self.sent.append(payload)


def session(monkeypatch: pytest.MonkeyPatch, *frames: tuple[int, bytes]) -> ExecSession:
    """An open session; the library's questions to the operating system are answered by the list of frames."""
    socket = Socket(*frames)
    client = WSClient.__new__(WSClient)
    client.__dict__.update(
        _connected=True, _channels={}, _closed_channels=set(), subprotocol="v4.channel.k8s.io", binary=False,
        newline="\n", sock=socket, _all=types.SimpleNamespace(write=lambda _text: None), _returncode=None,
    )  # fmt: skip
    monkeypatch.setattr(client, "_frames_immediately_available", lambda: bool(socket.frames))
    poll = types.SimpleNamespace(
        register=lambda *_: None, unregister=lambda *_: None, poll=lambda _t: bool(socket.frames)
    )
    monkeypatch.setattr("kubernetes.stream.ws_client.select.poll", lambda: poll)
    monkeypatch.setattr(exec, "_open", lambda *_: client)
    return ExecSession(None, "a", "p", "c", ["python"])  # type: ignore[arg-type]


def test_the_session_is_opened_as_the_account_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, t.Any] = {}
    monkeypatch.setattr(
        "kubernetes.stream.ws_client.websocket_call",
        lambda _configuration, method, url, **more: asked.update(more, method=method, url=url),
    )
    cluster = connect({"host": "https://fake:6443", "api_key": "the-token"})
    exec._open(cluster, "a", "p", "c", ["python", "-c", "print(1)"])
    assert (asked["method"], asked["url"]) == ("GET", "https://fake:6443/api/v1/namespaces/a/pods/p/exec")
    assert asked["headers"] == {"authorization": "Bearer the-token"}
    assert [value for name, value in asked["query_params"] if name == "command"] == ["python", "-c", "print(1)"]
    assert dict(asked["query_params"]).items() >= {"container": "c", "stdin": "true", "tty": "false"}.items()


END = (ABNF.OPCODE_CLOSE, b"")


def out(text: bytes) -> tuple[int, bytes]:
    return ABNF.OPCODE_BINARY, b"\x01" + text


def test_lines_come_whole_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    found = session(monkeypatch, out(b'{"a"'), out(b": 1}\n{"), out(b"}\n"), (ABNF.OPCODE_BINARY, b"\x02why\n"))
    assert (found.receive(1), found.receive(1), found.stderr) == ('{"a": 1}', "{}", "why\n")
    found.send("x")
    assert found._socket.sock.sent == ["\x00x\n"]


def test_what_comes_together_with_the_end_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    found = session(monkeypatch, out(b"one\ntwo\n"), (ABNF.OPCODE_BINARY, b'\x03{"status":"Success"}'), END)
    assert [found.receive(1), found.receive(1), found.receive(1)] == ["one", "two", None]


def test_a_program_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FindingError) as caught:
        session(monkeypatch).receive(0.05)
    assert caught.value.id == "cluster-unreachable"
    assert "a/p" in caught.value.message


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("(0)\nReason: Handshake status 403 Forbidden -+-+- {'audit-id': 'x'}\n", Forbidden, "may not get pods/exec"),
        ("(0)\nReason: Handshake status 404 Not Found -+-+- {'a': 'b'} -+-+- b''\n", FindingError, "404 Not Found)"),
    ],
)
def test_a_session_that_does_not_open(
    monkeypatch: pytest.MonkeyPatch, said: str, kind: type[FindingError], words: str
) -> None:
    def fail(*_: t.Any) -> t.NoReturn:
        raise RuntimeError(said)

    monkeypatch.setattr(exec, "_open", fail)
    with pytest.raises(kind) as caught:
        ExecSession(None, "a", "p", "c", ["python"])  # type: ignore[arg-type]
    assert words in caught.value.message
    assert "audit" not in caught.value.message


@pytest.mark.parametrize("channel", [b"\x01", b"\x02"])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_program_that_floods_is_left(monkeypatch: pytest.MonkeyPatch, channel: bytes, end: bytes) -> None:
    piece = (ABNF.OPCODE_BINARY, channel + b"a" * (1 << 20) + end)
    found = session(monkeypatch, *[piece] * 40)
    with pytest.raises(FindingError) as caught:
        list(iter(lambda: found.receive(1), None))
    assert caught.value.id == "answer-too-large"
    assert "16 MiB" in caught.value.message
    # It was left where it was too much, not after all of it came.
    assert len(found._socket.sock.frames) > 20
