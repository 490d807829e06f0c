"""Traces as a collector gets them: real requests of the real SDK, read with OpenTelemetry's own types."""

from __future__ import annotations

import asyncio
import http.server
import json
import logging
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agent.app import create_app
from agent.lifecycle import Lifecycle
from agent.llm import ModelError, OpenAIModel
from agent.logs import JsonLines
from agent.settings import Settings, SettingsError
from agent.tracing import Tracing
from tests.unit.images.agent.conftest import IMAGE
from tests.unit.images.agent.test_app import Client, closed_port
from tests.unit.images.agent.test_llm import settings
from tests.unit.images.agent.test_usage import PIECE, answer, told

SECRET = "word-of-a-conversation"


class Collector:
    """What was sent: paths, headers, spans, and the attributes of the resource."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.spans: list[Any] = []
        self.resource: dict[str, str] = {}
        self.raw = b""

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """One request."""
        assert path == "/v1/traces"
        self.raw += body
        self.headers.append(headers)
        request = ExportTraceServiceRequest.FromString(body)
        for group in request.resource_spans:
            self.resource = {item.key: item.value.string_value for item in group.resource.attributes}
            self.spans += [span for scope in group.scope_spans for span in scope.spans]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the environment names."""
    made = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=of-the-collector")
        yield made
        server.shutdown()


def attributes(span: Any) -> dict[str, Any]:
    """Of a span."""
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


def traced() -> tuple[Client, Tracing]:
    """An agent without database, and what it traces with."""
    made: list[Tracing] = []
    keep = Tracing.__init__

    def kept(self: Tracing, *given: Any) -> None:
        keep(self, *given)
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tracing, "__init__", kept)
        database = f"postgresql+psycopg://u:p@127.0.0.1:{closed_port()}/d"
        given = Settings(database, f"redis://127.0.0.1:{closed_port()}/0", traces=True)
        client = Client(create_app(given, Lifecycle()))
    return client, made[0]


def test_a_request_is_a_span_of_the_callers_trace(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    client, tracing = traced()
    trace, parent = uuid.uuid4().hex, uuid.uuid4().hex[:16]
    headers = {"traceparent": f"00-{trace}-{parent}-01", "X-Request-ID": "mine"}
    client.post("/v1/chat", json={"message": SECRET}, headers=headers)
    session = uuid.uuid4()
    client.get(f"/v1/sessions/{session}/messages")
    client.get("/health")
    asyncio.run(tracing.flush())
    first, second = collector.spans
    assert (first.trace_id.hex(), first.parent_span_id.hex(), first.name) == (trace, parent, "POST /v1/chat")
    about = {
        "http.request.method": "POST",
        "http.route": "/v1/chat",
        "http.response.status_code": 503,
        "request.id": "mine",
    }
    assert attributes(first) == about
    assert first.status.code == 2
    # The pattern, not the id of a conversation.
    assert second.name == "GET /v1/sessions/{session_id}/messages"
    assert str(session).encode() not in collector.raw
    assert SECRET.encode() not in collector.raw
    assert collector.headers[0]["x-key"] == "of-the-collector"
    assert collector.resource["service.name"] == "ai-agent"
    assert collector.resource["service.version"] == "1.0.0"


def test_the_resource_is_what_the_environment_says(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=mine,team=x")
    client, tracing = traced()
    client.post("/v1/chat", json={"message": "hello"})
    asyncio.run(tracing.flush())
    assert (collector.resource["service.name"], collector.resource["team"]) == ("mine", "x")


def test_lines_of_a_request_name_its_trace(collector: Collector) -> None:
    client, _tracing = traced()
    lines: list[dict[str, str]] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonLines().format(record)))

    reader, trace = Reader(), uuid.uuid4().hex
    logging.getLogger("agent").addHandler(reader)
    try:
        client.post("/v1/chat", json={"message": "x"}, headers={"traceparent": f"00-{trace}-{'1' * 16}-01"})
    finally:
        logging.getLogger("agent").removeHandler(reader)
    assert {line["trace_id"] for line in lines} == {trace}
    assert collector.spans == []


@pytest.mark.parametrize(("end", "status"), [("data: [DONE]\n\n", 0), ("data: {\n\n", 2)])
def test_a_question_to_the_model_is_a_span_with_its_tokens(collector: Collector, end: str, status: int) -> None:
    tracing = Tracing()
    parts = [PIECE | {"choices": [{"delta": {"content": SECRET}}]}, told(11, 7)]
    model = OpenAIModel(
        settings(llm_model="traced"), httpx.MockTransport(lambda _request: answer(*parts, end=end)), tracing.tracer
    )

    async def run() -> None:
        try:
            assert [piece async for piece in model.stream([("user", SECRET)])] == [SECRET]
        except ModelError:
            assert status
        await tracing.flush()

    asyncio.run(run())
    [span] = collector.spans
    assert (span.name, span.status.code) == ("chat traced", status)
    assert attributes(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "traced",
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
    }
    assert SECRET.encode() not in collector.raw


def test_a_collector_that_is_away_holds_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{closed_port()}")
    client, tracing = traced()
    assert client.post("/v1/chat", json={"message": "hello"}).status_code == 503
    begin = time.monotonic()

    async def run() -> None:
        await tracing.flush()

    # asyncio.run waits for its threads, so the flush is looked at inside of it.
    loop = asyncio.new_event_loop()
    loop.run_until_complete(run())
    assert time.monotonic() - begin < 60
    assert "the last ones are lost" in caplog.text or "xport" in caplog.text


def test_without_an_endpoint_nothing_is_imported_to_send_traces() -> None:
    names = "opentelemetry.sdk.trace", "opentelemetry.exporter", "google.protobuf", "requests"
    program = f"import sys, agent.app; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=IMAGE, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_image_keeps_the_sdk_where_nothing_else_finds_it() -> None:
    """redis-py imports it at every start where it is among the packages."""
    pins = {
        name: dict(line.split("==") for line in (IMAGE / name).read_text().split() if "==" in line)
        for name in ("requirements.txt", "requirements-tracing.txt")
    }
    usual, tracing = pins.values()
    assert not usual.keys() & tracing.keys()
    assert "opentelemetry-sdk" in tracing
    assert tracing["opentelemetry-sdk"] == usual["opentelemetry-api"]
    text = (IMAGE / "Dockerfile").read_text()
    assert "--no-deps --target /opt/tracing -r /tmp/requirements-tracing.txt" in text
    assert "TRACING_PACKAGES=/opt/tracing" in text


def test_the_folder_is_looked_into_only_where_traces_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    env = {"DATABASE_URL": "postgresql://u@h/d", "REDIS_URL": "redis://h", "TRACING_PACKAGES": str(tmp_path)}
    Settings.from_env(env)
    assert str(tmp_path) not in sys.path
    Settings.from_env(env | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"})
    assert sys.path[-1] == str(tmp_path)


def test_an_image_without_the_sdk_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {
        "DATABASE_URL": "postgresql://u@h/d",
        "REDIS_URL": "redis://h",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
    }
    assert Settings.from_env(env).traces
    monkeypatch.setattr("agent.tracing_packages.importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="this image has no OpenTelemetry"):
        Settings.from_env(env)
    assert not Settings.from_env({name: value for name, value in env.items() if not name.startswith("OTEL")}).traces
