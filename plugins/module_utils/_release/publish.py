"""An assembled chart becomes an archive with the same bytes each time, is pushed to an OCI registry, and signed.

Helm's own `package` writes the times of files into the archive, and `push` that of the archive into the manifest; so
each build would have another digest.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import tarfile
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.ai_platform.agent.plugins.module_utils._release import helm as program
from ansible_collections.ai_platform.agent.plugins.module_utils._release.attestations import (
    CYCLONEDX,
    PROVENANCE,
    bill,
    provenance,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.chart import (
    CHOICES,
    FETCH_SECONDS,
    Assembled,
    ChartError,
    assemble,
)
from ansible_collections.ai_platform.agent.plugins.module_utils._release.cosign import Cosign

Row = dict[str, t.Any]

EPOCH: t.Final = 315532800
"""Time of everything in an archive, and of the archive: 1980-01-01, the earliest that all formats of archives know."""

_SOURCE: t.Final = re.compile(r"git\+[a-z]+://\S+@[0-9a-f]{40}")

_DIGEST: t.Final = re.compile(r"^Digest: +(sha256:[0-9a-f]{64})$", re.MULTILINE)

ARGUMENTS: t.Final[Row] = {
    "chart": {"type": "path", "required": True},
    "subcharts": {"type": "str", "required": True, "choices": list(CHOICES)},
    "subcharts_dir": {"type": "path"},
    "cache_dir": {"type": "path"},
    "helm_binary": {"type": "path", "default": "helm"},
    "folder": {"type": "path", "required": True},
    "registry": {"type": "str"},
    "plain_http": {"type": "bool", "default": False},
    "signing_key": {"type": "path"},
    "cosign_binary": {"type": "path", "default": "cosign"},
    "sboms": {"type": "list", "elements": "path", "default": []},
    "source": {"type": "str"},
}
CONSTRAINTS: t.Final[Row] = {
    "required_if": [("subcharts", "embedded", ["subcharts_dir"])],
    "required_by": {"signing_key": ["registry"]},
}


def archive(assembled: Assembled, folder: Path) -> Path:
    """Write the chart as Helm packages one, `ai-agent-<version>.tgz`, and return the file.

    :raises ChartError: it cannot be written
    """
    target = folder / f"{assembled.path.name}-{assembled.version}.tgz"
    stream = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", compresslevel=9, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in sorted(path for path in assembled.path.rglob("*") if path.is_file()):
            content = file.read_bytes()
            entry = tarfile.TarInfo(f"{assembled.path.name}/{file.relative_to(assembled.path).as_posix()}")
            entry.size, entry.mode, entry.mtime = len(content), 0o644, EPOCH
            tar.addfile(entry, io.BytesIO(content))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_bytes(stream.getvalue())
        os.utime(target, (EPOCH, EPOCH))
    except OSError as error:
        raise ChartError(f"The chart's archive cannot be written to {target}: {error.strerror}.") from None
    return target


def execute(params: Row, environment: t.Mapping[str, str], *, check_mode: bool) -> Row:
    """The result: the archive, and after a push the reference by digest with which the role takes the chart.

    :raises ChartError: it cannot be assembled, linted, written, pushed or signed
    """
    if params["registry"] and not params["registry"].startswith("oci://"):
        raise ChartError(f"{params['registry']} is no OCI registry: write oci://<registry>/<repository>.")
    bills = _bills(params)
    assembled = assemble(
        Path(params["chart"]),
        params["subcharts"],
        subcharts_dir=params["subcharts_dir"] and Path(params["subcharts_dir"]),
        cache=params["cache_dir"] and Path(params["cache_dir"]),
        helm=params["helm_binary"],
    )
    _lint(assembled, params["helm_binary"], environment)
    if check_mode:
        with tempfile.TemporaryDirectory(prefix="chart-") as temporary:
            result = _described(assembled, archive(assembled, Path(temporary)), Path(params["folder"]))
        # Whether the registry has it is not asked: that may need rights, and it is what the push will tell.
        return result | {"changed": True}
    file = archive(assembled, Path(params["folder"]))
    result = _described(assembled, file, Path(params["folder"]))
    if not params["registry"]:
        return result | {"changed": True}
    result |= _push(params, file, assembled.version, environment)
    if not params["signing_key"]:
        return result
    made = provenance(assembled, params["subcharts"], result["sha256"], params["source"] or "")
    return result | _attest(params, result, [(PROVENANCE, made), *((CYCLONEDX, each) for each in bills)], environment)


def _bills(params: Row) -> list[Row]:
    if params["sboms"] and not params["signing_key"]:
        raise ChartError("sboms are attested with a key, and signing_key is not set: name the private key of cosign.")
    if params["source"] and not _SOURCE.fullmatch(params["source"]):
        raise ChartError(f"source is {params['source']!r}: write git+https://<repository>@<commit of 40 hex digits>.")
    return [bill(Path(file)) for file in params["sboms"]]


def _described(assembled: Assembled, file: Path, folder: Path) -> Row:
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    kept = {"version": assembled.version, "subcharts": assembled.subcharts}
    return kept | {
        "archive": str(folder / file.name),
        "sha256": checksum,
        "digest": "",
        "reference": "",
        "signed": False,
        "attested": [],
    }


def _lint(assembled: Assembled, helm: str, environment: t.Mapping[str, str]) -> None:
    for values in sorted(assembled.path.glob("values-*.yaml")):
        words = [helm, "lint", "--strict", str(assembled.path), "--values", str(values)]
        done = program.run(words, seconds=FETCH_SECONDS, environment=environment)
        if done.code:
            told = [line.strip() for line in done.output.splitlines() if line.startswith(("[ERROR]", "[WARNING]"))]
            raise ChartError(f"helm lint complains of the chart with {values.name}: {' '.join(told) or done.complaint}")


def _push(params: Row, file: Path, version: str, environment: t.Mapping[str, str]) -> Row:
    """Push, and say whether that changed what the registry has under this version."""
    helm, registry = params["helm_binary"], params["registry"].rstrip("/")
    plain = ["--plain-http"] if params["plain_http"] else []
    name = f"{registry}/{file.name.removesuffix(f'-{version}.tgz')}"
    before = program.run(
        [helm, "show", "chart", name, "--version", version, *plain], seconds=FETCH_SECONDS, environment=environment
    )
    pushed = program.run([helm, "push", str(file), registry, *plain], seconds=FETCH_SECONDS, environment=environment)
    told = _DIGEST.search(pushed.output + pushed.errors)
    if pushed.code or told is None:
        reason = pushed.complaint or "it printed no digest"
        raise ChartError(f"Helm could not push the chart to {registry}: {reason}")
    digest = told[1]
    known = _DIGEST.search(before.output + before.errors)
    result: Row = {"digest": digest, "reference": f"{name}@{digest}", "changed": known is None or known[1] != digest}
    return result | _sign(params, result, environment)


def _sign(params: Row, pushed: Row, environment: t.Mapping[str, str]) -> Row:
    if not params["signing_key"]:
        return {}
    cosign = _cosign(params, pushed, environment)
    with cosign.public(params["signing_key"]) as public:
        if not cosign.signed(public).code:
            return {"signed": True}
    cosign.sign(params["signing_key"])
    return {"signed": True, "changed": True}


def _attest(params: Row, pushed: Row, wanted: list[tuple[str, Row]], environment: t.Mapping[str, str]) -> Row:
    """Attest what the registry does not have yet, signed with the key of the chart."""
    changed = _cosign(params, pushed, environment).attest(params["signing_key"], wanted)
    return {"attested": [kind for kind, _predicate in wanted], "changed": pushed["changed"] or changed}


def _cosign(params: Row, pushed: Row, environment: t.Mapping[str, str]) -> Cosign:
    return Cosign(params["cosign_binary"], pushed["reference"], environment, plain_http=params["plain_http"])


__all__ = ("ARGUMENTS", "CONSTRAINTS", "EPOCH", "archive", "execute")
