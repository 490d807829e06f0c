"""The HTTP interface."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as DatabaseTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from agent import __version__, llm, page, request_id
from agent.auth import BearerAuth
from agent.cache import Cache
from agent.chat import Chat, Turn
from agent.database import Database, UnknownSession
from agent.health import Health, brief
from agent.lifecycle import Lifecycle, Tracking
from agent.limits import BodyLimit
from agent.rate_limit import RateLimit
from agent.request_id import RequestIds
from agent.schema import Graph
from agent.settings import Settings
from agent.tracing import Traces, Tracing

log = logging.getLogger(__name__)

FEEDBACK_REVISION = "0007"
# When a caller that was told 503 should ask again: a database that restarts is back within seconds.
RETRY_SECONDS = "2"


class Question(BaseModel):
    """Body of a chat request."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(min_length=1, max_length=100_000)
    session_id: uuid.UUID | None = None

    @field_validator("message")
    @classmethod
    def _storable(cls, message: str) -> str:
        if "\0" in message:
            raise ValueError("the character NUL cannot be stored: leave it out")
        return message


class Rating(BaseModel):
    """Body of a feedback request."""

    model_config = ConfigDict(extra="forbid")

    rating: int = Field(ge=-1, le=1)


class JsonBodies:
    """ASGI middleware: a body is JSON whatever its content type says; `curl -d` says it were a form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"content-type"]
        await self._app(scope, receive, send)


def create_app(settings: Settings, lifecycle: Lifecycle) -> FastAPI:
    """The application; its connections live as long as it does."""
    graph = Graph.load()
    database = Database(settings)
    cache = Cache(settings)
    tracing = Tracing() if settings.traces else None
    model = llm.choose(settings, tracing.tracer if tracing else None)
    threads = ThreadPoolExecutor(settings.worker_threads, thread_name_prefix="worker")
    chat = Chat(database, cache, model, threads)
    health = Health(settings.libpq_url, graph, cache, lifecycle, database.answers)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        log.info("agent %s serves with model %s", __version__, model.name)
        yield
        threads.shutdown(wait=False, cancel_futures=True)
        health.close()
        await model.close()
        cache.close()
        database.close()
        if tracing:
            await tracing.flush()

    # A body without a content type is JSON, and `JsonBodies` takes the type away.
    app = FastAPI(
        title="Reference AI agent",
        version=__version__,
        lifespan=lifespan,
        strict_content_type=False,
        # FastAPI's own telemetry records whole paths, with the ids of conversations, and the words of exceptions.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.add_middleware(JsonBodies)
    app.add_middleware(BodyLimit)
    # The last one that is added is the first that a request meets.
    if settings.rate_per_minute:
        burst = settings.rate_burst or settings.rate_per_minute
        app.add_middleware(RateLimit, per_minute=settings.rate_per_minute, burst=burst)
    if settings.api_tokens:
        app.add_middleware(BearerAuth, tokens=settings.api_tokens)
    app.add_middleware(Tracking, lifecycle=lifecycle)
    if tracing:
        app.add_middleware(Traces, tracer=tracing.tracer)
    app.add_middleware(RequestIds)
    _add_errors(app)
    _add_probes(app, settings, health)
    _add_chat(app, chat, database)
    if FEEDBACK_REVISION in graph.known:
        _add_feedback(app, chat, database)
    return app


def _add_errors(app: FastAPI) -> None:
    """Each failure is one sentence under "error"."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return _error(422, 'the body is no JSON: send {"message": "..."}')
        where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
        return _error(422, f"{where}: {first['msg'].removeprefix('Value error, ')}")

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> Response:
        return _error(error.status_code, str(error.detail))

    @app.exception_handler(UnknownSession)
    async def unknown(_request: Request, error: UnknownSession) -> Response:
        return _error(404, f"there is no session {error}: leave session_id out to begin a new one")

    @app.exception_handler(SQLAlchemyError)
    async def database(_request: Request, error: SQLAlchemyError) -> Response:
        return _error(503, _database_failed(error, "nothing was lost that was stored before: try again"))

    @app.exception_handler(llm.ModelError)
    async def no_answer(_request: Request, error: llm.ModelError) -> Response:
        log.error("%s", error)
        return _error(502, str(error))

    @app.exception_handler(Exception)
    async def unforeseen(_request: Request, _unforeseen: Exception) -> Response:
        # uvicorn logs it, in one line. This answer is made outside of all that names a request.
        answer = _error(500, "the agent failed in a way it did not foresee: its log has the details")
        answer.headers[request_id.HEADER] = request_id.CURRENT.get()
        return answer


