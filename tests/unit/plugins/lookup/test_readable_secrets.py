"""Files in which a secret stands in plain text."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.lookup.readable_secrets import in_plain_text


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
