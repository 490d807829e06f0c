"""The life of one server as processes: an older release's database, the verdict about its upgrade, the newer one."""

from __future__ import annotations

import dataclasses
import socket
import time
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import yaml
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import judge, trial
from ansible_collections.ai_platform.agent.plugins.module_utils._contract import module as contract
from ansible_collections.ai_platform.agent.plugins.module_utils._contract.plan import PATHS, Plan, plan

from dev.examples import Example
from dev.redis_server import RedisServer
from tests.integration.contract.conftest import Process, ProcessPlace
from tests.integration.preflight.asking import Verdict, ask
from tests.integration.servers.rendered import process

RELEASE, NAMESPACE = "my-agent", "servers"
INI: t.Final = Path(__file__).resolve().parents[3] / "chart" / "files" / "alembic.ini"
Render = t.Callable[[dict[str, t.Any]], str]
Secrets = dict[str, dict[str, str]]


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was seen of one server.

    :param start: the revisions at which the older release's own migration left its database
    :param end: those at which the newer one's left it
    :param pending: how many revisions lie between them
    :param verdict: of the preflight about those
    :param findings: their ids by severity, from warnings on
    :param by_name: what it answers to who calls it by the name of its Service, a status of HTTP
    :param words: how the older release's migration ended where it failed
    :param seconds: of each step
    """

    start: list[str]
    end: list[str]
    pending: int
    verdict: str | None
    findings: dict[str, list[str]]
    lines: list[judge.Line]
    seconds: dict[str, float]
    by_name: int | None = None
    words: str = ""

    def row(self, example: Example) -> dict[str, t.Any]:
        """For examples/seen.yml; all but `seconds` is the same the next time."""
        return {
            "older": example.older,
            "newer": example.newer,
            "from": ", ".join(self.start),
            "to": ", ".join(self.end),
            "revisions": self.pending,
            "verdict": self.verdict,
            "findings": {severity: ", ".join(ids) for severity, ids in self.findings.items()},
            "contract": {line.part: line.status for line in self.lines},
            "seconds": self.seconds,
        }


class Life:
    """One server, by values alone."""

    def __init__(
        self,
        example: Example,
        database: str,
        redis: RedisServer | None,
        *,
        render: Render,
        folder: Path,
        programs: Path,
        secrets: Secrets,
    ) -> None:
        """Begin with an empty database.

        :param programs: PostgreSQL's own, for the trace
        :param redis: for a server that has a cache
        :param secrets: that its values name and nobody makes
        """
        self._example, self._database, self._redis = example, database, redis
        self._render, self._folder, self._secrets = render, folder, secrets
        self._programs = programs
        self._seconds: dict[str, float] = {}

    def live(self) -> Seen:
        """Run all of it."""
        example = self._example
        self._timed("environments", lambda: [example.environment(each) for each in (example.older, example.newer)])
        folder = self._folder / "processes"
        folder.mkdir()
        cache = ("127.0.0.1", self._redis.port) if self._redis else None
        place = ProcessPlace(folder, self._database, cache, [], [])
        try:
            return self._life(place)
        finally:
            place.close()

    def _timed(self, name: str, call: t.Callable[[], t.Any]) -> t.Any:
        began = time.monotonic()
        try:
            return call()
        finally:
            self._seconds[name] = round(time.monotonic() - began, 1)

    def _life(self, place: ProcessPlace) -> Seen:
        example = self._example
        self._release(place, example.older)
        [ended] = self._timed("older migration", lambda: place.migrate(1))
        start = self._revisions()
        if ended.code != 0:
            return Seen(start, start, 0, None, {}, [], self._seconds, words=ended.words)
        made, migration = self._release(place, example.newer)
        told = self._timed("preflight", lambda: self._preflight(migration))
        probes = {name: made.probe(name) for name in PATHS}
        target = trial.Target(
            example.name, made.tool, made.version_table, probes, ledger=made.ledger, away_seconds=10, back_seconds=120
        )
        place.took.clear()
        facts = self._timed("contract", lambda: trial.run(place, target))
        for name, seconds in place.took:
            self._seconds.setdefault(name, round(seconds, 1))
        lines = judge.lines(facts, contract.flat(example.values))
        findings: dict[str, list[str]] = {}
        for identity, severity in sorted(told.serious.items()):
            findings.setdefault(severity, []).append(identity)
        pending = told.result.get("pending_count", 0)
        return Seen(
            start,
            self._revisions(),
            pending,
            told.verdict,
            findings,
            lines,
            self._seconds,
            place.by_name,
            told.message,
        )

    def _release(self, place: ProcessPlace, version: str) -> tuple[Plan, Process]:
        """Have the place run a release; what the chart says of it, and its migration."""
        manifests = self._render(self._values(place, version))
        made = plan(manifests, self._secrets)
        assert made.missing == []
        assert made.migration
        objects = [item for item in yaml.safe_load_all(manifests) if item]
        python = self._example.environment(version) / "bin" / "python"
        migration, serving = (
            process(objects + made.objects, pod, self._folder / f"{version}-{name}", python)
            for name, pod in (("migration", made.migration), ("agent", made.agent))
        )
        port = made.container["ports"][0]["containerPort"]
        _free(port)
        place.runs(serving, migration, port)
        place.path = made.probe("startup")[1]
        [service] = [each for each in objects if each["kind"] == "Service" and each["metadata"]["name"] == RELEASE]
        place.service = f"{RELEASE}.{NAMESPACE}.svc:{service['spec']['ports'][0]['port']}"
        place.named_path = made.probe("readiness")[1]
        place.grace = made.grace - made.pre_stop
        startup = made.container["startupProbe"]
        place.start_seconds = startup.get("periodSeconds", 10) * startup.get("failureThreshold", 3)
        return made, migration

    def _values(self, place: ProcessPlace, version: str) -> dict[str, t.Any]:
        """The example's, with what differs from one cluster to the next: where the servers are."""
        split = urlsplit(self._database)
        there: dict[str, t.Any] = {
            "secrets": {"generate": "always"},
            "postgresql": {"enabled": False},
            "redis": {"enabled": False},
            "externalDatabase": {
                "host": "127.0.0.1",
                "port": place.ports["database"],
                "username": split.username or "postgres",
                "database": split.path[1:],
                "password": split.password or "trusted",
            },
        }
        if self._redis:
            there["externalCache"] = {
                "host": "127.0.0.1",
                "port": place.ports["cache"],
                "password": self._redis.password,
            }
        values = self._example.values
        image = {**values["agent"]["image"], "tag": version}
        return values | there | {"agent": values["agent"] | {"image": image}}

    def _preflight(self, migration: Process) -> Verdict:
        """What the module makes of the pending revisions of the package, with the variables of the migration."""
        folder = self._folder / "preflight"
        folder.mkdir()
        # The chart's own file. Where a program migrates, it hands env.py the URL, which may look for it in the file.
        lines = [self._example.scripts]
        if self._example.values["migration"].get("tool") == "command":
            url = self._database.replace("postgresql://", "postgresql+psycopg://", 1).replace("%", "%%")
            lines.append(f"sqlalchemy.url = {url}")
        text = INI.read_text().replace("SCRIPT_LOCATION", "\n".join(lines))
        (folder / "alembic.ini").write_text(text)
        # How the process is started is this machine's affair, and its URLs name the database that it is judged on.
        own = {"PATH", "PYTHONDONTWRITEBYTECODE"}
        env = {name: value for name, value in migration.env.items() if name not in own}
        python = str(self._example.environment(self._example.newer) / "bin" / "python")
        more: dict[str, t.Any] = {"alembic_python": python, "alembic_environment": env, "render_timeout": 600}
        # What cannot be rendered is known after the upgrade of a copy of the schema.
        return ask(folder, self._database, trace=True, trace_postgresql=str(self._programs), **more)

    def _revisions(self) -> list[str]:
        with psycopg.connect(self._database) as connection:
            if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
                return []
            return sorted(row[0] for row in connection.execute("SELECT version_num FROM alembic_version"))


def _free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise AssertionError(
                f"Port {port}, on which the server listens, is taken on this machine: {error}."
            ) from None
