"""Traces by OTLP over HTTP, where an endpoint is configured. Else nothing of OpenTelemetry's SDK is imported.

No word of a conversation is in a span: what was asked, how it ended, and how many tokens the model's endpoint counted.
The SDK reads the endpoint, its headers and the resource's attributes from its own variables, OTEL_...:
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent import __version__, request_id

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

    from agent.usage import Usage

log = logging.getLogger(__name__)

TRACE: ContextVar[str] = ContextVar("trace_id", default="")
"""The trace of the request that is being answered, for the lines of the log."""
FLUSH_SECONDS = 2.0
"""What the end of the process waits for a collector that does not answer."""
_FAILED = 500


class Tracing:
    """The SDK of one process: spans are collected, and sent every few seconds by a thread of its own."""

    def __init__(self, env: Mapping[str, str] = os.environ) -> None:
        # 7 MiB and 70 ms, which only those pay who want traces.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        own = {"service.version": __version__}
        # What is given here would win against the variables.
        if "OTEL_SERVICE_NAME" not in env and "service.name=" not in env.get("OTEL_RESOURCE_ATTRIBUTES", ""):
            own["service.name"] = "ai-agent"
        self._provider: TracerProvider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer: Tracer = self._provider.get_tracer("agent", __version__)

    async def flush(self) -> None:
        """Send what is left, as far as that goes in time."""
        milliseconds = round(FLUSH_SECONDS * 1000)
        try:
            await asyncio.wait_for(asyncio.to_thread(self._provider.force_flush, milliseconds), FLUSH_SECONDS)
        except TimeoutError:
            log.warning("the collector of traces does not answer: the last ones are lost")


class Traces:
    """ASGI middleware: a span for each request, in the caller's trace where it tells one (W3C Trace Context)."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._app, self._tracer, self._format = app, tracer, TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, StatusCode, format_trace_id

        told = Headers(scope=scope)
        parent = self._format.extract({name: told[name] for name in ("traceparent", "tracestate") if name in told})
        about = {"http.request.method": scope["method"], "request.id": request_id.CURRENT.get()}
        status = _FAILED

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # The words of an exception may be those of a conversation.
        with self._tracer.start_as_current_span(
            scope["method"],
            context=parent,
            kind=SpanKind.SERVER,
            attributes=about,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            TRACE.set(format_trace_id(span.get_span_context().trace_id))
            try:
                await self._app(scope, receive, seen)
            finally:
                # The route's pattern, never the path, which has ids of conversations.
                route = getattr(scope.get("route"), "path", "unknown")
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": status})
                if status >= _FAILED:
                    span.set_status(StatusCode.ERROR)


class ModelCall:
    """The span of one question to the model's endpoint; nothing without a tracer."""

    def __init__(self, tracer: Tracer | None, model: str) -> None:
        self._span: Span | None = None
        if tracer:
            from opentelemetry.trace import SpanKind

            # Names of https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
            about = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
            # Not as the current one: a stream may be left, and its generator closed, in another task.
            self._span = tracer.start_span(f"chat {model}", kind=SpanKind.CLIENT, attributes=about)

    def end(self, usage: Usage, *, complete: bool) -> None:
        """The answer ended, or broke off."""
        if self._span is None:
            return
        from opentelemetry.trace import StatusCode

        told = {"gen_ai.usage.input_tokens": usage.prompt, "gen_ai.usage.output_tokens": usage.completion}
        self._span.set_attributes({name: number for name, number in told.items() if number is not None})
        if not complete:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()
