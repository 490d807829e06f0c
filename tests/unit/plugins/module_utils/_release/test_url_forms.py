"""URLs in the form that an image wants."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._release.url_forms import forms, in_form, written

URL = "postgresql://u:p%3A%2F%2F%3F@h:5432/d?sslmode=require"
REST = "u:p%3A%2F%2F%3F@h:5432/d"


@pytest.mark.parametrize(
    ("form", "url"),
    [
        ({}, URL),
        ({"scheme": "postgresql+pg8000"}, f"postgresql+pg8000://{REST}?sslmode=require"),
        ({"scheme": "postgresql+asyncpg", "parameters": "ssl=require"}, f"postgresql+asyncpg://{REST}?ssl=require"),
        ({"parameters": ""}, f"postgresql://{REST}"),
    ],
)
def test_in_form(form: dict[str, str], url: str) -> None:
    assert in_form(URL, form) == url


def test_only_urls_that_there_are_get_a_form() -> None:
    told = '{"PG": {"of": "database", "scheme": "pg"}, "KV": {"of": "cache", "scheme": "valkey"}}'
    template: dict[str, t.Any] = {"metadata": {"annotations": {"ai-agent/url-forms": told}}}
    objects: list[dict[str, t.Any]] = [{"kind": "ConfigMap"}, {"spec": {"template": template}}]
    database = {"database-url": "postgresql://a", "migration-database-url": "postgresql://m"}
    assert dict(written(objects, database)) == {"PG": "pg://a", "migration-PG": "pg://m"}
    assert dict(written(objects, {"redis-url": "redis://k"})) == {"KV": "valkey://k"}
    assert forms({}) == {}
