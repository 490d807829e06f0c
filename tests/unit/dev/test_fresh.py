from __future__ import annotations

import subprocess

import pytest

from dev.fresh import run, settings
from lab import shell
from lab.progress import LabError


def test_commands_are_read_without_their_comments() -> None:
    first = "```console\n$ make up      # a kind cluster\noutput\n$ make test\n```\n"
    text = f"### Two commands\n\n<!-- a note -->\n{first}\n```console\n$ other\n```\n"
    assert run.commands(text) == ["make up", "make test"]


def test_a_readme_without_commands_is_an_error() -> None:
    with pytest.raises(LabError, match="no section"):
        run.commands("### Two commands\n\n### Something else\n\n```console\n$ make up\n```\n")


def test_what_no_pattern_names_is_unlisted() -> None:
    lists = run.known(
        "# comment\nexecutes git\nexecutes python3.*-minimal  # its version changes\nleaves /root/.cache\n"
    )
    assert lists == {"executes": {"git", "python3.*-minimal"}, "leaves": {"/root/.cache"}}
    assert run.unlisted(["git", "python3.13-minimal", "curl", "curl"], lists["executes"]) == ["curl"]


def test_settings_of_package_clients_are_handed_on_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.environment():
        monkeypatch.delenv(name)
    given = {
        "https_proxy": "http://proxy.example.com:3128",
        "PIP_INDEX_URL": "https://index.example.com/simple",
        "GOPROXY": "https://go.example.com",
        "PIP_CERT": "/etc/ssl/certs",
        "PIP_FIND_LINKS": "/only/here",
        "AWS_SECRET_ACCESS_KEY": "hidden-word",
        "GOFLAGS": "-mod=mod",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert set(settings.environment()) == {"https_proxy", "PIP_INDEX_URL", "GOPROXY", "PIP_CERT"}


def test_apts_proxies_and_checks_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        'Acquire "";',
        'Acquire::http::Proxy "http://proxy.example.com:3128";',
        'Acquire::https::Verify-Peer "false";',
        'Acquire::Check-Valid-Until "false";',
        'Acquire::Languages "none";',
        'Acquire::http::Proxy::mirror.example.com "DIRECT";',
    ]
    answer = "\n".join(lines)
    monkeypatch.setattr(shell, "capture", lambda *_words, **_more: subprocess.CompletedProcess([], 0, answer, ""))
    assert settings.apt().splitlines() == [lines[1], lines[2], lines[3], lines[5]]
