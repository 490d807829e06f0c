"""chart_assemble as Ansible runs it, in its action plugin: arguments in, a result or one sentence out."""

from __future__ import annotations

import datetime
import types
import typing as t
from pathlib import Path

import pytest
from ansible import constants
from ansible.errors import AnsibleError
from ansible.template import Templar
from ansible_collections.ai_platform.agent.plugins.action.chart_assemble import ActionModule


def run(check_mode: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    """The task's result."""
    task = types.SimpleNamespace(
        args=arguments,
        check_mode=check_mode,
        diff=False,
        async_val=0,
        environment=[{"FROM_TASK": "yes", "NUMBER": 7}],
        action="x",
    )
    shell = types.SimpleNamespace(tmpdir="", env_prefix=lambda **_: "")
    connection = types.SimpleNamespace(_shell=shell)
    plugin = ActionModule(task, connection, None, None, Templar(), None)
    return plugin.run(task_vars={})


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
def test_returns_where_the_chart_is(arguments: dict[str, t.Any], check_mode: bool) -> None:
    result = run(check_mode, **arguments)
    assert result["changed"] is False
    assert result["version"] == f"1.0.0+{result['digest'][:8]}"
    assert result["subcharts"] == {"postgresql": "12.12.10", "redis": "17.17.1"}
    assert (Path(result["path"]) / "Chart.yaml").read_text() == f"version: {result['version']}\n"
    assert run(**arguments)["path"] == result["path"]
    assert "manifests" not in result


def test_default_cache_is_the_users(
    arguments: dict[str, t.Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    del arguments["cache_dir"]
    assert run(**arguments)["path"].startswith(f"{tmp_path}/xdg/ai_platform.agent/charts/")


def test_without_a_cache_of_the_users_the_chart_is_kept_for_the_run(
    arguments: dict[str, t.Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "run"))
    # A folder that somebody chose must work.
    chosen = run(**arguments | {"cache_dir": str(tmp_path / "file")})
    assert chosen["failed"]
    assert "variable ai_agent_chart_cache of the role" in chosen["msg"]
    del arguments["cache_dir"]
    assert run(**arguments)["path"].startswith(f"{tmp_path}/run/charts/")


@pytest.fixture
def rendering(arguments: dict[str, t.Any], tmp_path: Path) -> dict[str, t.Any]:
    """Arguments for a helm that prints its words, a variable of the task, and its input."""
    helm = tmp_path / "helm"
    helm.write_text(
        '#!/bin/sh\necho "$1 $2 $FROM_TASK"; cat; [ "$2" != refused ] || { echo "Error: no" >&2; exit 1; }\n'
    )
    helm.chmod(0o755)
    return arguments | {
        "helm_binary": str(helm),
        "release_name": "demo",
        "release_namespace": "dev",
        "values": {"a": 1},
    }


def test_values_render_it(rendering: dict[str, t.Any]) -> None:
    assert run(**rendering)["manifests"] == 'template demo yes\n{"a": 1}'


def test_how_long_the_release_may_take(rendering: dict[str, t.Any]) -> None:
    values = "spec:\n  progressDeadlineSeconds: 700"
    helm = Path(rendering["helm_binary"])
    helm.write_text(f"#!/bin/sh\necho '{values}'\n")
    result = run(**rendering, timeout="10m")
    assert (result["timeout_seconds"], result["longest_wait_seconds"]) == (600, 700)
    assert "timeout_seconds" not in run(**rendering)
    assert run(**rendering, timeout="600")["msg"] == 'timeout: "600" is no duration such as 10m or 90s.'


def test_a_value_that_yaml_reads_as_a_date(rendering: dict[str, t.Any]) -> None:
    values = {"agent": {"podAnnotations": {"since": datetime.date(2026, 11, 21)}}}
    assert '{"since": "2026-11-21"}' in run(**rendering | {"values": values})["manifests"]


def test_values_that_the_chart_refuses(rendering: dict[str, t.Any]) -> None:
    result = run(**rendering | {"release_name": "refused"})
    assert (result["failed"], result["complaint"]) == (True, "no")
    assert result["msg"] == f"The chart {result['version']} does not take the values: no"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"subcharts": "other"}, "value of subcharts must be one of: bitnami, embedded, got: other"),
        ({"subcharts_dir": None}, "subcharts is embedded but all of the following are missing: subcharts_dir"),
        ({"values": {}}, "missing parameter(s) required by 'values': release_name, release_namespace"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments: dict[str, t.Any], change: dict[str, t.Any], sentence: str) -> None:
    given = {name: value for name, value in (arguments | change).items() if value is not None}
    with pytest.raises(AnsibleError) as caught:
        run(**given)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"chart": "/nowhere"}, "/nowhere/Chart.yaml cannot be read"),
        ({"subcharts": "bitnami", "helm_binary": "/nowhere/helm"}, "There is no program /nowhere/helm"),
    ],
)
def test_a_chart_that_cannot_be_assembled_is_a_result(
    arguments: dict[str, t.Any], change: dict[str, t.Any], sentence: str
) -> None:
    """The role looks at it later: `failed_when: false` does not count for what an action raises."""
    result = run(**arguments | change)
    assert result["failed"] is True
    assert sentence in result["msg"]
    assert "path" not in result
