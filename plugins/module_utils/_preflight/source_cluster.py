"""The cluster transport: the new image renders in a pod without credentials, a trusted pod asks the live database."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.alembic_worker import PLACEHOLDER_URL
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.bundle import RENDERER, bundle, command
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import may_exec
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job import JobRun, Task
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Each, Graph, graph_of
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.asker import (
    ANSWER_SECONDS,
    Asker,
    Jobs,
    Nobody,
    Pod,
    answers,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.foreign import foreign_graph, foreign_sql
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import (
    LOCK_KEY,
    Answer,
    Release,
    Source,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release import facts as release_facts
from ansible_collections.ai_platform.agent.plugins.module_utils._release import look
from ansible_collections.ai_platform.agent.plugins.module_utils._sql.rendered import Rendered

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.revisions import State
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Container, Live, Planned

Message = dict[str, t.Any]

# Of an image that was deployed and has no ready pod: it cannot be asked.
_NEVER_STARTED = frozenset({"image-pull", "image-start", "image-without-alembic", "pod-refused", "pod-memory"})
_DATABASE_AWAY = frozenset({"database-unreachable", "database-host-unknown", "database-refused", "database-timeout"})


@dataclasses.dataclass(frozen=True)
class Options:
    """`job_timeout`: seconds until a pod must run; `render_timeout`: seconds that it may then take.

    `limits`: of the session with the database, as _database.session takes them.
    """

    release: str
    namespace: str
    target: str
    job_timeout: int
    render_timeout: int
    limits: dict[str, int]


class ClusterSource(Source):  # type: ignore[misc]
    """`plan`: what will be deployed."""

    def __init__(self, cluster: Cluster, plan: Planned, options: Options) -> None:
        self._cluster, self._plan, self._options = cluster, plan, options
        self._found: list[Finding] = []
        self._stack = contextlib.ExitStack()
        self._deduced: tuple[State, Finding] | None = None
        self._asker: Asker = Nobody()
        self._unchanged = False
        self._first: Message = {}
        self._run: JobRun | None = None
        self._answers: t.Iterator[Message] | None = None
        self.where = f"{options.namespace}/{options.release}"

    def __enter__(self) -> t.Self:
        """Look at the release, and let whoever is asked begin."""
        try:
            live = self._look()
            self._decide(live)
            if self._deduced is None and not self._unchanged:
                # The pod of the new image starts while the database is asked.
                self._begin_to_render()
        except BaseException:
            self._stack.close()
            raise
        if live.deployment is None and self._deduced is None:
            self._kept_volume(live)
        return self

    def __exit__(self, *error: t.Any) -> None:
        self._stack.__exit__(*error)

    def _look(self) -> Live:
        """What is there. An agent that can be asked begins to answer while the rest is looked at."""
        options = self._options
        if look.namespace_missing(self._cluster, options.namespace):
            words = f"Namespace {options.namespace} does not exist, so nothing could be tried in it."
            self._deduced = ("absent", finding("namespace-missing", words))
            return release_facts.Live()
        live = look.serving(self._cluster, options.release, options.namespace)
        self._unchanged = release_facts.same_migrations(self._plan, live)
        self.same = self._unchanged and bool(live.ready_pods)
        if self.same:
            live = look.around(self._cluster, live, options.release, options.namespace)
        if release_facts.unchanged(self._plan, live):
            self._deduce(live)
        elif live.serving and may_exec(self._cluster, options.namespace):
            name, container = live.serving[0]["metadata"]["name"], _agent(live)["name"]
            # A pod of the image before a stuck rollout knows other revisions.
            self._unchanged = self.same
            pod = self._stack.enter_context(Pod(self._cluster, options.namespace, name, container, options.limits))
            self._asker = pod
            pod.begin(self._question())
            if not self._unchanged:
                self._begin_to_render()
        if not self.same:
            live = look.around(self._cluster, live, options.release, options.namespace)
        missing = look.lacking(self._cluster, self._plan, options.namespace)
        self.release = Release(self._plan, live, options.namespace, missing)
        return live

    def _decide(self, live: Live) -> None:
        """Whom to ask where no agent can be, or why nobody needs to be asked."""
        if self._deduced or isinstance(self._asker, Pod):
            return
        options, plan = self._options, self._plan
        if self.same:
            self._deduce(live)
        elif live.deployment is not None:
            if live.serving:
                words = f"The account may not exec into pods of {options.namespace}; a Job of the deployed image asked."
                self._found.append(finding("exec-forbidden", words))
                self._unchanged = self.same
            agent = release_facts.container(_agent(live), {})
            self._asker = self._jobs(agent, agent.secrets.get("DATABASE_URL"), _trusted(live))
            if not live.serving:
                self._ask_what_does_not_serve(live)
        elif plan.database is None and (secret := self._present(plan.database_secret)):
            # Whoever migrates in a minute has these credentials then; nothing is deployed that could ask instead.
            self._asker = self._jobs(plan.migrator, secret, plan.migrator_pod)

    def _deduce(self, live: Live) -> None:
        """The state follows from pods that are ready."""
        words = (
            f"The database was not asked: {len(live.ready_pods)} pods of {live.image} are ready, which they are only"
            " with the schema that their image needs, and what would be deployed has the same migrations."
        )
        self._deduced = ("current", finding("schema-deduced", words))

    def _ask_what_does_not_serve(self, live: Live) -> None:
        """The first question where no pod is ready: a release that failed is repaired by deploying again.

        An image that never started cannot be asked; the new one will have these credentials in a minute anyway. A
        database of the release's own that does not run is brought up by deploying, and only then can be asked.
        """
        plan = self._plan
        try:
            self._first = self._asker.ask(self._question())
        except FindingError as error:
            if error.id in _NEVER_STARTED and (secret := self._present(plan.database_secret)):
                self._asker = self._jobs(plan.migrator, secret, plan.migrator_pod)
            elif error.id in _DATABASE_AWAY and not _runs(live, plan.database):
                # That the new image can be pulled and renders is worth knowing all the same.
                self._rendered_graph([])
                words = f"{error.message} The release's own, of which nothing runs: not judged."
                self._deduced = ("unknown", finding(error.id, words, severity="unknown"))
            else:
                raise

    def _present(self, secret: tuple[str, str] | None) -> tuple[str, str] | None:
        """The Secret's name and key, if it is there."""
        name = secret[0] if secret else "(none)"
        try:
            found = secret and self._cluster.get("v1", "secrets", name, self._options.namespace, metadata_only=True)
        except Forbidden:
            found = {}
        if found is None:
            words = f"Secret {self._options.namespace}/{name} does not exist yet, so the database was not asked."
            self._found.append(finding("secret-missing", words))
            self.unasked = True
            return None
        return secret

    def _jobs(self, image: Container, secret: tuple[str, str] | None, pod: Message) -> Asker:
        """Jobs of `image` that reach the database as the release's clients do."""
        options = self._options
        if secret is None:
            words = (
                f"The container of {image.image} does not take DATABASE_URL from a Secret; the database stays unasked."
            )
            raise FindingError("database-url-invalid", words)
        name, key = secret
        task = Task(
            namespace=options.namespace,
            release=options.release,
            purpose="facts",
            image=image.image,
            command=(),
            env=[
                *_literal(image.env),
                {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": name, "key": key}}},
            ],
            labels={"app.kubernetes.io/instance": options.release, f"{options.release}-db-client": "true"},
            pod=pod,
            pull_policy=image.pull_policy,
            resources=self._plan.check_resources,
            start_seconds=options.job_timeout,
        )
        return Jobs(self._cluster, task, options.limits)

    def _kept_volume(self, live: Live) -> None:
        claim = f"data-{self._plan.database}-0"
        if self._plan.database and any(item["metadata"]["name"] == claim for item in live.claims or ()):
            words = f"The volume {claim} of an earlier release is still there; what is in it was not asked."
            self._found.append(finding("volume-kept", words))
            self.unasked = True

    def _question(self, table: str | None = None, schema: str | None = None, names: Message | None = None) -> Message:
        """A request to the collector; without a table the first one."""
        own_schema, _, own_table = self._plan.version_table.rpartition(".")
        first = {"target": self._options.target} if self._unchanged and table is None else {}
        return {
            "table": table or own_table,
            "schema": schema if table else own_schema or None,
            "names": names,
            "key": LOCK_KEY,
        } | first

    def deduced(self) -> tuple[State, Finding] | None:
        return self._deduced

    def graph(self) -> Graph:
        """The revisions of the new image, from the deployed one where both are the same."""
        self._first = self._first or self._asker.ask(self._question())
        self.where = self._first.get("where") or self.where
        revisions = self._first.get("revisions")
        if self._unchanged and revisions:
            table = {"name": self._question()["table"], "schema": self._question()["schema"]}
            return graph_of(revisions | {"version_table": table})
        return self._rendered_graph(self._first["live"]["rows"] or [])

    def _rendered_graph(self, heads: t.Sequence[str]) -> Graph:
        """The revisions from the pod that renders, which goes on from `heads`."""
        run = self._begin_to_render()
        if run.task.told_seconds is not None:
            run.tell(json.dumps(list(heads)))
        self._answers = self._rendering(run)
        for answer in self._answers:
            if answer.get("egress"):
                words = "The pod that renders could reach the API server in spite of its NetworkPolicy."
                self._found.append(finding("egress-open", words))
            if "graph" in answer:
                self._graph = foreign_graph(answer["graph"])
                self._compare(self._graph)
                return self._graph
        raise _broken(self._plan.migrator.image)

    def _compare(self, graph: Graph) -> None:
        """The version table of env.py with the one that the release will look at."""
        schema, _, table = self._plan.version_table.rpartition(".")
        own = graph.version_table_schema
        if table != graph.version_table or (schema and own and schema != own):
            there = f"{own}.{graph.version_table}" if own else graph.version_table
            words = f"env.py keeps its revisions in {there}; migration.versionTable says {self._plan.version_table}."
            self._found.append(finding("version-table-differs", words))

    def live(self, table: str, schema: str | None) -> Message:
        asked = self._question()
        if (table, schema) == (asked["table"], asked["schema"]):
            return t.cast("Message", self._first["live"])
        return t.cast("Message", self._asker.ask(self._question(table, schema))["live"])

    def render(self, heads: t.Sequence[str], each: Each) -> Rendered:
        if self._answers is None:
            self._rendered_graph(heads)
        return foreign_sql(t.cast("t.Iterator[Message]", self._answers), self._graph, each)

    def facts(self, table: str, schema: str | None, names: Message) -> Answer:
        answer = self._asker.ask(self._question(table, schema, names))
        return Answer(answer["live"], answer["server"], answer["facts"])

    def deployed(self) -> Graph | None:
        if self.release is None or self.release.live.deployment is None:
            return None
        question = self._question()
        revisions = self._asker.ask(question | {"target": self._options.target}).get("revisions")
        table = {"name": question["table"], "schema": question["schema"]}
        return graph_of(revisions | {"version_table": table}) if revisions else None

    def findings(self) -> list[Finding]:
        return self._found

    def _begin_to_render(self) -> JobRun:
        """The pod of the new image, which holds no credentials and reaches nobody.

        It awaits the live revisions where they are not known yet.
        """
        if self._run:
            return self._run
        options, migrator = self._options, self._plan.migrator
        known = bool(self._first) or isinstance(self._asker, Nobody)
        heads = self._first["live"]["rows"] or [] if self._first else []
        own = {"DATABASE_URL": PLACEHOLDER_URL, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}  # noqa: S108 - the pod's
        task = Task(
            namespace=options.namespace,
            release=options.release,
            purpose="render",
            image=migrator.image,
            command=command(bundle(RENDERER, {"target": options.target, "heads": heads if known else None})),
            env=_literal(migrator.env | own),
            pod=self._plan.migrator_pod,
            pull_policy=migrator.pull_policy,
            resources=self._plan.check_resources,
            isolated=True,
            start_seconds=options.job_timeout,
            run_seconds=options.render_timeout,
            told_seconds=None if known else max(ANSWER_SECONDS, options.job_timeout + Task.run_seconds),
        )
        self._run = self._stack.enter_context(JobRun(self._cluster, task))
        return self._run

    def _rendering(self, run: JobRun) -> t.Iterator[Message]:
        """The answers of _in_pod/render.py."""
        options, migrator = self._options, self._plan.migrator
        started = False
        try:
            for answer in answers(run):
                started = True
                yield answer
        except FindingError as error:
            raise _of_image(error, migrator.image, options.render_timeout, started=started) from None
        problem = run.ended()
        if problem and (problem.id != "image-start" or not started):
            raise problem
        raise _broken(migrator.image)


def _trusted(live: Live) -> Message:
    """Spec of the pod that serves, or else of those that the Deployment wants."""
    spec = live.serving[0]["spec"] if live.serving else t.cast("Message", live.template)["spec"]
    return t.cast("Message", spec)


def _agent(live: Live) -> Message:
    """The agent's container in it."""
    containers = _trusted(live)["containers"]
    found: Message = next((item for item in containers if item["name"] == "agent"), containers[0])
    return found


def _runs(live: Live, database: str | None) -> bool:
    """Whether the release's own database has a ready pod; what is not its own is taken to run."""
    own = [item for item in live.statefulsets if item["metadata"]["name"] == database]
    return not database or any((item.get("status") or {}).get("readyReplicas") for item in own)


def _literal(env: t.Mapping[str, str]) -> list[Message]:
    return [{"name": name, "value": value} for name, value in env.items()]


def _of_image(error: FindingError, image: str, seconds: int, *, started: bool) -> FindingError:
    """The same error, told of the image where its words come from the worker."""
    if error.id == "pod-timeout" and started:
        words = f"Alembic did not render in the pod of image {image} within {seconds} s"
        return FindingError("alembic-timeout", f"{words}; find what env.py or a revision waits for.")
    if error.id.startswith("alembic-") or error.id in {"image-without-alembic", "database-url-kind"}:
        return FindingError(error.id, f"Image {image}: {error.message.rstrip('.')}.")
    return error


def _broken(image: str) -> FindingError:
    words = f"Image {image}: the process that renders died without an answer"
    return FindingError("alembic-env-failed", f"{words}; run `alembic upgrade head --sql` in it.")


__all__ = ("ClusterSource", "Options")
