"""Which configuration Alembic is given in a pod of the image."""

from __future__ import annotations

from logging.config import fileConfig
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.alembic_place import own_ini


def test_the_file_of_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALEMBIC_CONFIG", raising=False)
    monkeypatch.delenv("ALEMBIC_SCRIPT_LOCATION", raising=False)
    assert own_ini() == tmp_path / "alembic.ini"
    monkeypatch.setenv("ALEMBIC_CONFIG", "other/db.ini")
    assert own_ini() == tmp_path / "other" / "db.ini"


def test_scripts_of_a_package_get_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = tmp_path / "someones_server" / "migrations"
    scripts.mkdir(parents=True)
    (tmp_path / "someones_server" / "__init__.py").touch()
    (scripts / "env.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ALEMBIC_CONFIG", "/migration/alembic.ini")
    monkeypatch.setenv("ALEMBIC_SCRIPT_LOCATION", "someones_server:migrations")
    ini = own_ini()
    assert Path(ScriptDirectory.from_config(Config(str(ini))).dir) == scripts
    fileConfig(ini, disable_existing_loggers=False)
