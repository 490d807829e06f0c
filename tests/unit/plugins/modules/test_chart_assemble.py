"""The module chart_assemble as Ansible runs it: arguments in, JSON out."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> t.Callable[..., tuple[int, dict[str, t.Any]]]:
    """Run the module with arguments; return its exit code and what it returned."""
    monkeypatch.syspath_prepend(str(ROOT / "collections"))
    from ansible_collections.ai_platform.agent.plugins.modules import chart_assemble

    def call(**arguments: t.Any) -> tuple[int, dict[str, t.Any]]:
        with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
            chart_assemble.main()
        return t.cast("int", ended.value.code), json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, t.Any]:
    for folder, version in (("chart", "1.0.0"), ("sub/postgresql", "12.12.10"), ("sub/redis", "17.17.1")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Chart.yaml").write_text(f"version: {version}\n")
    return {
        "chart": str(tmp_path / "chart"),
        "subcharts": "embedded",
        "subcharts_dir": str(tmp_path / "sub"),
        "cache_dir": str(tmp_path / "cache"),
    }


@pytest.mark.parametrize("check_mode", [False, True])
def test_returns_where_the_chart_is(run: t.Callable[..., t.Any], arguments: dict[str, t.Any], check_mode: bool) -> None:
    code, result = run(**arguments, _ansible_check_mode=check_mode)
    assert code == 0
    assert result["changed"] is False
    assert result["version"] == f"1.0.0+{result['digest'][:8]}"
    assert result["subcharts"] == {"postgresql": "12.12.10", "redis": "17.17.1"}
    assert (Path(result["path"]) / "Chart.yaml").read_text() == f"version: {result['version']}\n"
    assert run(**arguments)[1]["path"] == result["path"]


def test_default_cache_is_the_users(
    run: t.Callable[..., t.Any], arguments: dict[str, t.Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    del arguments["cache_dir"]
    assert run(**arguments)[1]["path"].startswith(f"{tmp_path}/xdg/ai_platform.agent/charts/")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"subcharts": "other"}, "value of subcharts must be one of: bitnami, embedded, got: other"),
        ({"subcharts_dir": None}, "subcharts is embedded but all of the following are missing: subcharts_dir"),
        ({"chart": "/nowhere"}, "/nowhere/Chart.yaml cannot be read"),
        ({"subcharts": "bitnami", "helm_binary": "/nowhere/helm"}, "There is no program /nowhere/helm"),
    ],
)
def test_mistakes_are_one_sentence(
    run: t.Callable[..., t.Any], arguments: dict[str, t.Any], change: dict[str, t.Any], sentence: str
) -> None:
    given = {name: value for name, value in (arguments | change).items() if value is not None}
    code, result = run(**given)
    assert code == 1
    assert sentence in result["msg"]
    assert "Traceback" not in json.dumps(result)
