"""Values reach Helm as what they are, whatever they look like: the file that the role gives it, and the real helm."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import yaml
from ansible_collections.ai_platform.agent.plugins.lookup.values_file import kept

# Strings that a reader of YAML 1.1 or 1.2 may take for something else. The first is a git hash of seven digits.
STRINGS = [
    *("6041e27", "1e3", "0123", "0x1F", "0o17", "0b1", "1_000", "12:30:00", "2026-01-01", "yes", "No", "on", "y", "~"),
    *("null", "", ".inf", "-.INF", ".nan", "+1", "1.", ".5", "=", "<<", "*a", "&a", "!a", "- a", "a: b", "a #b", "{a}"),
    *("[a]", "|", ">", "%a", "@a", "`a", "\\", '"', "'", "a\nb", " a ", "\t", "é", "☃", "{{ a }}", "'{{'", "\u2028"),
]


def test_every_string_stays_a_string(helm: str, tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    template = 'kind: X\nvalues: {{ omit .Values "global" | toJson | quote }}\n'
    (chart / "templates/x.yaml").write_text(template)
    values: dict[str, t.Any] = {"strings": dict(enumerate(STRINGS)), "others": [1, 1209600, 1.5, True, None, {}, []]}
    text = json.dumps(values)
    path = kept(text, tmp_path)
    assert kept(text, tmp_path) == path
    assert path.stat().st_mode & 0o777 == 0o600

    done = subprocess.run([helm, "template", "r", chart, "-f", path], capture_output=True, text=True, check=True)
    seen = json.loads(yaml.safe_load(done.stdout)["values"])
    assert seen["strings"] == {str(number): text for number, text in enumerate(STRINGS)}
    assert seen["others"] == values["others"]
    # kubernetes.core.helm compares what it reads of the file with what helm keeps, to know whether anything changes.
    assert yaml.safe_load(path.read_text()) == json.loads(text)
