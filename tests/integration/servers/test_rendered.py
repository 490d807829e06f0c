"""A rendered container becomes the process that a node would start."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

from tests.integration.servers.rendered import TEMPORARY, process

URL: t.Final = "postgresql://user:p%40ss@127.0.0.1:5432/db"


def test_words_variables_and_files_are_those_of_the_container(tmp_path: Path) -> None:
    container = {
        "command": ["python", "/migration/run.py", "$(URL)", "$$(URL)", "$(MISSING)", f"{TEMPORARY}/artifacts"],
        "env": [
            {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "own", "key": "url"}}},
            {"name": "HOME", "value": TEMPORARY},
        ],
        "volumeMounts": [{"name": "scripts", "mountPath": "/migration"}, {"name": "tmp", "mountPath": TEMPORARY}],
    }
    volumes = [{"name": "scripts", "configMap": {"name": "scripts"}}, {"name": "tmp", "emptyDir": {}}]
    objects = [
        {"kind": "Secret", "metadata": {"name": "own"}, "stringData": {"url": URL}},
        {"kind": "ConfigMap", "metadata": {"name": "scripts"}, "data": {"run.py": "pass"}},
    ]
    python = Path(sys.executable)
    made = process(objects, {"spec": {"containers": [container], "volumes": volumes}}, tmp_path, python)
    assert made.words == [
        str(python.parent / "python"),
        str(tmp_path / "scripts" / "run.py"),
        URL,
        "$(URL)",
        "$(MISSING)",
        str(tmp_path / "tmp" / "artifacts"),
    ]
    assert (tmp_path / "scripts" / "run.py").read_text() == "pass"
    assert made.folder == tmp_path / "tmp"
    assert {name: made.env[name] for name in ("URL", "HOME")} == {"URL": URL, "HOME": str(tmp_path / "tmp")}
    # Nothing of the machine on which it runs.
    assert set(made.env) == {"URL", "HOME", "PATH", "LANG", "PYTHONDONTWRITEBYTECODE", "TMPDIR"}
