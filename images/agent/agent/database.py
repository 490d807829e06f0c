"""Sessions and messages in PostgreSQL. Blocking: called from the worker threads only."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.orm import Session as OrmSession

from agent.connecting import Pause
from agent.models import Message, Session
from agent.settings import Settings

HISTORY = 20
"""Messages of a session that the model gets to see, the question included."""


class UnknownSession(LookupError):
    """No session has this id."""


# A table that someone locked, or a host that vanished, costs a request seconds and a sentence; it never holds a worker.
# libpq rounds a connect_timeout of 1 up to 2 (its documentation, connection parameters).
STATEMENT_TIMEOUT = "10s"
WIRE = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Database:
    """The pool is as large as the number of worker threads: no thread waits for a connection."""

    def __init__(self, settings: Settings) -> None:
        self._engine: Engine = create_engine(
            settings.database_url,
            pool_size=settings.worker_threads,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            # A pooler in transaction mode leads each transaction to another session, where no statement is prepared.
            connect_args={"application_name": "ai-agent", "prepare_threshold": None, **WIRE},
        )
        event.listen(self._engine, "begin", _limit)
        self._pause = Pause(self._engine)

    def answers(self) -> None:
        """Somebody else has just seen the database answer: a request that comes now is not refused unasked."""
        self._pause.end()

    def history(self, session_id: uuid.UUID) -> list[tuple[str, str]]:
        """The last messages of a session as (role, content), oldest first.

        :raises UnknownSession: there is no session of that id
        """
        recent = (
            select(Message.role, Message.content)
            .where(Message.session_id == session_id)
            .order_by(Message.id.desc())
            .limit(HISTORY - 1)
        )
        with OrmSession(self._engine) as work:
            if work.get(Session, session_id) is None:
                raise UnknownSession(str(session_id))
            return [(role, said) for role, said in work.execute(recent)][::-1]

    def add(self, session_id: uuid.UUID, *messages: Message, new: bool = False) -> None:
        """Store messages in one transaction, and their session where it is *new*; their ids are set then."""
        # Without expire_on_commit=False reading an id after the commit would ask the database again.
        with OrmSession(self._engine, expire_on_commit=False) as work:
            if new:
                work.add(Session(id=session_id))
                work.flush()
            for message in messages:
                message.session_id = session_id
            work.add_all(messages)
            work.commit()

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


def _limit(connection: Connection) -> None:
    # Of this transaction alone: behind a pooler the session is somebody else's in the next one.
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
