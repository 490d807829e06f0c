"""The module as a user meets it without Kubernetes: in a playbook, against real servers."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import typing as t
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.modules.connectivity_test import EXAMPLES

from dev import postgresql
from tests.integration.connectivity.model_situations import KEY
from tests.integration.connectivity.observe import forms_of_the_canary
from tests.integration.connectivity.situations import CANARY, SITUATIONS, Stage, freely, of_database, pump

ROOT = Path(__file__).resolve().parents[3]
NAME = "ai_platform.agent.connectivity_test"
EXAMPLE = next(task for task in yaml.safe_load(EXAMPLES) if "database_url" in task[NAME])
# At the highest verbosity the arguments are printed too.
VERBOSE = "-vvvv"


@pytest.fixture
def urls(stage: Stage) -> dict[str, str]:
    """Servers whose passwords are the canary."""
    database = stage.postgresql().url(user="odd", password=quote(CANARY, safe=""))
    return {"TEST_DATABASE_URL": database, "TEST_REDIS_URL": stage.redis().url()}


def ansible(
    folder: Path, urls: dict[str, str], *options: str, callback: str = "ansible.posix.json", **arguments: t.Any
) -> str:
    """Run the example, with more arguments, as a playbook; what it printed."""
    task = EXAMPLE | {NAME: EXAMPLE[NAME] | arguments}
    head = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    given = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (folder / "play.yml").write_text(yaml.safe_dump([head | {"vars": given, "tasks": [task]}]))
    env = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_STDOUT_CALLBACK": callback,
        "ANSIBLE_INJECT_INVOCATION": "true",
        **urls,
    }
    words = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", str(folder / "play.yml"), *options]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def play(folder: Path, urls: dict[str, str], *options: str, **arguments: t.Any) -> dict[str, t.Any]:
    """The module's result."""
    output = ansible(folder, urls, *options, **arguments)
    assert output.startswith("{"), output
    document, _end = json.JSONDecoder().raw_decode(output)
    result: dict[str, t.Any] = document["plays"][0]["tasks"][0]["hosts"]["localhost"]
    return result


@pytest.mark.parametrize("mode", ["", "--check"])
def test_the_example_passes_in_either_mode(tmp_path: Path, urls: dict[str, str], mode: str) -> None:
    result = play(tmp_path, urls, *mode.split(), version_table="alembic_version")
    assert not result.get("failed"), result
    assert (result["changed"], result["verdict"], result["findings"]) == (False, "safe", [])
    assert [item["name"] for item in result["dependencies"]] == ["postgresql", "redis"]
    for item in result["dependencies"]:
        assert len(item["rounds"]["samples_ms"]) == item["rounds"]["count"] == 10
    assert {item["phases"][-1]["name"] for item in result["dependencies"]} == {"large"}
    schema = result["dependencies"][0]["phases"][-2]
    assert (schema["name"], schema["detail"]) == ("schema", {"revisions": ["0006"]})


def test_check_mode_can_leave_it_out(tmp_path: Path, urls: dict[str, str]) -> None:
    result = play(tmp_path, urls, "--check", run_in_check_mode=False)
    assert result["skipped"]
    assert "dependencies" not in result


def test_no_password_in_the_output_nor_in_a_file(tmp_path: Path, urls: dict[str, str]) -> None:
    """At -vvvv, with a server that answers and one that does not."""
    paths = {name: str(tmp_path / name) for name in ("report.json", "junit.xml")}
    wrong = urls | {"TEST_DATABASE_URL": of_database("127.0.0.1", postgresql.free_port())}
    for given in (urls, wrong):
        more = {"report_path": paths["report.json"], "junit_path": paths["junit.xml"]}
        output = ansible(tmp_path, given, VERBOSE, callback="default", **more)
        assert "module_args" in output
        files = [path.read_bytes().decode(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
        everything = "\n".join([output, *files])
        assert [form for form in forms_of_the_canary() if form in everything] == []
    assert stat.S_IMODE(Path(paths["report.json"]).stat().st_mode) == 0o600
    report = json.loads(Path(paths["report.json"]).read_text())
    assert [item["id"] for item in report["findings"]] == ["database-connection-refused"]
    assert 'tests="2" errors="0" failures="1"' in Path(paths["junit.xml"]).read_text()


def test_a_failure_has_its_finding_and_all_return_values(tmp_path: Path, urls: dict[str, str]) -> None:
    wrong = urls | {"TEST_DATABASE_URL": of_database("127.0.0.1", postgresql.free_port())}
    result = play(tmp_path, wrong)
    assert result["failed"]
    assert result["msg"].startswith("The verdict is unsafe: 1 finding reaches fail_on=unknown")
    assert [item["id"] for item in result["findings"]] == ["database-connection-refused"]
    assert [item["name"] for item in result["dependencies"]] == ["postgresql", "redis"]
    assert result["summary"][0].startswith("UNSAFE")


def test_waits_until_it_is_well(tmp_path: Path, urls: dict[str, str], stage: Stage) -> None:
    """A server that sends its first two callers away, so the first attempt fails."""
    target = stage.postgresql().port
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):
                server.accept()[0].close()
            with contextlib.suppress(OSError):
                while True:
                    near = server.accept()[0]
                    far = socket.create_connection(("127.0.0.1", target))
                    for one, other in ((near, far), (far, near)):
                        threading.Thread(target=pump, args=(one, other, freely), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        url = urls["TEST_DATABASE_URL"].replace(f":{target}/", f":{server.getsockname()[1]}/")
        result = play(tmp_path, urls | {"TEST_DATABASE_URL": url}, wait=True, wait_timeout=60)
    assert not result.get("failed"), result
    assert result["attempts"] == 2


def test_the_model_is_asked_and_its_key_is_nowhere(tmp_path: Path, stage: Stage) -> None:
    with SITUATIONS["model-401"](stage) as asked:
        urls = {"TEST_DATABASE_URL": "", "TEST_REDIS_URL": ""}
        more = {"model_url": asked[0]["url"], "model_key": KEY, "model": {"ca_file": asked[0]["ca_file"]}}
        given = more | {"report_path": str(tmp_path / "report.json")}
        output = ansible(tmp_path, urls, VERBOSE, callback="default", **given)
        result = play(tmp_path, urls, **given)
    (tmp_path / "play.yml").unlink()
    files = [path.read_bytes().decode(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert "module_args" in output
    assert KEY not in "\n".join([output, *files])
    assert [item["id"] for item in result["findings"]] == ["model-key-refused"]
    assert result["subject"] == asked[0]["url"].split("/")[2]


def test_much_slower_than_the_last_report(tmp_path: Path, urls: dict[str, str]) -> None:
    path = tmp_path / "report.json"
    given = {"report_path": str(path), "thresholds": {"worse_factor": 1, "worse_ms": 0}}
    assert play(tmp_path, urls, **given)["medians_before"] == {}
    report = json.loads(path.read_text())
    for item in report["dependencies"]:
        item["rounds"]["p50"] = 0.0
    path.write_text(json.dumps(report))
    result = play(tmp_path, urls, **given)
    assert [item["id"] for item in result["findings"]] == ["latency-worse", "latency-worse"]
    assert result["verdict"] == "warn"
    assert "0.0 ms in the last report" in result["findings"][0]["message"]
