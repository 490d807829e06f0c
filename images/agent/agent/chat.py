"""One turn of a conversation: store the question, get a reply from the cache or the model, store it."""

from __future__ import annotations

import asyncio
import contextvars
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import TimeoutError as DatabaseTimeout

from agent.cache import Cache
from agent.database import Database
from agent.llm import Model, ModelError, bounded
from agent.metrics import MODEL_ERRORS
from agent.models import Message

T = TypeVar("T")

PATIENCE = 12.0
"""Seconds that a request waits for a worker and the database. Longer than statement_timeout, which a frozen server does
not keep: without a limit of our own, requests would pile up behind it without end."""


@dataclass
class Turn:
    """What is known of a turn; complete once its stream has ended."""

    session_id: uuid.UUID
    prompt: list[tuple[str, str]]
    model: str
    cached: bool = False
    reply: str = ""
    message_id: int | None = None


class Chat:
    """Blocking work goes to *threads*, so that the event loop stays free for streams."""

    def __init__(self, database: Database, cache: Cache, model: Model, threads: ThreadPoolExecutor) -> None:
        self._database = database
        self._cache = cache
        self._model = model
        self._threads = threads

    async def start(self, session_id: uuid.UUID | None, message: str) -> Turn:
        """Store the question, and with it the reply when an identical prompt had one; then the turn is complete.

        :raises agent.database.UnknownSession: no such session
        """
        return await self.run(lambda: self._begin(session_id, message))

    def _begin(self, session_id: uuid.UUID | None, message: str) -> Turn:
        prompt = self._database.history(session_id) if session_id else []
        turn = Turn(session_id or uuid.uuid4(), [*prompt, ("user", message)], self._model.name)
        question = Message(role="user", content=message)
        found = self._cache.get(turn.model, turn.prompt)
        if found is None:
            self._database.add(turn.session_id, question, new=session_id is None)
        else:
            reply = Message(role="assistant", content=found, model=turn.model)
            self._database.add(turn.session_id, question, reply, new=session_id is None)
            turn.cached, turn.reply, turn.message_id = True, found, reply.id
        return turn

    async def stream(self, turn: Turn) -> AsyncIterator[str]:
        """Pieces of the reply; *turn* is complete when they end.

        :raises ModelError: the model gave no answer
        """
        if turn.cached:
            yield turn.reply
            return
        pieces = []
        try:
            async for piece in bounded(self._model.stream(turn.prompt)):
                pieces.append(piece)
                yield piece
        except ModelError:
            MODEL_ERRORS.inc()
            raise
        turn.reply = "".join(pieces)
        if not turn.reply:
            MODEL_ERRORS.inc()
            raise ModelError("the model endpoint answered with nothing")
        turn.message_id = await self.run(lambda: self._finish(turn))

    def _finish(self, turn: Turn) -> int:
        reply = Message(role="assistant", content=turn.reply, model=turn.model)
        self._database.add(turn.session_id, reply)
        self._cache.put(turn.model, turn.prompt, turn.reply)
        return reply.id

    async def answer(self, turn: Turn) -> None:
        """Complete *turn* without showing its pieces."""
        async for _piece in self.stream(turn):
            pass

    async def run(self, work: Callable[[], T]) -> T:
        """Do blocking work in a worker thread.

        :raises sqlalchemy.exc.TimeoutError: it took too long; work that had not begun by then is not done
        """
        try:
            # With the request's id, which lines that are logged there have as well.
            here = contextvars.copy_context()
            running = asyncio.get_running_loop().run_in_executor(self._threads, lambda: here.run(work))
            return await asyncio.wait_for(running, PATIENCE)
        except TimeoutError:
            raise DatabaseTimeout(f"no answer within {PATIENCE:g} s") from None
