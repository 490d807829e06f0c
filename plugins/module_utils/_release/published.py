"""A chart that was published to an OCI registry: named by its digest, its signature verified, kept in the cache.

A tag can be moved, a digest cannot: Helm refuses a manifest or an archive of other content than the digest says.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm as program
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import (
    ANOTHER_CACHE,
    FETCH_SECONDS,
    SEAL,
    SUBCHARTS,
    Assembled,
    CacheError,
    ChartError,
    chart_version,
    default_cache,
    packed_version,
    seal,
    whole,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.cosign import Cosign

REFERENCE: t.Final = re.compile(r"oci://(?P<repository>[^\s@]+)@sha256:(?P<digest>[0-9a-f]{64})")
"""An OCI reference with a digest (OCI distribution specification, "Pulling manifests")."""

_NAME: t.Final = "ai-agent"
_EMBEDDED: t.Final = "+embedded"


def fetch(
    reference: str,
    choice: str,
    *,
    key: Path | None = None,
    cosign: str = "cosign",
    cache: Path | None = None,
    helm: str = "helm",
    plain_http: bool = False,
    environment: t.Mapping[str, str] | None = None,
) -> Assembled:
    """Return the chart of that digest, from the cache where it was fetched, and verified with this key, before.

    :param reference: `oci://registry/repository/ai-agent@sha256:<64 hex digits>`
    :param choice: where its subcharts must come from, as `chart.CHOICES`
    :param key: public key; with it the signature is verified by the program `cosign`, before the chart is fetched
    :param plain_http: the registry has no TLS
    :param environment: variables for helm and cosign besides those of this process
    :raises CacheError: the cache cannot be written
    :raises ChartError: no digest in the reference, no such chart there, other content, another chart, no signature
    """
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise ChartError(
            f"{reference!r} does not name a published chart by its digest: write oci://<registry>/<repository>/{_NAME}"
            "@sha256:<64 hex digits>, as playbooks/publish_chart.yml prints it. A tag can be moved."
        )
    cache = cache or default_cache()
    # The whole digest: who can choose the rest of one would get what another one names.
    target = cache / f"published-{found['digest']}" / _NAME
    try:
        proof = target.parent / f"verified-{hashlib.sha256(key.read_bytes()).hexdigest()}" if key else None
    except OSError as error:
        raise ChartError(f"The public key {key} cannot be read: {error.strerror}.") from None
    known = whole(target)
    # A signature is over the digest, and a digest's content never changes: what was verified stays verified.
    if proof and not (known and proof.exists()):
        _verify(reference, t.cast("Path", key), cosign, plain_http=plain_http, environment=environment)
    try:
        if not known:
            _pull(reference, target, helm, plain_http=plain_http, environment=environment)
        if proof:
            proof.touch()
    except OSError as error:
        words = f"The chart cannot be kept in {cache} ({error.strerror}: {error.filename})"
        raise CacheError(f"{words}: make that folder writable, or {ANOTHER_CACHE}.") from error
    versions = {name: packed_version(target / "charts", name) for name in SUBCHARTS}
    origin = "embedded" if all(version.endswith(_EMBEDDED) for version in versions.values()) else "bitnami"
    if origin != choice:
        raise ChartError(
            f"The chart {reference} holds the subcharts {origin}, and ai_agent_subcharts is {choice}: other subcharts"
            " are another database, so name a chart that was published with the same ones, or set ai_agent_subcharts."
        )
    return Assembled(target, chart_version(target), found["digest"], versions)


def _verify(
    reference: str, key: Path, cosign: str, *, plain_http: bool, environment: t.Mapping[str, str] | None
) -> None:
    done = Cosign(cosign, reference, environment, plain_http=plain_http).signed(str(key))
    if done.code == program.NOT_FOUND:
        raise ChartError(f"There is no program {cosign}, which verifies the chart's signature: install cosign.")
    if done.code:
        raise ChartError(
            f"The chart {reference} has no signature that the key {key} accepts: {_last(done)}; nothing was fetched."
        )


def _pull(
    reference: str, target: Path, helm: str, *, plain_http: bool, environment: t.Mapping[str, str] | None
) -> None:
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=target.parent.parent) as temporary:
        entry = Path(temporary, "entry")
        words = [helm, "pull", reference, "--untar", "--untardir", str(entry)]
        words += ["--plain-http"] if plain_http else []
        done = program.run(words, seconds=FETCH_SECONDS, environment=environment)
        if done.code:
            raise ChartError(f"Helm could not fetch the chart {reference}: {_last(done)}.")
        if not (entry / _NAME / "Chart.yaml").is_file():
            raise ChartError(f"What {reference} holds is not the chart {_NAME}: name the one that was published.")
        (entry / SEAL).write_text(seal(entry / _NAME), encoding="ascii")
        if target.parent.exists():
            if whole(target):
                # Another run was faster, with the same content.
                return
            shutil.rmtree(target.parent)
        entry.rename(target.parent)


def _last(done: program.Ended) -> str:
    return done.complaint.rstrip(".")[-400:]


__all__ = ("REFERENCE", "fetch")
