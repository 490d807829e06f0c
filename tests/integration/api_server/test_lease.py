"""One run at a time changes a release, whoever is killed and when; what is left half-way is mended by the next one.

The API server, its rights, helm and the processes are real. There are no nodes, so a helm that waits goes on waiting.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._release import lease_keeper, repair_module

from dev.api_server import Server
from lab import tools
from lab.paths import ROOT
from tests.integration.api_server import leased
from tests.integration.api_server.conftest import NAMESPACE

Object = dict[str, t.Any]
RIGHTS = (ROOT / "roles" / "ai_agent" / "files" / "deployer-rbac.yaml").read_text()
# For an end that comes, however busy the machine is; that it comes is what is asserted.
LONG = 300.0
APP = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {note: {{ .Values.note | quote }}}
    spec:
      containers: [{name: app, image: app}]
"""


@pytest.fixture(scope="module")
def account(api: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the account that deploys, with the rights of the role's file and no others."""
    api.apply(RIGHTS.replace("namespace: ai-agent", f"namespace: {NAMESPACE}"))
    made = api.ask("create", "token", "ai-agent-deployer", "-n", NAMESPACE)
    assert made.returncode == 0, made.stderr
    config = yaml.safe_load(api.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": made.stdout.strip()}
    file = tmp_path_factory.mktemp("account") / "kubeconfig"
    file.touch(0o600)
    file.write_text(yaml.safe_dump(config))
    return file


@dataclasses.dataclass
class Place:
    """A release of its own, and what runs for it."""

    kubeconfig: Path
    folder: Path
    name: str
    chart: Path
    started: list[subprocess.Popen[str]] = dataclasses.field(default_factory=list)

    def controller(self, *helm: str, wait: int = 0, seconds: int = 60) -> tuple[subprocess.Popen[str], Object]:
        """A stand-in for ansible-playbook, and what its first task said."""
        environment = os.environ | {
            "PYTHONPATH": str(ROOT / "collections"),
            "WAIT": str(wait),
            "SECONDS_HELD": str(seconds),
            "LOG": str(self.log),
        }
        words = [sys.executable, str(Path(leased.__file__)), str(self.kubeconfig), self.name]
        words += [str(tools.helm()), *helm, "-n", NAMESPACE, "--kubeconfig", str(self.kubeconfig)] if helm else []
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, process_group=0
        )
        self.started.append(process)
        assert process.stdout
        return process, json.loads(process.stdout.readline())

    @property
    def log(self) -> Path:
        return self.folder / f"helm-{len(self.started)}.log"

    def install(self, *more: str) -> list[str]:
        return ["upgrade", "--install", self.name, str(self.chart), "--timeout", "20m", *more]

    def helm(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(tools.helm()), *words, "-n", NAMESPACE, "--kubeconfig", str(self.kubeconfig)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def history(self) -> list[str]:
        done = self.helm("history", self.name, "-o", "json")
        return [entry["status"] for entry in json.loads(done.stdout)] if done.returncode == 0 else []

    def helms(self) -> list[int]:
        """The helms of this release that run."""
        return [
            pid for pid, words in processes() if str(self.chart) in words and "helm_child.py" not in " ".join(words)
        ]

    def children(self) -> list[int]:
        return [pid for pid, words in processes() if str(self.chart) in words and words[1:2] == ["-I"]]

    def keepers(self, folder: str) -> list[int]:
        """The processes that hold a lock on a file of this folder: the keeper's, as the kernel tells it."""
        node = (Path(folder) / lease_keeper.KEEPER).stat().st_ino
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        return [int(words[4]) for words in lines if words[5].endswith(f":{node}")]

    def mended(self, lease: str, **options: t.Any) -> Object:
        params = {name: option.get("default") for name, option in repair_module.ARGUMENTS.items()}
        params |= {"kubeconfig": str(self.kubeconfig), "release_name": self.name, "release_namespace": NAMESPACE}
        params |= {"helm_binary": str(tools.helm()), "lease": lease, "settle_seconds": 1, "check_mode": False}
        result, problem = repair_module.execute(params | options)
        assert problem is None
        return result


def processes() -> t.Iterator[tuple[int, list[str]]]:
    """The processes that live, with their words; a zombie has none."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            # A shell of the test quotes the same words.
            if words[0] and Path(words[0]).name not in {"sh", "bash"} and "leased.py" not in words[1]:
                yield int(folder.name), words


def wait_for(what: t.Callable[[], t.Any]) -> t.Any:
    deadline = time.monotonic() + LONG
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.fixture
def place(account: Path, tmp_path: Path, request: pytest.FixtureRequest) -> t.Iterator[Place]:
    """A release, and everything that ran for it gone afterwards."""
    chart = tmp_path / "app"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: app, version: 1.0.0}\n")
    (chart / "values.yaml").write_text("note: none\n")
    (chart / "templates" / "app.yaml").write_text(APP)
    made = Place(account, tmp_path, f"r{abs(hash(request.node.name)) % 10**8}", chart)
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    wait_for(lambda: not made.helms())


def begun(place: Place) -> bool:
    return bool(place.helms())


def recorded(place: Place) -> bool:
    return bool(place.history())


def made(place: Place) -> bool:
    """Everything is applied, and helm waits."""
    return "Deployment" in place.helm("get", "manifest", place.name).stdout and bool(place.history())


@pytest.mark.parametrize("moment", [None, begun, recorded, made], ids=["before helm", "begun", "recorded", "waiting"])
def test_a_killed_playbook_takes_its_helm_along_and_gives_the_lease_back(
    place: Place, moment: t.Callable[[Place], bool] | None
) -> None:
    first, told = place.controller(*(place.install("--wait") if moment else []))
    assert told["folder"], told
    if moment:
        wait_for(lambda: moment(place))
    _other, refused = place.controller()
    assert refused["error_id"] == "lease-held"
    assert told["holder"] in refused["msg"]
    first.kill()
    _second, taken = place.controller(wait=int(LONG))
    assert taken.get("folder"), taken
    # Who has the Lease now is alone.
    assert place.helms() == []
    assert not Path(told["folder"]).exists()
    mended_and_deployed(place, taken["folder"])


def mended_and_deployed(place: Place, folder: str) -> None:
    """The documented next run."""
    half = place.history()[-1:]
    result = place.mended(folder)
    assert result["changed"] == (half in (["pending-install"], ["pending-upgrade"], ["pending-rollback"]))
    done = place.helm(*place.install())
    assert done.returncode == 0, done.stderr
    assert place.history()[-1] == "deployed"


def test_a_killed_upgrade_goes_back_to_what_was_deployed(place: Place) -> None:
    assert place.helm(*place.install()).returncode == 0
    first, told = place.controller(*place.install("--wait", "--set", "note=second"))
    wait_for(lambda: place.history() == ["deployed", "pending-upgrade"])
    [child] = wait_for(place.children)
    # Not even its last word: the processes between the playbook and helm are killed as well.
    os.kill(child, signal.SIGKILL)
    first.kill()
    _second, taken = place.controller(wait=int(LONG))
    assert taken.get("folder"), (told, taken)
    assert place.helms() == []
    assert place.history()[-1] == "pending-upgrade"
    assert "another operation" in place.helm(*place.install()).stderr
    looked = place.mended("", check_mode=True)
    assert "upgrade" in looked["happened"][0]
    assert f"helm rollback {place.name} 1" in looked["remedies"][0]
    assert place.history()[-1] == "pending-upgrade"
    result = place.mended(taken["folder"])
    assert result["changed"]
    assert place.history()[-1] == "deployed"
    assert place.mended(taken["folder"])["changed"] is False
    assert place.helm(*place.install("--set", "note=second")).returncode == 0


def test_a_killed_keeper_takes_helm_along_before_the_lease_expires(place: Place) -> None:
    _first, told = place.controller(*place.install("--wait"), seconds=24)
    wait_for(lambda: made(place))
    [keeper] = place.keepers(told["folder"])
    os.kill(keeper, signal.SIGKILL)
    _second, taken = place.controller(wait=int(LONG), seconds=24)
    assert taken.get("folder"), taken
    assert taken["waited"] > 0
    assert place.helms() == []


def test_a_stopped_keeper_takes_helm_along_before_the_lease_expires(place: Place) -> None:
    """As on a machine that hangs: nothing has ended, and nothing is renewed. helm_child's own limits hold here."""
    _first, told = place.controller(*place.install("--wait"))
    wait_for(lambda: made(place))
    [keeper] = place.keepers(told["folder"])
    os.kill(keeper, signal.SIGSTOP)
    try:
        _second, taken = place.controller(wait=int(LONG))
        assert taken.get("folder"), taken
        assert place.helms() == []
    finally:
        os.kill(keeper, signal.SIGKILL)


def test_everything_killed_at_once(place: Place) -> None:
    first, told = place.controller(*place.install("--wait"), seconds=24)
    wait_for(lambda: made(place))
    for pid in (*place.keepers(told["folder"]), *place.children(), first.pid):
        os.kill(pid, signal.SIGKILL)
    _second, taken = place.controller(wait=int(LONG), seconds=24)
    assert taken.get("folder"), taken
    assert place.helms() == []
    assert place.history() == ["pending-install"]
    mended_and_deployed(place, taken["folder"])


def test_a_lease_that_another_one_took_ends_helm_and_the_run_is_told(place: Place, api: Server) -> None:
    first, _told = place.controller(*place.install("--wait"))
    wait_for(lambda: made(place))
    patch = json.dumps({"spec": {"holderIdentity": "somebody"}})
    taken = ("patch", "lease", f"{place.name}-writer", "-n", NAMESPACE, "--type=merge", "-p", patch)
    assert api.ask(*taken).returncode == 0
    wait_for(lambda: not place.helms())
    # Helm's own error comes first; helm_child says why it ended Helm once Helm has ended.
    words = "the Lease of this run is no longer kept"
    wait_for(lambda: any(words in file.read_text() for file in place.folder.glob("*.log")))
    assert first.stdin
    assert first.stdout
    first.stdin.write("end\n")
    first.stdin.flush()
    answer = json.loads(first.stdout.readline())
    assert "somebody has it now" in answer["msg"]
    assert api.ask("get", "lease", f"{place.name}-writer", "-n", NAMESPACE, "-o", "yaml").stdout.count("somebody") >= 1


def test_the_end_of_a_run_gives_the_lease_back_at_once(place: Place) -> None:
    first, told = place.controller()
    assert first.stdin
    assert first.stdout
    first.stdin.write("end\n")
    first.stdin.flush()
    assert json.loads(first.stdout.readline()) == {"lost": ""}
    assert not Path(told["folder"]).exists()
    _second, taken = place.controller()
    assert taken.get("folder"), taken
    assert taken["waited"] == 0


def test_who_is_refused_is_told_who_since_when_and_what_to_do(place: Place) -> None:
    _first, told = place.controller()
    _second, refused = place.controller(wait=1)
    said = refused["msg"]
    assert f"is being changed by {told['holder']} since 20" in said
    assert re.search(r"this run waited \d+ s for it", said)
    assert "ai_agent_lease_wait" in said
    assert "expires 60 s after the last sign of life" in said


def test_an_account_without_the_right_is_told_which_file_has_it(place: Place, api: Server, tmp_path: Path) -> None:
    made = api.ask("create", "token", "default", "-n", NAMESPACE)
    config = yaml.safe_load(place.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": made.stdout.strip()}
    place.kubeconfig = tmp_path / "other"
    place.kubeconfig.write_text(yaml.safe_dump(config))
    _process, told = place.controller()
    assert told["error_id"] == "cluster-forbidden"
    assert "may not get leases.coordination.k8s.io" in told["msg"]
    assert "deployer-rbac.yaml" in told["msg"]


def test_a_helm_of_somebody_without_the_lease_is_not_disturbed(place: Place, api: Server) -> None:
    """Its record moves while it is watched."""
    _first, told = place.controller(*place.install("--wait"))
    wait_for(lambda: made(place))
    [child] = place.children()
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: not place.helms())
    patch = ("-n", NAMESPACE, "annotate", "--overwrite", "secret", f"sh.helm.release.v1.{place.name}.v1")
    writer = subprocess.Popen(
        [
            "sh",
            "-c",
            'n=0; while "$@" "note=$n" >&2; do n=$((n + 1)); done',
            "writer",
            str(api.kubectl),
            "--kubeconfig",
            str(api.kubeconfig),
            *patch,
        ],
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        with pytest.raises(FindingError, match="with helm alone, without its Lease"):
            place.mended(told["folder"], settle_seconds=60)
    finally:
        os.killpg(writer.pid, signal.SIGKILL)
        writer.wait()
    assert place.history() == ["pending-install"]
