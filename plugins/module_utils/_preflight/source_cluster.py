"""The cluster transport: the new image renders in a pod without credentials, a trusted pod asks the live database."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import functools
import typing as t

from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError
from ansible_collections.ai_platform.agent.plugins.module_utils._common.findings import Finding, finding
from ansible_collections.ai_platform.agent.plugins.module_utils._database.scratch_server import ScratchError
from ansible_collections.ai_platform.agent.plugins.module_utils._kube import shared
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Forbidden
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.exec import may_exec
from ansible_collections.ai_platform.agent.plugins.module_utils._kube.job_manifest import Task
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.alembic_process import Graph, graph_of
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.collection_plan import (
    CollectionPlan,
    after_failure,
    decide,
    job_of_deployed,
    without_exec,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.collector import (
    Collector,
    JobCollector,
    NoCollector,
    PodCollector,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.isolated_image import isolated_task
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.other_tools import without_rendering
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.render_job import RenderJob
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.schema_copy import Live as Copied
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.schema_copy import live_of
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.server_image import server_image
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.source import (
    LOCK_KEY,
    Answer,
    Inference,
    Location,
    Options,
    Release,
    Source,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace_cluster import (
    COPY_SECONDS,
    Place,
    dump_task,
    scratch_task,
    trace,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release import identity, look, references
from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import same_migrations
from ansible_collections.ai_platform.agent.plugins.module_utils._release.living_urls import LivingUrls, reference

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible_collections.ai_platform.agent.plugins.module_utils._kube.api import Cluster
    from ansible_collections.ai_platform.agent.plugins.module_utils._preflight.trace import Trace
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.facts import Container, Live, Planned
    from ansible_collections.ai_platform.agent.plugins.module_utils._release.identity import Server

Message = dict[str, t.Any]


class _AskedRights:
    """The API server's answers that collection_plan may need, each asked for at most once."""

    def __init__(self, cluster: Cluster, wanted: Planned, namespace: str) -> None:
        self._cluster, self._wanted, self._namespace = cluster, wanted, namespace
        self._secret = wanted.database_secret

    @functools.cached_property
    def may_exec(self) -> bool:
        return bool(may_exec(self._cluster, self._namespace))

    @functools.cached_property
    def secret_exists(self) -> bool:
        if self._secret is None:
            return False
        try:
            found = self._cluster.get("v1", "secrets", self._secret[0], self._namespace, metadata_only=True)
        except Forbidden:
            return True
        return found is not None

    def lost_keys(self, server: Server) -> list[str]:
        lost: set[str] = set()
        made = [{"kind": "StatefulSet", "spec": {"template": server.template}}]
        for name in references.needed(made):
            with contextlib.suppress(Forbidden):
                found = self._cluster.get("v1", "secrets", name, self._namespace)
                if found is not None:
                    needed = identity.logins(server).keys() & identity.keys_read(server, name)
                    lost |= needed - (found.get("data") or {}).keys()
        return sorted(lost)

    def elsewhere(self, live: Live) -> Finding | None:
        deployed, wanted = t.cast("Message", live.deployment), {"spec": {"template": self._wanted.agent_template}}
        now, then = (reference(item, "DATABASE_URL") for item in (deployed, wanted))
        if now is None or then is None or now == then:
            return None
        bundled = {item.what for item in self._wanted.servers if item.what}
        urls = LivingUrls(self._cluster, self._namespace, None, {}, {}, bundled)
        move = f"from {now[1]} of Secret {self._namespace}/{now[0]} to {then[1]} of {self._namespace}/{then[0]}"
        try:
            if found := urls.moved(deployed, wanted):
                return finding("another-database", " ".join(found))
            # The role writes its own Secret after this, and it leads to the server of the manifests.
            if self._wanted.database or None not in {urls.value(now), urls.value(then)}:
                return None
            why = "one of which is not there"
        except Forbidden:
            why = "which the account may not read"
        words = f"The agent's database URL moves {move}, {why}: whether it is the same database is not known."
        return finding("another-database", words, severity="unknown")


