"""A release's backups go into an S3-compatible store of the cluster, by TLS of a private authority, and come back."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from dev import s3_server
from lab import images, registry
from lab.cluster import kubectl
from lab.paths import REGISTRY
from tests.integration.backup.store import BUCKET, certificate

from .loaded import RELEASE, LoadedRelease, ScheduledBackups, applied

STORE, NAMESPACE, SECRET, PORT = "store", "stored-backups", "backup-store", 9000
Row = dict[str, t.Any]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store that runs, and the certificate of its authority."""
    reference = f"{REGISTRY}/versitygw:{s3_server.VERSION}"
    images.static(reference, s3_server.program(), "versitygw")
    registry.push([reference])
    crt, key = certificate(tmp_path_factory.mktemp("store"), f"DNS:{STORE}.{NAMESPACE}.svc")
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
    kubectl("create", "namespace", NAMESPACE)
    named = {"name": STORE, "namespace": NAMESPACE, "labels": {"app": STORE}}
    # A folder of a folder is a bucket.
    folders = {"bucket": f"/data/{BUCKET}", "beside": "/beside", "tmp": "/tmp", "tls": "/tls"}  # noqa: S108 - in its pod
    words = ["--port", f":{PORT}", "--region", s3_server.REGION, "--cert", "/tls/tls.crt", "--key", "/tls/tls.key"]
    container = {
        "name": STORE, "image": reference, "args": [*words, "posix", "--sidecar", "/beside", "/data"],
        "env": [
            {"name": "ROOT_ACCESS_KEY", "value": s3_server.ACCESS_KEY},
            {"name": "ROOT_SECRET_KEY", "value": s3_server.SECRET_KEY},
        ],
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in folders.items()],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }  # fmt: skip
    volumes = [{"name": name, "emptyDir": {}} for name in folders if name != "tls"]
    volumes.append({"name": "tls", "secret": {"secretName": "tls"}})
    tls = {"tls.crt": crt.read_text(), "tls.key": key.read_text()}
    applied(
        {"apiVersion": "v1", "kind": "Secret", "metadata": named | {"name": "tls"}, "stringData": tls},
        {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": {"containers": [container], "volumes": volumes}},
        {
            "apiVersion": "v1", "kind": "Service", "metadata": named,
            "spec": {"selector": {"app": STORE}, "ports": [{"port": PORT}]},
        },
    )  # fmt: skip
    kubectl("-n", NAMESPACE, "wait", "pod", STORE, "--for=condition=Ready", "--timeout=180s", timeout=190)
    yield crt.read_text()
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


class StoredRelease(ScheduledBackups, LoadedRelease):
    """One whose Jobs reach the store."""

    def prepare(self) -> None:
        """The keys, in a Secret of its own."""
        self.keys(s3_server.SECRET_KEY)

    def keys(self, secret: str) -> None:
        """The Secret with the keys of the store."""
        metadata = {"name": SECRET, "namespace": self.namespace}
        data = {"AWS_ACCESS_KEY_ID": s3_server.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": secret}
        applied({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})

    def json(self, *words: str) -> Row:
        """An object."""
        return t.cast("Row", json.loads(kubectl("-n", self.namespace, "get", *words, "-o", "json")))

    def record(self) -> list[Row]:
        """What the preflight reads."""
        found = self.json("configmap", f"{RELEASE}-backup-record")
        return t.cast("list[Row]", json.loads(found["data"]["backups.json"]))

    def administrator(self) -> Row:
        """A Secret with the URL of a role that may create databases, as the role's variable names it."""
        data = self.json("secret", f"{RELEASE}-secret")["data"]
        password = base64.b64decode(data["postgres-password"]).decode()
        url = f"postgresql://postgres:{quote(password, safe='')}@{RELEASE}-postgresql:5432/postgres"
        metadata = {"name": "administrator", "namespace": self.namespace}
        applied({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"url": url}})
        return {"name": "administrator", "key": "url"}


@pytest.fixture(scope="module")
def release(lab: Row, authority: str) -> Iterator[StoredRelease]:
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}}]
    s3 = {
        "bucket": BUCKET, "endpoint": f"https://{STORE}.{NAMESPACE}.svc:{PORT}", "region": s3_server.REGION,
        "ca_certificates": authority, "secret": {"name": SECRET},
    }  # fmt: skip
    values = {"networkPolicy": {"backupStore": {"to": peers, "ports": [PORT]}}}
    # A day that never comes: its Jobs are begun by the tests.
    scheduled = {"ai_agent_backup_s3": s3, "ai_agent_backup_schedule": "0 0 31 2 *"}
    with StoredRelease(lab, "stored", ai_agent_values=values, **scheduled) as made:
        yield made


def test_there_and_back(release: StoredRelease) -> None:
    made = release.play("playbooks/backup.yml")
    assert made.code == 0, made.output[-3000:]
    assert s3_server.SECRET_KEY not in made.output
    first = release.record()
    assert [item["verified"] for item in first] == [True]
    # A wrong key: one sentence, and what was there stays.
    release.keys("wr0ng-s3cr3t")
    refused = release.play("playbooks/backup.yml")
    assert refused.code != 0
    assert "does not take the secret key" in refused.output, refused.output[-3000:]
    assert "wr0ng-s3cr3t" not in refused.output
    assert release.record() == first
    release.keys(s3_server.SECRET_KEY)
    again = release.play("playbooks/backup.yml")
    assert again.code == 0, again.output[-3000:]
    assert len(release.record()) == 2
    admin = release.administrator()
    restored = release.play(
        "playbooks/restore.yml", ai_agent_restore_database="agent_again", ai_agent_restore_database_secret=admin
    )
    assert restored.code == 0, restored.output[-3000:]
    assert "was restored into agent_again" in restored.output
    assert release.counts(5)["failed"] == 0


def test_on_schedule(release: StoredRelease) -> None:
    before = {item["name"] for item in release.record()}
    release.begin("first")
    release.wait("first")
    said, *_notes = release.said("first")
    assert said.endswith(", verified"), said
    assert s3_server.SECRET_KEY not in said
    # The playbook that comes next sees it, and so does whoever asks for the newest.
    name = said.partition(":")[0]
    assert name not in before
    again = release.play("playbooks/backup.yml")
    assert again.code == 0, again.output[-3000:]
    # The oldest one may have been superfluous meanwhile.
    assert name in {item["name"] for item in release.record()}


def test_the_way_there_is_closed_by_default(release: StoredRelease) -> None:
    """A backup finds no store that the chart's policies do not name; that is told before the Job's time is over."""
    closed = release.play("site.yml", ai_agent_values={})
    assert closed.code == 0, closed.output[-3000:]
    refused = release.play("playbooks/backup.yml", ai_agent_values={})
    assert refused.code != 0
    assert "backupStore" in refused.output, refused.output[-3000:]