def _add_probes(app: FastAPI, settings: Settings, health: Health) -> None:
    @app.get("/", response_model=None)
    async def about(request: Request) -> Response:
        if settings.chat_page and page.wants_page(request.headers.get("Accept", "")):
            return page.page()
        own = {"name": "ai-agent", "version": __version__}
        whose = {"organization": settings.organization, "environment": settings.environment}
        return JSONResponse(own | whose, headers={"Vary": "Accept"})

    if settings.chat_page:
        page.add_files(app)

    @app.get("/health")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/ready")
    async def ready() -> Response:
        well, checks = await health.ready()
        return JSONResponse({"status": "ready" if well else "not ready", "checks": checks}, 200 if well else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_chat(app: FastAPI, chat: Chat, database: Database) -> None:
    @app.post("/v1/chat")
    async def ask(question: Question) -> dict[str, Any]:
        turn = await chat.start(question.session_id, question.message)
        await chat.answer(turn)
        return {**_facts(turn), "reply": turn.reply}

    @app.post("/v1/chat/stream")
    async def stream(question: Question) -> StreamingResponse:
        turn = await chat.start(question.session_id, question.message)
        pieces = chat.stream(turn)
        # Before the answer begins: a model or a database that fails at once is still a status code.
        first = await anext(pieces)
        return StreamingResponse(
            _events(first, pieces, turn), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @app.get("/v1/sessions/{session_id}/messages")
    async def messages(session_id: uuid.UUID) -> list[dict[str, Any]]:
        found = await chat.run(lambda: database.messages(session_id))
        return [
            {
                "id": message.id,
                "role": message.role,
                "content": message.content,
                "model": message.model,
                "created_at": message.created_at.isoformat(),
            }
            for message in found
        ]


def _add_feedback(app: FastAPI, chat: Chat, database: Database) -> None:
    @app.post("/v1/messages/{message_id}/feedback", status_code=201)
    async def feedback(message_id: Annotated[int, Path(ge=1, le=2**63 - 1)], rating: Rating) -> dict[str, int]:
        if not await chat.run(lambda: database.add_feedback(message_id, rating.rating)):
            raise HTTPException(404, f"there is no message {message_id}")
        return {"message_id": message_id, "rating": rating.rating}


async def _events(first: str, pieces: AsyncIterator[str], turn: Turn) -> AsyncIterator[str]:
    """Server-sent events: `token` for each piece, then `done`, or `error` where the model or the database failed."""
    try:
        yield _event("token", {"text": first})
        async for piece in pieces:
            yield _event("token", {"text": piece})
        yield _event("done", _facts(turn))
    except llm.ModelError as error:
        log.error("%s", error)
        yield _event("error", {"error": str(error)})
    except SQLAlchemyError as error:
        yield _event("error", {"error": _database_failed(error, "the reply was not stored")})


def _database_failed(error: SQLAlchemyError, consequence: str) -> str:
    log.error("the database failed: %s", brief(error))
    if isinstance(error, (OperationalError, InterfaceError, DatabaseTimeout)):
        return f"the database does not answer, {consequence}"
    return "the database refused a statement: see /ready whether its schema is the one that this version needs"


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _facts(turn: Turn) -> dict[str, Any]:
    return {
        "session_id": str(turn.session_id),
        "message_id": turn.message_id,
        "model": turn.model,
        "cached": turn.cached,
    }


def _error(status: int, sentence: str) -> JSONResponse:
    # What the database could not do now it may well do soon: callers and proxies that know the header ask again.
    return JSONResponse({"error": sentence}, status, {"Retry-After": RETRY_SECONDS} if status == 503 else None)
