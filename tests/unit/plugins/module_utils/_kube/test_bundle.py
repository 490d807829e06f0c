"""What runs in the pods, run here: the same command, bundle and output, in a process of its own."""

from __future__ import annotations

import ast
import contextlib
import os
import socket
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.source_text import source
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.framing import Unframer
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import (
    COLLECTOR,
    LOGIN,
    PACKAGE,
    PROBE,
    RENDERER,
    RENDERING_WORKER,
    TRACER,
    bundle,
    command,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import INPUT_VARIABLE
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import (
    AlembicProcess,
    graph_of,
    rendered_of,
)

from tests.unit.plugins.module_utils._in_pod.project import ENV, Project


def started(arguments: list[str], folder: Path, **more: t.Any) -> subprocess.CompletedProcess[str]:
    """The command of a container, under this Python instead of the image's, with nothing of our environment."""
    env = {"PATH": os.environ["PATH"]} | more.pop("env", {})
    return subprocess.run(
        [sys.executable, *arguments[1:]],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **more,
    )


def rendered(project: Project, *heads: str, **env: str) -> list[dict[str, t.Any]]:
    request = {"target": "heads", "heads": list(heads)}
    done = started(command(bundle(RENDERER, request)), project.folder, env=env)
    assert done.returncode == 0, done.stderr
    unframer = Unframer()
    return [answer for line in done.stdout.splitlines() if (answer := unframer.feed(line)) is not None]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "app").add("0001", None, "CREATE TABLE t (id int)").add("0002", "0001", "SELECT 'ü'")


@pytest.mark.parametrize("names", [RENDERER, COLLECTOR, PROBE, LOGIN, TRACER, RENDERING_WORKER], ids=lambda it: it[0])
def test_a_bundle_is_complete(names: tuple[str, ...]) -> None:
    for name in names:
        for node in ast.walk(ast.parse(source(name))):
            if isinstance(node, ast.ImportFrom) and node.level:
                modules = [node.module] if node.module else [alias.name for alias in node.names]
                assert {f"{PACKAGE}.{module}" for module in modules} <= set(names), name


def test_the_pod_renders_what_the_process_renders(project: Project) -> None:
    answers = rendered(project, "0001")
    assert set(answers[0]) == {"started"}
    assert answers[1] == {"egress": False}
    with AlembicProcess(project.folder / "alembic.ini", "heads", 30) as alembic:
        assert graph_of(answers[2]["graph"]) == alembic.graph()
        assert rendered_of(iter(answers[3:]), lambda _sql, _segments: None) == alembic.render(["0001"])


