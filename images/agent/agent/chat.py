"""One turn of a conversation: store the question, get a reply from the cache or the model, store it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from agent.cache import Cache
from agent.database import Database
from agent.llm import Model, ModelError
from agent.metrics import MODEL_ERRORS

T = TypeVar("T")


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
        """Store the question.

        :raises agent.database.UnknownSession: no such session
        """
        session, prompt = await self._run(lambda: self._database.add_question(session_id, message))
        return Turn(session, prompt, self._model.name)

    async def stream(self, turn: Turn) -> AsyncIterator[str]:
        """Pieces of the reply; *turn* is complete when they end.

        :raises ModelError: the model gave no answer
        """
        found = await self._run(lambda: self._cache.get(turn.model, turn.prompt))
        if found is not None:
            turn.cached, turn.reply = True, found
            yield found
        else:
            pieces = []
            try:
                async for piece in self._model.stream(turn.prompt):
                    pieces.append(piece)
                    yield piece
            except ModelError:
                MODEL_ERRORS.inc()
                raise
            turn.reply = "".join(pieces)
            if not turn.reply:
                MODEL_ERRORS.inc()
                raise ModelError("the model endpoint answered with nothing")
            await self._run(lambda: self._cache.put(turn.model, turn.prompt, turn.reply))
        turn.message_id = await self._run(lambda: self._database.add_reply(turn.session_id, turn.reply, turn.model))

    async def answer(self, turn: Turn) -> None:
        """Complete *turn* without showing its pieces."""
        async for _piece in self.stream(turn):
            pass

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