class ClusterSource(Source):
    """`wanted`: what will be deployed."""

    def __init__(self, cluster: Cluster, wanted: Planned, options: Options) -> None:
        self._cluster, self._wanted, self._options = cluster, wanted, options
        self._stack = contextlib.ExitStack()
        self._plan = CollectionPlan()
        self._collector: Collector = NoCollector()
        self._first: Message | None = None
        self._live: Live | None = None
        self._compared: list[Finding] = []
        self.where = f"{options.namespace}/{options.release}"

    def __enter__(self) -> t.Self:
        """Look at the release, and let whoever is asked begin."""
        try:
            self._render = self._stack.enter_context(RenderJob(self._cluster, self._wanted, self._options))
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: t.Any) -> None:
        self._stack.__exit__(*error)

    def _begin(self) -> None:
        cluster, wanted, options = self._cluster, self._wanted, self._options
        if look.namespace_missing(cluster, options.namespace):
            self._plan = decide(None, _AskedRights(cluster, wanted, options.namespace), wanted, options.namespace)
            return
        live = look.serving(cluster, options.release, options.namespace)
        # A pod that serves another image begins to answer, and the new one to start, while the rest is looked at.
        early = bool(live.serving) and not same_migrations(wanted, live)
        if not early:
            live = look.with_surroundings(cluster, live, options.release, options.namespace)
        rights = _AskedRights(cluster, wanted, options.namespace)
        self._live = live
        plan = decide(live, rights, wanted, options.namespace, options.new_image, deduce=options.deduce)
        self._carry_out(without_rendering(plan, live, wanted))
        if self._plan.fallible:
            try:
                self._first = self._collector.ask(self._request())
            except FindingError as error:
                instead = after_failure(self._plan, error, live, rights, wanted, new_image=options.new_image)
                if instead is None:
                    raise
                self._carry_out(instead)
        if self._plan.inferred is None and not self._plan.unchanged:
            heads = self._first["live"]["rows"] or [] if self._first else None
            self._render.begin([] if self._plan.kind == "none" else heads)
        if early:
            live = look.with_surroundings(cluster, live, options.release, options.namespace)
        missing = look.missing_rights(cluster, wanted, options.namespace)
        self.release = Release(wanted, live, options.namespace, missing)

    def _carry_out(self, plan: CollectionPlan) -> None:
        self._plan, self.same_migrations = plan, plan.same_migrations
        if plan.kind == "exec":
            options = self._options
            pod = PodCollector(self._cluster, options.namespace, plan.pod, plan.container, options.limits)
            self._collector = self._stack.enter_context(pod)
        elif plan.kind == "job":
            self._collector = JobCollector(self._cluster, self._task(plan), self._options.limits)
        else:
            self._collector = NoCollector()
        self._collector.begin(self._request())

    def _task(self, plan: CollectionPlan) -> Task:
        """Everything but the command of Jobs that reach the database as the release's clients do."""
        options, image = self._options, t.cast("Container", plan.image)
        name, key = t.cast("tuple[str, str]", plan.secret)
        url = {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
        client = {"app.kubernetes.io/instance": options.release, f"{options.release}-db-client": "true"}
        # What the ConfigMaps of the manifests say is in `image.env`; they themselves may not be there yet.
        known = {"DATABASE_URL", *image.env}
        others = [item for item in shared.environment(image.spec, ()) if item["name"] not in known]
        return Task(
            namespace=options.namespace,
            release=options.release,
            purpose="facts",
            image=image.image,
            command=(),
            env=[*({"name": variable, "value": value} for variable, value in image.env.items()), *others, url],
            labels=self._wanted.labels | client,
            annotations=self._wanted.annotations,
            pod=plan.pod_spec,
            container=image.spec,
            absent=plan.absent,
            pull_policy=image.pull_policy,
            resources=self._wanted.check_resources,
            start_seconds=options.job_timeout,
            pull_seconds=options.pull_timeout,
        )

    def _request(self, table: str | None = None, schema: str | None = None, names: Message | None = None) -> Message:
        """A request to the collector; without a table the first one."""
        own_schema, _dot, own_table = self._wanted.version_table.rpartition(".")
        first = {"target": self._options.target} if self._plan.unchanged and table is None else {}
        return {
            "table": table or own_table,
            "schema": schema if table else own_schema or None,
            "names": names,
            "key": LOCK_KEY,
        } | first

    def locate(self) -> Location | Inference:
        if self._plan.inferred:
            return self._plan.inferred
        request = self._request()
        first = self._first or self._ask_first(request)
        self.where = first.get("where") or self.where
        revisions = first.get("revisions") if self._plan.unchanged else None
        graph = self._graph_of(revisions) if revisions else self._render.graph(first["live"]["rows"] or [])
        self._compare(graph)
        table, schema = graph.version_table, graph.version_table_schema
        same_table = (table, schema) == (request["table"], request["schema"])
        live = first["live"] if same_table else self._collector.ask(self._request(table, schema))["live"]

        def facts(names: Message) -> Answer:
            answer = self._collector.ask(self._request(table, schema, names))
            return Answer(answer["live"], answer["server"], answer["facts"])

        trace = functools.partial(self._trace, table, schema, live["rows"] or [])
        return Location(graph, live, self._render.render, facts, self._deployed, trace, self._plan.assumption)

    def _trace(self, table: str, schema: str | None, heads: t.Sequence[str]) -> Trace:
        """The upgrade on a copy of the schema, in pods of its own.

        :raises ScratchError: there is no copy to be had
        """
        options, wanted, plan = self._options, self._wanted, self._plan
        release = t.cast("Release", self.release)
        image = server_image(wanted, release.live, options)
        rights = _AskedRights(self._cluster, wanted, options.namespace)
        if image is None:
            raise ScratchError("the database is none of this release: name an image with PostgreSQL in trace_image")
        if plan.assumption:
            raise ScratchError("the database was not asked")
        if not rights.may_exec:
            raise ScratchError(f"the account may not exec into pods of {options.namespace}")
        seconds = COPY_SECONDS + options.render_timeout
        dumping: Task | None = None
        if plan.kind == "none":
            user, database = next(item.login for item in wanted.servers if item.login)
            live = Copied(database, user, 0, "UTF8", (None, table))
        else:
            live = live_of(self._collector.ask(self._request(table, schema) | {"copy": True})["copy"], heads)
            client = job_of_deployed(release.live) if plan.kind == "exec" else plan
            dumping = dump_task(self._task(client), image, seconds)
        isolated = isolated_task(self._cluster, wanted, options, "trace", ())
        scratch = scratch_task(isolated, image, live, seconds)
        place, wait = Place(self._cluster, scratch, dumping), options.limits["lock_timeout_ms"]
        return trace(place, live, options.target, timeout=options.render_timeout, lock_timeout_ms=wait)

    def _ask_first(self, request: Message) -> Message:
        """By exec where that is the plan; an agent that has no memory to spare is spared."""
        try:
            return self._collector.ask(request)
        except FindingError as error:
            instead = without_exec(self._plan, error, self._live) if self._live else None
            if instead is None:
                raise
            self._carry_out(instead)
            return self._collector.ask(request)

    def _graph_of(self, revisions: Message) -> Graph:
        """The revisions of the deployed image, whose env.py was not run."""
        request = self._request()
        return graph_of(revisions | {"version_table": {"name": request["table"], "schema": request["schema"]}})

    def _compare(self, graph: Graph) -> None:
        """The version table of env.py with the one that the release will look at."""
        schema, _dot, table = self._wanted.version_table.rpartition(".")
        own = graph.version_table_schema
        if table != graph.version_table or (schema and own and schema != own):
            there = f"{own}.{graph.version_table}" if own else graph.version_table
            words = f"env.py keeps its revisions in {there}; migration.versionTable says {self._wanted.version_table}."
            self._compared.append(finding("version-table-differs", words))

    def _deployed(self) -> Graph | None:
        if self.release is None or self.release.live.deployment is None:
            return None
        revisions = self._collector.ask(self._request() | {"target": self._options.target}).get("revisions")
        return self._graph_of(revisions) if revisions else None

    def findings(self) -> list[Finding]:
        assumption = [self._plan.assumption.because] if self._plan.assumption else []
        return [*assumption, *self._plan.findings, *self._render.findings, *self._collector.findings, *self._compared]


__all__ = ("ClusterSource", "Options")
