"""A password that was written into a URL as it is: no program of ours takes its end for a host and tells it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._connectivity import probe_answers
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.errors import CollectorError
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.libpq_url import parameters as read
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_postgresql import libpq_parameters
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.session import parameters, place

import schema
from schema_runner import SchemaError
from tests.unit.unencoded import PLACE, told, urls


def _shown(program: str, url: str) -> str:
    """What the program would name of a URL: the place that libpq reads in it, or why it does not take it."""
    try:
        if program == "preflight":
            return place(parameters(url))
        if program == "probe":
            return place(libpq_parameters(url, {}))
        schema.Settings.read({"DATABASE_URL": url})
        return place(read(url))
    except (CollectorError, ValueError, SchemaError) as error:
        return str(error)


@pytest.mark.parametrize("program", ["preflight", "probe", "schema"])
def test_no_piece_of_a_password_is_told_as_a_host_or_a_database(program: str) -> None:
    for url in urls():
        shown = _shown(program, url)
        assert told(shown) == [], url
        assert shown == PLACE or "percent-encode" in shown, url


def test_a_pod_s_answer_names_the_encoding_and_no_piece_of_the_password() -> None:
    asked = {"name": "postgresql", "kind": "postgresql", "url": "postgresql://u:P@HUNTER34!@127.0.0.1:1/d"}
    seen = probe_answers.run_here({"timeout": 1, "rounds": 1, "deadline": 30, "dependencies": [asked]})
    assert told(json.dumps(seen)) == []
    assert "percent-encode" in json.dumps(seen)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40ss@[2001:db8::1]:5432/d",
        "postgresql://u@[fe80::1%25eth0]/d",
        "postgresql://u@db_1.example.com,10.0.0.1:1/d",
        "postgresql://u@%2Fvar%2Frun%2Fpostgresql/d",
        "postgresql:///d?host=/tmp&user=me@tenant",
        "postgresql://u@h/d?application_name=a@b",
        "postgresql://u%40tenant:p@h/d",
        "postgresql://",
        "postgresql://h:/d",
        "postgresql://u@db.internal/d?hostaddr=192.0.2.1,2001:db8::2",
        "postgresql://u@datenbank-münchen/d",
    ],
)
def test_what_libpq_takes_for_a_place_is_taken(url: str) -> None:
    assert isinstance(read(url), dict)
