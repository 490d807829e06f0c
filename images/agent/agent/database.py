"""Sessions and messages in PostgreSQL. Blocking: called from the worker threads only."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Engine, NullPool, create_engine, select, text
from sqlalchemy.orm import Session as OrmSession

from agent.models import Message, Session
from agent.schema import Graph, live_revisions
from agent.settings import Settings

HISTORY = 20
"""Messages of a session that the model gets to see."""


class UnknownSession(LookupError):
    """No session has this id."""


class Database:
    """The pool is as large as the number of worker threads: no thread waits for a connection, none is idle for long."""

    def __init__(self, settings: Settings) -> None:
        options = {"application_name": "ai-agent", "connect_timeout": 3}
        self._engine: Engine = create_engine(
            settings.database_url,
            pool_size=settings.worker_threads,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            connect_args=options,
        )
        # Probes have a connection of their own: a busy pool is no reason to take the pod out of service.
        self._probe: Engine = create_engine(
            settings.database_url, poolclass=NullPool, connect_args={**options, "application_name": "ai-agent probe"}
        )
        self._graph = Graph.load()

    def ping(self) -> str:
        """Server version.

        :raises sqlalchemy.exc.SQLAlchemyError: the database does not answer
        """
        with self._probe.connect() as connection:
            return str(connection.execute(text("SHOW server_version")).scalar())

    def schema(self) -> tuple[bool, str]:
        """Whether the live schema serves this image, and a sentence about it."""
        with self._probe.connect() as connection:
            return self._graph.judge(live_revisions(connection))

    def has_revision(self, revision: str) -> bool:
        """Whether this image brings *revision*."""
        return revision in self._graph.known

    def add_question(self, session_id: uuid.UUID | None, content: str) -> tuple[uuid.UUID, list[tuple[str, str]]]:
        """Store the user's message, in a new session when *session_id* is None.

        :return: the session, and its last messages as (role, content), the new one last
        :raises UnknownSession: there is no session of that id
        """
        with OrmSession(self._engine) as work:
            if session_id is None:
                session_id = uuid.uuid4()
                work.add(Session(id=session_id))
                work.flush()
            elif work.get(Session, session_id) is None:
                raise UnknownSession(str(session_id))
            work.add(Message(session_id=session_id, role="user", content=content))
            work.flush()
            recent = (
                select(Message.role, Message.content)
                .where(Message.session_id == session_id)
                .order_by(Message.id.desc())
                .limit(HISTORY)
            )
            history = [(role, said) for role, said in work.execute(recent)]
            work.commit()
            return session_id, history[::-1]

    def add_reply(self, session_id: uuid.UUID, content: str, model: str) -> int:
        """Store the assistant's message; returns its id."""
        with OrmSession(self._engine) as work:
            message = Message(session_id=session_id, role="assistant", content=content, model=model)
            work.add(message)
            work.commit()
            return message.id

    def messages(self, session_id: uuid.UUID) -> Sequence[Message]:
        """All messages of a session, oldest first.

        :raises UnknownSession: there is no session of that id
        """
        with OrmSession(self._engine, expire_on_commit=False) as work:
            if work.get(Session, session_id) is None:
                raise UnknownSession(str(session_id))
            return work.scalars(select(Message).where(Message.session_id == session_id).order_by(Message.id)).all()

    def add_feedback(self, message_id: int, rating: int) -> bool:
        """Store a rating of one message; False when there is no such message. Needs revision 0007."""
        statement = text(
            "INSERT INTO message_feedback (message_id, rating) SELECT id, :rating FROM messages WHERE id = :id"
        )
        with self._engine.begin() as connection:
            return connection.execute(statement, {"id": message_id, "rating": rating}).rowcount == 1

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()
        self._probe.dispose()
