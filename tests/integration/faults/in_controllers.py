"""Faults of who deploys: two at once, killed in each step, helm killed, a certificate expired, a quota small."""

from __future__ import annotations

import base64
import contextlib
import datetime
import os
import signal
import typing as t
from collections.abc import Callable
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import cluster
from lab.paths import KUBECONFIG
from tests.integration.places import descendants
from tests.integration.role.conftest import Run

from .stage import NAME, Running, Stage, docker

MENDED: dict[str, t.Any] = {"ai_agent_repair": True, "ai_agent_lease_wait": 120}


def two_at_once(stage: Stage) -> Run:
    """A second run begins while the first one changes the release."""
    first = stage.begin()
    first.until("the Lease is taken", lambda: holder(stage))
    second = stage.run(ai_agent_lease_wait=0)
    done = first.end()
    assert done.code == 0, done.output[-3000:]
    return second


def holder(stage: Stage) -> str:
    """Who holds the release's Lease."""
    words = ("get", "lease", f"{NAME}-writer", "-o", "jsonpath={.spec.holderIdentity}")
    return stage.there.kubectl(*words, check=False)


STEPS: tuple[tuple[str, Callable[[Stage, Running], object]], ...] = (
    ("guard", lambda _, run: "Look at what is there" in run.output or run.output.count("TASK [") > 8),
    ("preflight", lambda _, run: "Judge the pending migrations" in run.output),
    ("credentials", lambda _, run: "Begin with the credentials" in run.output),
    ("Lease", lambda stage, _: holder(stage)),
    ("record", lambda _, run: "Record for a later rollback" in run.output),
    ("hook", lambda stage, _: stage.hook() in ("Pending", "Running")),
    ("rollout", lambda stage, _: "1.1.0" in stage.versions()),
)
"""Moments of a run, in their order, at which its process group is killed."""


def killed_in_each_step(stage: Stage) -> Run:
    """One run after the other is killed, each in a later step; what the last one said."""
    stage.no_hook()
    said = []
    for name, reached in STEPS:
        running = stage.begin(**MENDED)
        running.until(name, lambda reached=reached, running=running: reached(stage, running))  # type: ignore[misc]
        assert running.process.poll() is None, f"{name}: it ended before\n{running.output[-2000:]}"
        said.append(running.kill())
        print(f"killed in {name}: helm says {stage.there.status()}", flush=True)
    # It stops without the leave to mend; nobody else is at work.
    return stage.run(ai_agent_lease_wait=120)


def helm_killed(stage: Stage) -> Run:
    """Helm alone is killed while it waits for the hook."""
    stage.no_hook()
    running = stage.begin()
    running.until("the hook is at work", stage.hook)
    assert killed_helm(running)
    return running.end()


def killed_helm(run: Running) -> int:
    """Kill helm where it changes the release; how many there were."""
    found = [int(place.name) for place in descendants(run.process.pid) if is_helm(place)]
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(found)


def is_helm(place: Path) -> bool:
    """Whether a process is the helm that upgrades, and no program that starts it."""
    try:
        words = (place / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(words[0].decode(errors="replace")).name.startswith("helm") and b"upgrade" in words


def certificate_expired(stage: Stage) -> Run:
    """The kubeconfig's certificate ended yesterday."""
    path = stage.there.folder / "expired.yaml"
    path.write_text(expired(KUBECONFIG.read_text(encoding="utf-8")), encoding="utf-8")
    path.chmod(0o600)
    return stage.run(ai_agent_kubeconfig=str(path))


def expired(kubeconfig: str) -> str:
    """The kubeconfig with a certificate of the same user by the same authority that ended yesterday."""
    ca_file, key_file = (of_the_authority(name) for name in ("ca.crt", "ca.key"))
    authority = x509.load_pem_x509_certificate(ca_file)
    signer = serialization.load_pem_private_key(key_file, None)
    content = yaml.safe_load(kubeconfig)
    user = content["users"][0]["user"]
    now = datetime.datetime.now(datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
        x509.NameAttribute(NameOID.COMMON_NAME, "e"),
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(name))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now - datetime.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())  # type: ignore[arg-type]
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    user["client-certificate-data"] = base64.b64encode(public).decode()
    user["client-key-data"] = base64.b64encode(secret).decode()
    return yaml.safe_dump(content)


def of_the_authority(name: str) -> bytes:
    """A file of the lab's own certificate authority."""
    return docker("exec", cluster.CONTROL_PLANE, "cat", f"/etc/kubernetes/pki/{name}").encode()


def quota_too_small(stage: Stage) -> Run:
    """The namespace may have one pod more than it has: enough to look, too few to replace pods."""
    pods = len(stage.there.get("pods")["items"])
    stage.there.kubectl("create", "quota", "small", f"--hard=pods={pods + 1}")
    try:
        used = ("get", "quota", "small", "-o", "jsonpath={.status.used.pods}")
        stage.there.until("the quota is counted", lambda: stage.there.kubectl(*used))
        return stage.run(ai_agent_preflight_fail_on="fail")
    finally:
        stage.there.kubectl("delete", "quota", "small")
