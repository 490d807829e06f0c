"""The facts of a connectivity test: what the probes recorded, and what the API says of the release.

They are plain data, so that they can be recorded and judged again. What a probe records is made in _in_pod/probe.py and
probe_wire.py, which are sent into pods and import nothing from here; tests/integration/connectivity holds both against
each other.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t


class _Error(t.TypedDict):
    """Why something failed.

    :param type: class of the exception
    :param text: the line of its words that names the cause, without secrets
    """

    type: str
    text: str


class Error(_Error, total=False):
    """Why something failed, and what tells causes apart.

    :param cause: the cause, as probe_causes.py names it
    :param verify_code: OpenSSL's, of a certificate that was not accepted
    """

    cause: str
    errno: int
    sqlstate: str
    verify_code: int


class _PhaseRecord(t.TypedDict):
    """One phase of a connection.

    :param phase: driver, url, dns, tcp, proxy, tls, auth, query, write, schema, large or models
    :param facts: by phase. dns: `asked` (host:port), `addresses`. tcp: `asked`, `address`; both `proxy` where it is
        the proxy that was asked. tls: `asked`, `protocol` and those of probe_certificate.py. auth: `tls`. large:
        `bytes`. models: `asked`, `key` (whether there is one), `status`, `models` (how many are listed, None where the
        answer is no list), `model` and `listed` where the agent names one, `cut`, `code`, `location`, `retry_after`.
        query: the columns of probe_postgresql.SERVER, of a replica also `behind_bytes` and `caught_up_ms`; the keys of
        probe_redis.TOLD, or `hidden`. schema: `revisions`
    """

    record: t.Literal["phase"]
    dependency: str
    phase: str
    ok: bool
    ms: float
    facts: dict[str, t.Any]


class PhaseRecord(_PhaseRecord, total=False):
    """One phase of a connection, with its error where it failed."""

    error: Error


class _RoundsRecord(t.TypedDict):
    record: t.Literal["rounds"]
    dependency: str
    wanted: int
    failed: int
    samples_ms: list[float]


class RoundsRecord(_RoundsRecord, total=False):
    """Questions over one connection, one after the other; `error` is that of the last one that failed."""

    error: Error


class _HttpRecord(t.TypedDict):
    """A path of the agent that was asked.

    :param name: the way to it, itself or service
    :param status: None without an answer
    """

    record: t.Literal["http"]
    name: str
    path: str
    ms: float
    status: int | None


class HttpRecord(_HttpRecord, total=False):
    """A path of the agent that was asked; the body of the answer where that is JSON."""

    body: t.Any
    error: Error


class _ReachRecord(t.TypedDict):
    """A connection that should not be had.

    :param got: reached, refused, timeout, unreachable or no-name
    """

    record: t.Literal["reach"]
    name: str
    got: str
    ms: float


class ReachRecord(_ReachRecord, total=False):
    """A connection that should not be had, with its error.

    :param asked: host:port
    """

    asked: str
    error: Error


class EndRecord(t.TypedDict):
    """The last record of a probe that was not cut off.

    :param peak_kib: the most memory that it had
    """

    record: t.Literal["end"]
    host: str
    ms: float
    peak_kib: int


class RefusedRecord(t.TypedDict):
    """The only record of a probe that did not begin in a pod with too little memory; `text` says so."""

    record: t.Literal["refused"]
    text: str


# Pylint does not know that classes can be joined.
Record = PhaseRecord | RoundsRecord | HttpRecord | ReachRecord | EndRecord | RefusedRecord  # pylint: disable=unsupported-binary-operation

# `from` is no name in Python.
_Place = t.TypedDict("_Place", {"from": str})


class _Observation(_Place):  # pylint: disable=inherit-non-class  # made by a call
    """What one probe saw; `from` is its place, which is direct, agent, probe, stranger or elsewhere.

    :param pod: its name, or direct
    :param problem: why it is not complete, a sentence
    """

    pod: str
    node: str | None
    records: list[Record]
    problem: str | None


class Observation(_Observation, total=False):
    """What one probe saw, or that it did not begin.

    :param refused: the pod had too little memory left, and nothing began in it
    """

    refused: bool


class PodFacts(t.TypedDict):
    """A pod of the agent.

    :param reason: why it is not ready, in Kubernetes' words
    """

    name: str
    node: str | None
    ready: bool
    reason: str | None
    labels: dict[str, str]


class Endpoints(t.TypedDict):
    """Names of the pods to which a Service leads."""

    ready: list[str]
    unready: list[str]


class _ServerFacts(t.TypedDict):
    """A server of the release, behind its Service.

    :param ready: how many endpoints are, None where they may not be read
    :param labels: of its pods
    """

    host: str
    port: int
    ready: int | None
    labels: dict[str, str]


class ServerFacts(_ServerFacts, total=False):
    """A server of the release.

    :param memory_limit: of its container, as the pod writes it
    """

    memory_limit: str | None


class NamespaceFacts(t.TypedDict):
    """Another namespace, from which a stranger tries."""

    name: str
    labels: dict[str, str]


class _SeenRelease(t.TypedDict):
    """What the API says of the release.

    :param endpoints: of the agent's Service, None where they may not be read
    :param servers: by the dependency's name
    :param policies: NetworkPolicies of the namespace, None where they may not be read
    """

    name: str
    namespace: str
    replicas: int
    pods: list[PodFacts]
    endpoints: Endpoints | None
    servers: dict[str, ServerFacts]
    policies: list[dict[str, t.Any]] | None


class SeenRelease(_SeenRelease, total=False):
    """What the API says of the release.

    :param health: the path that says whether the agent's process lives, /health where facts of older versions lack it
    """

    health: str | None


class ReleaseFacts(SeenRelease):
    """The release, and whom its policies do not know.

    :param stranger_labels: of the stranger's pods
    """

    stranger_labels: dict[str, str]
    other_namespace: NamespaceFacts | None


class Facts(t.TypedDict):
    """The facts of one test.

    :param release: None without Kubernetes
    :param untested: sentences about negative tests that could not be made
    """

    observations: list[Observation]
    release: ReleaseFacts | None
    untested: list[str]
