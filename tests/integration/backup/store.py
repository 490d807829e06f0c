"""A database with a store for its backups, and how the tests look into that store: as the files that it keeps."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import tempfile
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._common.errors import FindingError

from dev import s3_server
from tests.integration.backup.asking import Row
from tests.integration.backup.conftest import Place

BUCKET = "backups"
PREFIX = "prod/my-agent"


@contextlib.contextmanager
def keys(access: str = s3_server.ACCESS_KEY, secret: str = s3_server.SECRET_KEY) -> Iterator[None]:
    """The variables from which a machine takes its keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", access)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        yield


@dataclasses.dataclass
class Kept:
    """A database, and the store of its backups."""

    place: Place
    store: s3_server.Store

    def s3(self, **more: t.Any) -> Row:
        """The module's option."""
        own = {"bucket": BUCKET, "prefix": PREFIX, "endpoint": self.store.endpoint, "region": s3_server.REGION}
        return own | {"path_style": None, "ca_certificates": None, "secret": None} | more

    def ask(self, *, change: Row | None = None, **given: t.Any) -> Row:
        """The module's result."""
        with keys():
            return self.place.ask(path=None, s3=self.s3(**change or {}), **given)

    def refused(self, *, change: Row | None = None, **given: t.Any) -> FindingError:
        """The one sentence, in which no secret is, and after which nothing is left on this machine."""
        with pytest.raises(FindingError) as caught:
            self.place.ask(path=None, s3=self.s3(**change or {}), **given)
        said = caught.value.message
        assert s3_server.SECRET_KEY not in said
        assert self.place.server.password not in said
        assert "Traceback" not in said
        assert said.endswith(".")
        assert self.place.names() == []
        assert list(self.place.work.iterdir()) == []
        return caught.value

    @property
    def folder(self) -> Path:
        """Where the store keeps the objects below the prefix."""
        return self.store.folder / BUCKET / PREFIX

    def objects(self) -> list[str]:
        """The keys below the prefix."""
        if not self.folder.exists():
            return []
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def storing(place: Place, folder: Path | None = None, **how: t.Any) -> Iterator[Kept]:
    """A store with an empty bucket.

    :param folder: where it keeps it, None for one of its own
    """
    made = folder or Path(tempfile.mkdtemp(prefix="s3-", dir="/tmp"))
    try:
        (made / BUCKET).mkdir()
        with s3_server.running(made, **how) as store:
            yield Kept(place, store)
    finally:
        if folder is None:
            shutil.rmtree(made, ignore_errors=True)


def certificate(folder: Path, name: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """A certificate that is its own authority, and its key.

    :param name: of whom, as OpenSSL writes it
    """
    made = folder / "tls.crt", folder / "tls.key"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-subj", "/CN=store", "-addext", f"subjectAltName={name}", "-days", "2"]
    subprocess.run([*words, "-out", made[0], "-keyout", made[1]], check=True, capture_output=True, env=os.environ)
    return made
