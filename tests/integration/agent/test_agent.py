from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.integration.agent.process import AGENT, Agent, alembic

Start = Callable[..., Agent]


@pytest.fixture
def migrated(database: str, migrations: str) -> str:
    with psycopg.connect(database) as connection:
        connection.execute(migrations.encode())
    return database


def revision(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else ""


def test_migrations_go_up_once_and_down_again(database: str) -> None:
    assert alembic(database, "upgrade", "head").returncode == 0
    assert revision(database) == "0006"
    assert "Running upgrade" not in alembic(database, "upgrade", "head").stderr
    assert alembic(database, "downgrade", "base").returncode == 0
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('messages')").fetchone() == (None,)


def test_migrations_render_as_sql_without_a_database() -> None:
    done = alembic("postgresql://", "upgrade", "head", "--sql")
    assert done.returncode == 0, done.stderr
    assert "CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_by_session" in done.stdout
    assert "UPDATE messages SET model" in done.stdout


def test_the_backfill_fills_what_was_there_before(database: str) -> None:
    assert alembic(database, "upgrade", "0004").returncode == 0
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO sessions (id) VALUES (gen_random_uuid())")
        connection.execute(
            "INSERT INTO messages (session_id, role, content)"
            " SELECT id, CASE WHEN n % 2 = 0 THEN 'user' ELSE 'assistant' END, 'x'"
            " FROM sessions, generate_series(1, 12001) n"
        )
    assert alembic(database, "upgrade", "head").returncode == 0
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT role, model, count(*) FROM messages GROUP BY 1, 2 ORDER BY 1").fetchall()
    assert rows == [("assistant", "unknown", 6001), ("user", None, 6000)]


def test_a_broken_index_build_is_repaired_by_the_next_try(database: str) -> None:
    assert alembic(database, "upgrade", "0002").returncode == 0
    with psycopg.connect(database) as connection:
        connection.execute("CREATE INDEX messages_by_session ON messages (id)")
    assert alembic(database, "upgrade", "0003").returncode == 0
    with psycopg.connect(database) as connection:
        query = "SELECT indisvalid, indnatts FROM pg_index WHERE indexrelid = 'messages_by_session'::regclass"
        assert connection.execute(query).fetchone() == (True, 2)


def test_a_conversation_is_stored_and_an_identical_prompt_is_cached(migrated: str, start: Start) -> None:
    agent = start(BUILTIN_TOKEN_DELAY_MS="0", ENVIRONMENT="dev")
    first = agent.client.post("/v1/chat", json={"message": f"Hello {time.time()}"})
    assert first.status_code == 200, first.text
    body = first.json()
    assert (body["model"], body["cached"]) == ("builtin-echo", False)
    asked = agent.client.get(f"/v1/sessions/{body['session_id']}/messages").json()
    assert [message["role"] for message in asked] == ["user", "assistant"]
    again = agent.client.post("/v1/chat", json={"message": asked[0]["content"]}).json()
    assert (again["cached"], again["reply"]) == (True, body["reply"])
    assert again["session_id"] != body["session_id"]
    follow = agent.client.post("/v1/chat", json={"message": "more", "session_id": body["session_id"]}).json()
    assert follow["session_id"] == body["session_id"]
    assert len(agent.client.get(f"/v1/sessions/{body['session_id']}/messages").json()) == 4
    assert agent.client.get("/").json()["environment"] == "dev"
    metrics = agent.client.get("/metrics").text
    assert 'agent_cache_total{outcome="hit"} 1.0' in metrics
    assert 'agent_requests_total{route="/v1/sessions/{session_id}/messages",status="200"} 2.0' in metrics


def test_a_stream_comes_in_pieces(migrated: str, start: Start) -> None:
    agent = start(BUILTIN_TOKEN_DELAY_MS="1")
    with agent.client.stream("POST", "/v1/chat/stream", json={"message": f"stream {time.time()}"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    events = [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in zip(lines[::2], lines[1::2], strict=True)
    ]
    assert [name for name, _ in events] == ["token"] * (len(events) - 1) + ["done"]
    assert len(events) > 10
    stored = agent.client.get(f"/v1/sessions/{events[-1][1]['session_id']}/messages").json()
    assert stored[1]["content"] == "".join(data["text"] for name, data in events if name == "token")
    assert stored[1]["id"] == events[-1][1]["message_id"]


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("/v1/chat", {}, 422, "message: Field required"),
        ("/v1/chat", {"message": ""}, 422, "message: String should have at least 1 character"),
        ("/v1/chat", {"message": "x", "extra": 1}, 422, "extra: Extra inputs are not permitted"),
        (
            "/v1/chat",
            {"message": "x", "session_id": "00000000-0000-0000-0000-000000000000"},
            404,
            "there is no session",
        ),
        ("/v1/nothing", {}, 404, "Not Found"),
    ],
)
@pytest.mark.usefixtures("migrated")
def test_bad_requests_are_answered_with_one_sentence(
    start: Start, path: str, body: dict[str, object], status: int, sentence: str
) -> None:
    answer = start().client.post(path, json=body)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]


