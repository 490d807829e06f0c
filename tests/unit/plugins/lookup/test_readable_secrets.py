"""Files in which a secret stands in plain text."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible import context
from ansible_collections.ai_platform.agent.plugins.lookup.readable_secrets import in_plain_text, in_sources, sources


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: s3:cret'\n", True),
        ('a:\n  - b: "s3:cret\'"\n', True),
        ('{"a": "s3:cret\'"}', True),
        ("$ANSIBLE_VAULT;1.2;AES256;prod\n3333\n", False),
        ("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  33\n", False),
        ("a: !unsafe 's3:cret'''\n", True),
        ("a: other\n# s3:cret'\n", False),
        ("a: [\n", False),
        ("", False),
    ],
)
def test_a_secret_is_found_as_a_value(tmp_path: Path, text: str, found: bool) -> None:
    file = tmp_path / "group_vars" / "all" / "vault.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert in_plain_text(tmp_path, ["", "s3:cret'"]) == ([file] if found else [])


def test_only_files_that_ansible_reads_count(tmp_path: Path) -> None:
    (tmp_path / "host_vars").mkdir()
    for name in ("h", "h.yaml", "h.example", "h.yml~"):
        (tmp_path / "host_vars" / name).write_text("a: secret\n")
    (tmp_path / "notes.yml").write_text("a: secret\n")
    assert [file.name for file in in_plain_text(tmp_path, ["secret"])] == ["h", "h.yaml"]
    assert in_plain_text(tmp_path / "nowhere", ["secret"]) == []


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("hosts.yml", "all: {hosts: {x: {ai_agent_redis_password: HUNTER2}}}\n", True),
        ("hosts", "[prod]\nx ai_agent_redis_password=HUNTER2 other=1\n", True),
        ("hosts.ini", "[all:vars]\nai_agent_redis_password = 'HUNTER2'\n", True),
        ("hosts", "[prod]\nx ai_agent_redis_password=HUNTER23\n", False),
        ("hosts", "# HUNTER2\n[prod]\nx\n", False),
        ("secrets.yml", "ai_agent_redis_password: HUNTER2\n", True),
        ("secrets.json", '{"ai_agent_redis_password": "HUNTER2"}', True),
        ("secrets.yml", "$ANSIBLE_VAULT;1.2;AES256;prod\n3333\n", False),
        ("secrets.yml~", "ai_agent_redis_password: HUNTER2\n", False),
    ],
)
def test_sources_of_the_inventory_and_files_of_extra_variables(
    tmp_path: Path, name: str, text: str, found: bool
) -> None:
    file = tmp_path / name
    file.write_text(text)
    for source in (file, tmp_path):
        assert in_sources([source, tmp_path / "nowhere"], ["", "HUNTER2"]) == ([file] if found else [])
    assert in_sources([tmp_path], [""]) == []


def test_what_a_run_was_given_is_where_ansible_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hosts.yml", "more.yml"):
        (tmp_path / name).write_text("a: HUNTER2\n")
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": ("b=c", f"@{tmp_path}/more.yml")})
    given = sources({"ansible_inventory_sources": [f"{tmp_path}/hosts.yml"]})
    assert given == [tmp_path / "hosts.yml", tmp_path / "more.yml"]
    assert in_sources(given, ["HUNTER2"]) == given
