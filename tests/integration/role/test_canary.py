"""A password is nowhere but in the Secret: not in output, events, logs, arguments, environments or files of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.spellings import pattern
from ansible_collections.ai_platform.agent.plugins.module_utils._release.secret import secret_data

from tests.chart.cluster import Cluster

from . import living
from .conftest import ROOT, VENV

# The core is searched for as it is; around it what breaks shells, URLs, YAML and Jinja.
CORE = "c4n4ryp4ss"
CANARY = "'\"$`\\ {{ {% {# }} @:/%+?&;|" + CORE + "*~!<>[]ü"
# Every event with its whole result, as AWX keeps them whatever the verbosity.
EVENTS = """
from ansible.plugins.callback import CallbackBase
import json, os
class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_NAME, CALLBACK_NEEDS_ENABLED = 2.0, "events", False
    def _keep(self, result, **_more):
        with open(os.environ["EVENTS_FILE"], "a") as file:
            task = result._task if hasattr(result, "_task") else result.task
            body = result._result if hasattr(result, "_result") else result.result
            # As ansible-runner does: arguments only of tasks that hide nothing.
            attributes = {key: value for key, value in task.dump_attrs().items() if key != "args" or not task.no_log}
            file.write(json.dumps([task.get_name(), attributes, body], default=repr) + "\\n")
    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = _keep
"""


class World:
    """A user's machine of its own, and a cluster that refuses or never answers what is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        for name in ("home/tmp", "home/callbacks", "inventory"):
            (folder / name).mkdir(parents=True)
        (self.home / "callbacks/events.py").write_text(EVENTS)
        shutil.copytree(ROOT / "inventories/dev", folder / "inventory", dirs_exist_ok=True)
        lines = [f"vault_ai_agent_{name}_password: !unsafe '{CANARY.replace(chr(39), chr(39) * 2)}'" for name in
                 ("postgresql", "postgresql_admin", "redis")]  # fmt: skip
        lines.append(f"vault_ai_agent_replication_password: !unsafe '{CANARY.replace(chr(39), chr(39) * 2)}'")
        (folder / "inventory/group_vars/all/vault.yml").write_text("\n".join(lines) + "\n")
        self.objects = living.manifests(folder)
        self.data = secret_data(dict.fromkeys(living.KEYS, CANARY), self._text())

    def _text(self) -> str:
        import yaml

        return yaml.safe_dump_all(self.objects)

    def start(self, cluster: Cluster) -> subprocess.Popen[bytes]:
        """Deploy with everything that makes Ansible talk, and without pipelining."""
        environment = {
            **os.environ,
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "ANSIBLE_LOCAL_TEMP": str(self.home / "local"),
            "ANSIBLE_REMOTE_TEMP": str(self.home / "remote"),
            "ANSIBLE_LOG_PATH": str(self.home / "log"),
            "ANSIBLE_CALLBACK_PLUGINS": str(self.home / "callbacks"),
            "ANSIBLE_PIPELINING": "False",
            "AI_AGENT_MODULES_IN_PLACE": "false",
            "EVENTS_FILE": str(self.home / "events"),
        }
        given = {"ai_agent_kubeconfig": cluster.kubeconfig, "ai_agent_helm_binary": living.helm(),
                 "ai_agent_subcharts": "embedded"}  # fmt: skip
        words: list[str | Path] = [
            VENV / "ansible-playbook",
            "-i",
            self.folder / "inventory",
            "site.yml",
            "-vvvvv",
            "--diff",
        ]
        words += ["--tags", "guard,credentials", *(f"-e{name}={value}" for name, value in given.items())]
        with (self.home / "output").open("wb") as output:
            return subprocess.Popen(
                words, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def found(self) -> list[str]:
        """Files of this user that hold the password in any spelling."""
        known = pattern([CANARY, *self.data.values()])
        texts = {}
        for file in self.home.rglob("*"):
            # The keeper of the Lease removes its folder when its run is killed: that may be between a look and a read.
            with contextlib.suppress(FileNotFoundError):
                if file.is_file():
                    texts[file] = file.read_text(errors="replace")
        assert len(texts) >= 20, list(texts)
        return [str(file) for file, text in texts.items() if CORE in text or known.search(text)]


def held_by(session: int) -> list[str]:
    """Processes of a session with the password among their arguments or in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(place.name)) == session:
                found += [
                    f"{place}/{what}" for what in ("cmdline", "environ") if CORE.encode() in (place / what).read_bytes()
                ]
        except OSError:
            continue
    return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def cluster(world: World, tmp_path: Path) -> t.Iterator[Cluster]:
    with living.release(world.objects, CANARY, tmp_path) as running:
        yield running


def test_a_refusal_that_quotes_the_secret(world: World, cluster: Cluster) -> None:
    assert world.start(cluster).wait(300) != 0
    assert cluster.written.is_set()
    output = (world.home / "output").read_text()
    assert "Secret dev/agent-dev-secret could not be written" in output, output[-3000:]
    assert "the webhook denied" in output
    assert "Write the Secret of the release" in (world.home / "events").read_text()
    assert world.found() == []


def test_a_run_that_is_killed_while_it_writes(world: World, cluster: Cluster) -> None:
    cluster.hangs = True
    run = world.start(cluster)
    try:
        assert cluster.written.wait(300), (world.home / "output").read_text()[-3000:]
        assert held_by(run.pid) == []
        assert world.found() == []
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert world.found() == []
