"""libpq's service file of a URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.service_file import main, service


def test_a_drivers_name_and_encoding_are_taken_off() -> None:
    password = "p@ss:/%+ü"
    text = service(f"postgresql+psycopg://user:{quote(password, safe='')}@db:5433/name?sslmode=require")
    assert text.splitlines()[0] == "[live]"
    assert set(text.splitlines()[1:]) == {
        "user=user", f"password={password}", "host=db", "port=5433", "dbname=name", "sslmode=require",
    }  # fmt: skip


@pytest.mark.parametrize("url", [None, "mysql://u:s3cret@h/d"])
def test_what_is_no_url_is_named_without_it(url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if url:
        monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SystemExit) as caught:
        main({"path": str(tmp_path / "service")})
    assert caught.value.code == "DATABASE_URL of this pod is no URL of PostgreSQL"
    assert not (tmp_path / "service").exists()