def test_readiness_follows_the_schema(database: str, start: Start) -> None:
    agent = start()
    before = agent.client.get("/ready")
    assert before.status_code == 503
    assert before.json()["checks"]["database"]["status"] == "ok"
    assert "no schema yet" in before.json()["checks"]["schema"]["message"]
    alembic(database, "upgrade", "0005")
    assert "behind" in agent.client.get("/ready").json()["checks"]["schema"]["message"]
    alembic(database, "upgrade", "head")
    ready = agent.client.get("/ready")
    assert ready.status_code == 200, ready.text
    assert set(ready.json()["checks"]) == {"database", "schema", "cache"}
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
    ahead = agent.client.get("/ready")
    assert ahead.status_code == 200
    assert "ahead" in ahead.json()["checks"]["schema"]["message"]


def test_without_its_cache_the_agent_answers_but_is_not_ready(migrated: str, start: Start) -> None:
    agent = start(REDIS_URL="redis://:secret-word@127.0.0.1:1/0", BUILTIN_TOKEN_DELAY_MS="0")
    assert agent.client.post("/v1/chat", json={"message": "x"}).status_code == 200
    ready = agent.client.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["checks"]["cache"]["status"] == "failed"
    assert ready.json()["checks"]["database"]["status"] == "ok"
    assert "secret-word" not in agent.log.read_text() + ready.text


def test_without_its_database_the_agent_lives_and_says_so(start: Start) -> None:
    agent = start(DATABASE_URL="postgresql://u:secret-word@127.0.0.1:1/d")
    assert agent.client.get("/health").status_code == 200
    ready = agent.client.get("/ready")
    assert ready.status_code == 503
    assert "refused" in ready.json()["checks"]["database"]["message"]
    chat = agent.client.post("/v1/chat", json={"message": "x"})
    assert chat.status_code == 503
    assert "the database does not answer" in chat.json()["error"]
    assert "secret-word" not in agent.log.read_text() + ready.text + chat.text


def test_sigterm_turns_readiness_off_lets_a_stream_end_and_answers_late_comers(migrated: str, start: Start) -> None:
    agent = start(BUILTIN_TOKEN_DELAY_MS="60")
    events: list[str] = []

    def listen() -> None:
        body = {"message": "one two three four five"}
        with agent.client.stream("POST", "/v1/chat/stream", json=body) as response:
            events.extend(line for line in response.iter_lines() if line.startswith("event"))

    listener = threading.Thread(target=listen)
    listener.start()
    time.sleep(0.6)
    codes: list[int] = []
    stopper = threading.Thread(target=lambda: codes.append(agent.stop()))
    stopper.start()
    time.sleep(0.3)
    with httpx.Client(base_url=agent.client.base_url) as late:
        ready = late.get("/ready")
        assert ready.status_code == 503
        assert "draining" in ready.json()["checks"]["lifecycle"]["message"]
        answer = late.post("/v1/chat", json={"message": "late"}, timeout=15)
        assert answer.status_code == 200
        assert answer.headers["connection"] == "close"
    listener.join(15)
    stopper.join(15)
    assert events[-1] == "event: done"
    assert codes == [0]
    assert "drained" in agent.log.read_text()


def test_the_drain_has_a_limit(migrated: str, start: Start) -> None:
    agent = start(BUILTIN_TOKEN_DELAY_MS="2000", DRAIN_SECONDS="1")
    outcomes: list[int] = []

    def ask() -> None:
        try:
            outcomes.append(agent.client.post("/v1/chat", json={"message": "x"}).status_code)
        except httpx.TransportError:
            outcomes.append(0)

    cut = threading.Thread(target=ask)
    cut.start()
    time.sleep(0.5)
    begin = time.monotonic()
    agent.stop()
    assert time.monotonic() - begin < 6
    cut.join(10)
    assert outcomes != [200]


def test_wrong_settings_end_with_one_sentence(migrated: str, tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "agent"],
        cwd=AGENT,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: DATABASE_URL is not set")
    assert done.stderr.count("\n") == 1