def test_it_waits_until_it_is_told_the_live_revisions(project: Project, tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.write_text("")
    words = command(bundle(RENDERER, {"target": "heads", "heads": None}))
    env = {"PATH": os.environ["PATH"], INPUT_VARIABLE: str(told)}
    program = [sys.executable, *words[1:]]
    with subprocess.Popen(program, cwd=project.folder, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        unframer, answers = Unframer(), []
        for line in process.stdout:
            if (answer := unframer.feed(line)) is not None:
                answers.append(answer)
                if "graph" in answer:
                    told.write_text('["0001"]')
    assert [set(answer) for answer in answers[:3]] == [{"started"}, {"egress"}, {"graph"}]
    assert answers[3:] == rendered(project, "0001")[3:]


def test_foreign_code_may_print_and_sees_no_more_than_it_was_given(tmp_path: Path) -> None:
    noise = "import os, sys\nprint('noise @@preflight:9:1:AAAA@@', flush=True)\nos.write(1, b'x')\nos.write(2, b'y')\n"
    project = Project(tmp_path / "app", noise + ENV)
    project.add("0001", None, body="    import os\n    op.execute('SELECT ' + repr(' '.join(sorted(os.environ))))")
    answers = rendered(project, DATABASE_URL="postgresql://nobody@nowhere.invalid/x")
    assert answers[-1]["segments"][0]["error"] is None
    assert "'DATABASE_URL " in answers[-1]["sql"]


@pytest.mark.parametrize(
    ("env_py", "error_id"),
    [
        ("raise RuntimeError('no')", "alembic-env-failed"),
        ("import sys; sys.exit(3)", "alembic-env-failed"),
        ("import nothing_like_it", "alembic-env-failed"),
        ("import psycopg\npsycopg.connect('host=127.0.0.1 port=1')", "alembic-env-failed"),
    ],
)
def test_an_env_py_that_fails_is_an_error_with_an_id(tmp_path: Path, env_py: str, error_id: str) -> None:
    answers = rendered(Project(tmp_path / "app", env_py).add("0001", None))
    assert answers[-1]["error"]["id"] == error_id


def test_an_env_py_that_ends_the_process_leaves_no_last_answer(tmp_path: Path) -> None:
    project = Project(tmp_path / "app", "import os; os._exit(3)").add("0001", None)
    done = started(command(bundle(RENDERER, {"target": "heads", "heads": []})), project.folder)
    unframer = Unframer()
    answers = [answer for line in done.stdout.splitlines() if (answer := unframer.feed(line))]
    assert [set(answer) for answer in answers] == [{"started"}, {"egress"}]
    assert done.returncode == 3


def test_an_image_without_alembic(project: Project) -> None:
    nothing = project.folder.parent / "nothing"
    nothing.mkdir()
    (nothing / "alembic.py").write_text("raise ModuleNotFoundError(\"No module named 'alembic'\", name='alembic')")
    assert rendered(project, PYTHONPATH=str(nothing))[-1]["error"]["id"] == "image-without-alembic"


def test_an_image_without_a_configuration_where_it_starts(project: Project) -> None:
    (project.folder / "alembic.ini").rename(project.folder / "other.ini")
    assert rendered(project)[-1]["error"]["id"] == "image-without-alembic"
    assert "graph" in rendered(project, ALEMBIC_CONFIG="other.ini")[2]


@contextlib.contextmanager
def listening() -> t.Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: contextlib.suppress(OSError) and server.accept(), daemon=True).start()
        yield server.getsockname()[1]


def test_a_way_out_is_noticed(project: Project) -> None:
    def egress(host: str, port: int) -> bool:
        answers = rendered(project, KUBERNETES_SERVICE_HOST=host, KUBERNETES_SERVICE_PORT=str(port))
        return bool(next(answer["egress"] for answer in answers if "egress" in answer))

    with listening() as port:
        assert egress("127.0.0.1", port) is True
    assert egress("127.0.0.1", port) is True, "refused is an answer too"
    assert egress("host.invalid", 443) is False


def test_a_collector_without_a_database_says_so_and_never_quotes_the_url(tmp_path: Path) -> None:
    limits = {"connect_timeout": 2, "lock_timeout_ms": 500, "statement_timeout_ms": 1000}
    once = {"table": "alembic_version", "schema": None, "key": 1, "names": None}
    secret = "p%40ss-canary"
    for url, error_id in (
        ("", "database-url-invalid"),
        (f"postgresql://u:{secret}@127.0.0.1:1/db", "database-unreachable"),
        (f"mysql://u:{secret}@h/db", "database-url-kind"),
        (f"postgresql://u:{secret}@host.invalid/db", "database-host-unknown"),
    ):
        words = command(bundle(COLLECTOR, {"limits": limits, "once": once}))
        done = started(words, tmp_path, env={"DATABASE_URL": url})
        [line] = done.stdout.splitlines()
        answer = Unframer().feed(line)
        assert answer is not None
        assert answer["error"]["id"] == error_id
        assert "canary" not in done.stdout + done.stderr + str(answer)


def test_a_session_answers_an_error_and_ends(tmp_path: Path) -> None:
    limits = {"connect_timeout": 2, "lock_timeout_ms": 500, "statement_timeout_ms": 1000}
    text = bundle(COLLECTOR, {"limits": limits}) + "\n"
    done = started(command(), tmp_path, input=text, env={"DATABASE_URL": "postgresql://u@127.0.0.1:1/db"})
    assert '"database-unreachable"' in done.stdout
    assert done.stdout.count("\n") == 1
