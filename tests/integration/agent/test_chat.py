"""Conversations: stored, cached, streamed, and what happens when the model fails."""

from __future__ import annotations

import json
import threading
import typing as t
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.integration.agent.conftest import World

KEY = "sk-very-secret-key"


def test_a_conversation_is_stored_and_listed(world: World) -> None:
    agent = world.start(ENVIRONMENT="dev", ORGANIZATION="platform")
    first = agent.chat("Hello").json()
    assert first["model"] == "builtin-echo"
    assert "Hello" in first["reply"]
    second = agent.chat("Goodbye", session_id=first["session_id"]).json()
    assert second["session_id"] == first["session_id"]
    listed = agent.http.get(f"/v1/sessions/{first['session_id']}/messages").json()
    assert [(one["role"], one["content"], one["model"]) for one in listed] == [
        ("user", "Hello", None),
        ("assistant", first["reply"], "builtin-echo"),
        ("user", "Goodbye", None),
        ("assistant", second["reply"], "builtin-echo"),
    ]
    assert [one["id"] for one in listed if one["role"] == "assistant"] == [first["message_id"], second["message_id"]]
    assert world.database.rows("SELECT count(*) FROM messages") == [(4,)]
    unknown = str(uuid.uuid4())
    for answer in (agent.chat("Hello", session_id=unknown), agent.http.get(f"/v1/sessions/{unknown}/messages")):
        assert answer.status_code == 404
        assert unknown in answer.json()["error"]
    about = agent.http.get("/").json()
    assert (about["organization"], about["environment"]) == ("platform", "dev")


def test_identical_prompts_are_answered_from_the_cache(world: World) -> None:
    agent = world.start()
    prompt = f"What is {uuid.uuid4()}?"
    first, second = agent.chat(prompt).json(), agent.chat(prompt).json()
    assert (first["cached"], second["cached"]) == (False, True)
    assert first["reply"] == second["reply"]
    assert first["session_id"] != second["session_id"]
    # The same words later in a conversation are another prompt.
    assert agent.chat(prompt, session_id=first["session_id"]).json()["cached"] is False
    status, events = agent.stream(prompt)
    assert status == 200
    assert events[-1][1]["cached"] is True
    metrics = agent.http.get("/metrics").text
    assert 'agent_cache_total{outcome="hit"} 2.0' in metrics
    assert 'agent_requests_total{route="/v1/chat",status="200"} 3.0' in metrics


def test_a_stream_comes_in_pieces_and_ends_with_ids(world: World) -> None:
    agent = world.start()
    status, events = agent.stream(f"Hello {uuid.uuid4()}")
    assert status == 200
    names = [name for name, _data in events]
    assert names.count("token") > 10
    assert names[-1] == "done"
    done = events[-1][1]
    reply = "".join(data["text"] for name, data in events if name == "token")
    listed = agent.http.get(f"/v1/sessions/{done['session_id']}/messages").json()
    assert (listed[-1]["id"], listed[-1]["content"]) == (done["message_id"], reply)


class Endpoint:
    """A provider of models whose next answers are `status` and `lines`."""

    def __init__(self) -> None:
        """Listen on a port of this machine."""
        self.status = 200
        self.lines: list[str] = []
        self.asked: list[dict[str, t.Any]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.asked.append({"path": self.path, "key": self.headers["Authorization"], **json.loads(body)})
                self.send_response(endpoint.status)
                self.end_headers()
                for line in endpoint.lines:
                    self.wfile.write(f"data: {line}\n\n".encode())

            def log_message(self, *_words: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """What LLM_BASE_URL says."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def says(self, *pieces: str, then: str = "[DONE]") -> None:
        """Answer with these pieces."""
        self.lines = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in pieces] + [then]


@pytest.fixture
def endpoint() -> t.Iterator[Endpoint]:
    """A provider."""
    made = Endpoint()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_provider_gets_the_conversation_and_its_failures_are_one_sentence(world: World, endpoint: Endpoint) -> None:
    agent = world.start(LLM_BASE_URL=endpoint.url, LLM_API_KEY=KEY, LLM_MODEL="small", LOG_LEVEL="debug")
    endpoint.says("Hi", " there")
    answer = agent.chat(f"Hello {uuid.uuid4()}").json()
    assert (answer["reply"], answer["model"]) == ("Hi there", "small")
    again = agent.chat("Who are you?", session_id=answer["session_id"]).json()
    assert [one["role"] for one in endpoint.asked[1]["messages"]] == ["user", "assistant", "user"]
    assert endpoint.asked[1]["path"] == "/v1/chat/completions"
    assert endpoint.asked[1]["key"] == f"Bearer {KEY}"

    endpoint.status, endpoint.lines = 401, []
    refused = agent.chat("No?", session_id=again["session_id"])
    streamed = agent.http.post("/v1/chat/stream", json={"message": f"No {uuid.uuid4()}?"})
    for failed in (refused, streamed):
        assert failed.status_code == 502
        assert "401" in failed.json()["error"]

    endpoint.status = 200
    endpoint.says("Half of ", then="<broken>")
    status, events = agent.stream(f"Half {uuid.uuid4()}?")
    assert status == 200
    assert [name for name, _data in events] == ["token", "error"]
    # An answer that broke off is neither stored nor cached.
    assert world.database.rows("SELECT count(*) FROM messages WHERE content LIKE 'Half of%'") == [(0,)]
    endpoint.says()
    assert agent.chat(f"Silence {uuid.uuid4()}").status_code == 502
    assert "agent_model_errors_total 4.0" in agent.http.get("/metrics").text
    assert KEY not in agent.log


def test_feedback_is_what_version_1_1_0_brings(world: World, next_image: Path) -> None:
    old = world.start()
    said = old.chat("Hello").json()
    new = world.start(next_image, APP_VERSION="1.1.0")
    # The new image waits for its schema, the old one serves on when it has come.
    assert new.ready()[0] == 503
    assert "behind" in new.ready()[1]["schema"]
    world.database.migrate(folder=next_image)
    assert (old.ready(), new.ready()) == ((200, {}), (200, {}))
    assert old.chat("Still there?").status_code == 200
    assert new.http.get("/").json()["version"] == "1.1.0"
    path = f"/v1/messages/{said['message_id']}/feedback"
    assert old.http.post(path, json={"rating": 1}).status_code == 404
    assert new.http.post(path, json={"rating": 1}).status_code == 201
    assert world.database.rows("SELECT message_id, rating FROM message_feedback") == [(said["message_id"], 1)]
    assert new.http.post(path, json={"rating": 5}).status_code == 422
    for number in (999_999, 2**63 - 1):
        assert new.http.post(f"/v1/messages/{number}/feedback", json={"rating": 1}).status_code == 404
    assert new.http.post(f"/v1/messages/{2**63}/feedback", json={"rating": 1}).status_code == 422
