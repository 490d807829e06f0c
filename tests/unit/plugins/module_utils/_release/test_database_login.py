"""Who logs in to PostgreSQL, as the Secret's annotation says it."""

from __future__ import annotations

import base64
import datetime
import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release.database_login import (
    ANNOTATION,
    Login,
    age_days,
    as_login,
    expected_now,
    login_of,
    urls_of,
)


def data(**plain: str) -> dict[str, str]:
    return {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in plain.items()}


def secret(text: str | None) -> dict[str, t.Any]:
    metadata: dict[str, t.Any] = {"name": "s", "namespace": "n"}
    return {"metadata": metadata | ({"annotations": {ANNOTATION: text}} if text is not None else {})}


DATA = data(
    password="agent:p",
    database_url="postgresql://agent:a%3Agent@db:5432/agent",
    own_form="postgresql+asyncpg://agent:x@db/agent?ssl=on",
    redis_url="redis://:agent@cache:6379/0",
    other="postgresql://agent2:x@db/agent",
)


def test_the_user_of_the_databases_urls_is_replaced_and_nothing_else() -> None:
    found = as_login(DATA, "agent", "agent_a")
    assert found == DATA | data(
        database_url="postgresql://agent_a:a%3Agent@db:5432/agent",
        own_form="postgresql+asyncpg://agent_a:x@db/agent?ssl=on",
    )
    assert urls_of(DATA, "agent") == {"database-url", "own-form"}
    assert urls_of(found, "agent_a") == {"database-url", "own-form"}


def test_a_user_that_has_to_be_encoded() -> None:
    given = data(database_url="postgresql://a%40b:x@db/d")
    assert as_login(given, "a@b", "a@b_a") == data(database_url="postgresql://a%40b_a:x@db/d")


def test_what_is_expected_of_a_secret_has_the_user_of_its_annotation() -> None:
    assert expected_now(DATA, None) == DATA
    assert expected_now(DATA, secret(None)) == DATA
    login = Login("agent", "agent_b", since="2026-01-01T00:00:00+00:00")
    found = expected_now(DATA, secret(login.as_annotation()))
    assert urls_of(found, "agent_b") == {"database-url", "own-form"}


@pytest.mark.parametrize(
    "login", [Login("o", "o"), Login("o", "o_a", "now", "o_b"), Login("o", "o_a", "", "", "o", "1")]
)
def test_an_annotation_is_read_as_it_was_written(login: Login) -> None:
    assert login_of(secret(login.as_annotation())) == login


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"login": "agent"}', "3"])
def test_an_annotation_that_no_rotation_wrote(text: str) -> None:
    with pytest.raises(FindingError, match="is not what a rotation writes") as caught:
        login_of(secret(text))
    assert caught.value.id == "rotation-record"


def test_a_password_is_as_old_as_its_rotation_or_else_as_its_secret() -> None:
    now = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
    made = secret(None)
    assert age_days(None, now) is None
    assert age_days(made, now) is None
    made["metadata"]["creationTimestamp"] = "2026-01-31T12:00:00Z"
    assert age_days(made, now) == 29
    made["metadata"]["annotations"] = {ANNOTATION: Login("o", "o").as_annotation()}
    assert age_days(made, now) == 29
    made["metadata"]["annotations"] = {ANNOTATION: Login("o", "o_a", since="2026-02-28T13:00:00+00:00").as_annotation()}
    assert age_days(made, now) == 0
