"""A controller's job that keeps all it can is refused, or killed while it writes the Secret: no password is left."""

from __future__ import annotations

import json
import os
import signal
import typing as t
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chart.cluster import Cluster
from tests.integration.places import Places, Processes, descendants
from tests.integration.role import living

from .conftest import TOKEN
from .runner import VAULT_PASSWORD, Job

# The core is in every escaped spelling as it is; around it what breaks shells, URLs, YAML and Jinja.
CORE = "c4n4ryp4ss"
PASSWORD = "'\"$`\\ {{ {% {# }} @:/%+?&;|" + CORE + "*~!<>[]ü"
VERIFIER = "t0ken-of-the-verifier"
NOWHERE = [PASSWORD, CORE, VAULT_PASSWORD]
FEWEST_PLACES = 20


class Kept:
    """A job whose temporary folders, logs and reports are outside of it."""

    def __init__(self, folder: Path, temporary: Path, cluster: Cluster) -> None:
        """Lay out the folders; nothing has run."""
        self.job = Job(folder / "job", PASSWORD)
        self.job.flags += " -vvvvv --diff"
        self.folder = folder / "kept"
        self.temporary = temporary
        for name in ("local", "remote", "reports"):
            (self.folder / name).mkdir(parents=True)
        self.environment = {
            "K8S_AUTH_HOST": cluster.address,
            "K8S_AUTH_API_KEY": TOKEN,
            "K8S_AUTH_VERIFY_SSL": "True",
            "K8S_AUTH_SSL_CA_CERT": str(cluster.authority),
            "TMPDIR": str(self.temporary),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote"),
            "ANSIBLE_LOG_PATH": str(self.folder / "ansible.log"),
            # Without it a module and its arguments are a file for a moment, and for ever after a kill.
            "ANSIBLE_PIPELINING": "False",
        }

    def run(self, ident: str, cluster: Cluster) -> Processes:
        """A job; where the cluster never answers what is written, it dies then with all its processes."""
        cluster.written.clear()
        given = {"ai_agent_subcharts": "embedded", "ai_agent_helm_binary": living.helm(), "ai_agent_timeout": "10m"}
        given |= {"ai_agent_verify_api_key": VERIFIER, "ai_agent_reports_dir": str(self.folder / "reports")}
        # The stand-in has no answers for the preflight.
        output = self.folder / f"output of the {ident}"
        running = self.job.start("site.yml", ident, self.environment, output, ai_agent_preflight=False, **given)
        looking = Processes(running.pid, NOWHERE[1:], [TOKEN, VERIFIER])
        try:
            while cluster.hangs and not cluster.written.wait(1):
                assert running.poll() is None, output.read_text()[-2000:]
        finally:
            for place in descendants(running.pid) if cluster.hangs else ():
                with suppress(ProcessLookupError):
                    os.kill(int(place.name), signal.SIGKILL)
            running.wait()
            looking.stop()
        return looking

    def places(self, into: Path) -> Places:
        """Copies of all that the jobs left."""
        places = Places(into)
        for artefacts in (self.job.folder / "artifacts").iterdir():
            for path in artefacts.iterdir():
                self._copy(places, f"{artefacts.name}: {path.name}", path)
        # A controller keeps the two halves of an event in columns of their own.
        for half in ("event_data", "stdout"):
            kept = [event.get(half) for event in self.job.events("refusal")]
            places.text(f"refusal: {half} of events", "all", json.dumps(kept, ensure_ascii=False))
        for path in (
            *self.folder.iterdir(),
            *(self.folder / "reports").glob("*/*"),
            *self.temporary.iterdir(),
        ):
            self._copy(places, path.name, path)
        # Tests name what is looked for.
        places.tree("the job's project", self.job.folder / "project", "tests")
        places.tree("the job's inventory", self.job.folder / "inventory")
        return places

    @staticmethod
    def _copy(places: Places, place: str, path: Path) -> None:
        # Runner's own record of how it began a job is looked at by itself.
        if path.is_dir() and any(each.is_file() and each.stat().st_size for each in path.rglob("*")):
            places.tree(place, path)
        elif path.is_file() and path.name != "command" and path.stat().st_size:
            places.text(place, path.name, path.read_text(errors="surrogateescape"))


@pytest.fixture
def cluster(manifests: list[dict[str, t.Any]], tmp_path: Path) -> t.Iterator[Cluster]:
    """The release as it lives with these passwords."""
    (tmp_path / "cluster").mkdir()
    with living.release(manifests, PASSWORD, tmp_path / "cluster", TOKEN) as running:
        yield running


@pytest.mark.usefixtures("writable_again")
def test_no_secret_is_left_by_a_job_that_is_refused_or_killed(
    cluster: Cluster, tmp_path: Path, temporary: Path
) -> None:
    kept = Kept(tmp_path, temporary, cluster)
    looked = [kept.run("refusal", cluster)]
    assert "the webhook denied" in (kept.folder / "output of the refusal").read_text()
    cluster.hangs = True
    looked.append(kept.run("kill", cluster))
    cluster.hangs = False
    places = kept.places(tmp_path / "places")
    assert len(list(places.folder.iterdir())) >= FEWEST_PLACES
    assert places.search([*NOWHERE, TOKEN, VERIFIER]) == []
    records = Places(tmp_path / "records")
    for file in (kept.job.folder / "artifacts").glob("*/command"):
        records.text("how runner began its jobs", file.parent.name, file.read_text())
    # The variables of the process, and so the token that it was given, stand in it; AWX keeps another record.
    assert records.search([*NOWHERE, VERIFIER]) == []
    assert all("ansible-playbook" in looking.seen for looking in looked)
    assert [looking.holding for looking in looked] == [set(), set()]
