"""What ansible-test is given: the artefact, ignore files of one list, and pip's settings without its variables."""

from __future__ import annotations

import configparser
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from dev import artefact, environments, ignores, importer, sanity
from lab import shell

ROOT = Path(__file__).resolve().parents[3]


def test_ignore_files_are_written_from_the_list() -> None:
    wanted = ignores.text(artefact.tracked())
    assert wanted
    assert {file.name: file.read_text() for file in ignores.files()} == {
        f"ignore-{core}.txt": wanted for core in sanity.CORES
    }, "run `python -m dev.ignores`"
    assert sorted((ROOT / "tests" / "sanity").iterdir()) == sorted(ignores.files())


def test_every_exception_has_a_reason_and_a_file() -> None:
    for one in ignores.IGNORED:
        assert one.reason
        for pattern in one.patterns:
            alone = one._replace(patterns=(pattern,))
            assert ignores.text(artefact.tracked()).count(f"{alone.test}  # {alone.reason}"), pattern


def test_cores_are_those_that_the_collection_supports() -> None:
    least = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert least == f">={min(sanity.CORES)}.0"
    assert all(release.startswith(f"{minor}.") for minor, release in sanity.CORES.items())


def test_pip_is_told_the_same_without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ":env:.cert='/a.pem'\nglobal.cert='/b.pem'\nglobal.find-links='/x\\n/y'\ninstall.no-binary='z'\n"
    answer: t.Any = subprocess.CompletedProcess([], 0, said, "")
    monkeypatch.setattr(shell, "capture", lambda *_arguments, **_options: answer)
    parser = configparser.RawConfigParser()
    parser.read_string(environments.pip_configuration())
    assert {name: dict(parser[name]) for name in parser.sections()} == {
        "global": {"cert": "/a.pem", "find-links": "/x\n/y"},
        "install": {"no-binary": "z"},
    }


def test_what_galaxy_would_refuse_or_ask_about_is_a_complaint() -> None:
    end = "Importer processing completed successfully\n"
    expected = "WARNING: Ignore files skip ansible-test sanity tests, found ignore-2.19.txt with 44 statement(s)\n"
    assert importer.complaints(expected + end) == []
    assert importer.complaints("WARNING: No changelog found\n" + end) == ["WARNING: No changelog found"]
    assert importer.complaints("ERROR: The import failed\n") == [
        "ERROR: The import failed",
        "it did not come to its end",
    ]


def test_an_environment_of_another_python_is_another_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = environments.python()
    other = tmp_path / "python3"
    other.touch()
    monkeypatch.setattr(sys, "executable", str(other))
    assert environments.python() != mine
    assert environments.python().partition("-")[0] == mine.partition("-")[0]
