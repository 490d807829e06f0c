"""An S3-compatible store of backups: objects below one prefix of a bucket, by the library `minio`.

The keys are in the variables BACKUP_STORE_ACCESS_KEY and BACKUP_STORE_SECRET_KEY; without them they are looked for as
AWS' programs do: variables, the shared file, the role of a pod or a machine.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import configparser
import contextlib
import dataclasses
import datetime
import hashlib
import os
import re
import ssl
import typing as t
import urllib.parse
from pathlib import Path

from .backup_store_failure import translated
from .errors import CollectorError

AWS: t.Final = "https://s3.amazonaws.com"
ACCESS_KEY: t.Final = "BACKUP_STORE_ACCESS_KEY"
SECRET_KEY: t.Final = "BACKUP_STORE_SECRET_KEY"  # noqa: S105 - a name
CONNECT_SECONDS: t.Final = 10.0
# A store may put together a file of many parts for so long; asked again twice, a silent one is told of after 3 min.
READ_SECONDS: t.Final = 60.0
_TRIES: t.Final = 2
# What is in memory of one file at a time: a part for each of two uploads, and as much that waits. At most 10,000 parts.
PART_BYTES: t.Final = 16 << 20
_MOST_PARTS: t.Final = 10_000
_BLOCK: t.Final = 1 << 20
_BUCKET: t.Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# From when on nobody is still at work on what is not complete: no Job runs so long.
LEFT: t.Final = datetime.timedelta(days=2)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a store is.

    :param prefix: of the names of all objects, without slashes around it
    :param endpoint: URL of its API, None for AWS' own
    :param path_style: whether the bucket is a part of the path instead of the host; None: everywhere but at AWS
    :param ca_certificates: PEM, trusted beside those of the system
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    ca_certificates: str | None = dataclasses.field(default=None, repr=False)

    def __str__(self) -> str:
        whole = "/".join(part for part in (self.bucket, self.prefix) if part)
        return f"s3://{whole}" + (f" at {self.endpoint}" if self.endpoint else "")


class Listed(t.NamedTuple):
    """An object.

    :param key: below the prefix
    """

    key: str
    bytes: int
    changed: datetime.datetime


class Store:
    """The objects below the prefix of a place."""

    def __init__(self, place: Place) -> None:
        """:raises CollectorError: `argument-invalid`, `library-missing`: what it says cannot be used"""
        self.place, self.where = place, str(place)
        self._prefix = f"{place.prefix}/" if place.prefix else ""
        self._client = _client(place)

    def objects(self) -> list[Listed]:
        """All of them."""
        with self._told():
            found = self._client.list_objects(
                bucket_name=self.place.bucket, prefix=self._prefix or None, recursive=True
            )
            return [
                Listed(item.object_name[len(self._prefix) :], item.size or 0, item.last_modified)
                for item in found
                if not item.is_dir
            ]

    def fetch(self, key: str, target: Path) -> None:
        """Write one into a file, which is there when it is whole."""
        part = target.with_name(f".{target.name}.part")
        with part.open("wb") as file, self._stream(key) as blocks:
            for block in blocks:
                file.write(block)
        part.rename(target)

    def checksum(self, key: str) -> dict[str, t.Any]:
        """Size and SHA-256 of one as it is read from the store, as the manifest has them."""
        total, size = hashlib.sha256(), 0
        with self._stream(key) as blocks:
            for block in blocks:
                total.update(block)
                size += len(block)
        return {"bytes": size, "sha256": total.hexdigest()}

    def put(self, path: Path, key: str) -> None:
        """Store a file; of a large one that was not stored whole, no part is left."""
        size = PART_BYTES if path.stat().st_size <= PART_BYTES * _MOST_PARTS else 0
        with self._told():
            self._client.fput_object(**self._named(key), file_path=str(path), part_size=size, num_parallel_uploads=2)

    def remove(self, key: str) -> None:
        """Remove one, also where it is not there."""
        with self._told():
            self._client.remove_object(**self._named(key))

    def drop_left_uploads(self) -> None:
        """Remove parts of uploads that somebody was killed at; a store that does not list them keeps them."""
        # The library aborts its own uploads, and has nothing public for those of others.
        try:
            with contextlib.suppress(AttributeError), self._told():
                listed = self._client._list_multipart_uploads(bucket_name=self.place.bucket, prefix=self._prefix)
                for item in listed.uploads:
                    if item.initiated_time and is_left(item.initiated_time):
                        self._client._abort_multipart_upload(
                            bucket_name=self.place.bucket, object_name=item.object_name, upload_id=item.upload_id
                        )
        except CollectorError as error:
            if error.id not in {"backup-store-access", "backup-store-failed"}:
                raise

    def _named(self, key: str) -> dict[str, str]:
        # By name: the next major version of the library takes no other arguments.
        return {"bucket_name": self.place.bucket, "object_name": f"{self._prefix}{key}"}

    def _told(self) -> contextlib.AbstractContextManager[None]:
        return translated(self.where, READ_SECONDS)

    @contextlib.contextmanager
    def _stream(self, key: str) -> t.Iterator[t.Iterator[bytes]]:
        with self._told():
            response = self._client.get_object(**self._named(key))
            try:
                yield response.stream(_BLOCK)
            finally:
                response.close()
                response.release_conn()


def is_left(since: datetime.datetime) -> bool:
    """Whether nobody is still at work on what was begun then."""
    return datetime.datetime.now(datetime.timezone.utc) - since > LEFT  # noqa: UP017 - Python 3.10


def _client(place: Place) -> t.Any:
    try:
        import minio
        import urllib3
    except ImportError:
        words = "A store of backups needs the Python library minio, in a pod in the agent's image"
        raise CollectorError("library-missing", f"{words}; install it (pip install minio).") from None
    if not _BUCKET.fullmatch(place.bucket):
        words = "The name of the store's bucket is none that S3 takes (3 to 63 small letters, digits, dots and hyphens)"
        raise CollectorError("argument-invalid", f"{words}; correct bucket.")
    host, secure = _host(place.endpoint or AWS)
    retries = urllib3.Retry(
        total=_TRIES, backoff_factor=0.5, status_forcelist=(500, 502, 503, 504), raise_on_status=False
    )
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        retries=retries, maxsize=16, ssl_context=_trust(place.ca_certificates),
    )  # fmt: skip
    own = {
        "endpoint": host,
        "secure": secure,
        "region": place.region or None,
        "http_client": pool,
        "credentials": _credentials(place),
    }
    try:
        client = minio.Minio(**own)
    except ValueError:
        words = f"The store {place} cannot be asked"
        raise CollectorError("argument-invalid", f"{words}; correct endpoint or region.") from None
    if place.path_style is not None:
        change = "disable_virtual_style_endpoint" if place.path_style else "enable_virtual_style_endpoint"
        getattr(client, change)()
    return client


def _host(endpoint: str) -> tuple[str, bool]:
    """Host with port, and whether TLS is spoken.

    :raises CollectorError: `argument-invalid`
    """
    try:
        found = urllib.parse.urlsplit(endpoint)
        found.port  # noqa: B018 - it is read where it is asked for
    except ValueError:
        found = urllib.parse.urlsplit("")
    if found.username is not None or found.password is not None:
        words = "The endpoint of the store holds a login"
        raise CollectorError("argument-invalid", f"{words}; name the Secret with the keys instead.")
    if found.scheme not in {"http", "https"} or not found.hostname or found.path.strip("/") or found.query:
        words = "The endpoint of the store is no URL of a host, such as https://s3.example.com:9000"
        raise CollectorError("argument-invalid", f"{words}; correct endpoint.")
    return found.netloc, found.scheme == "https"


def _trust(certificates: str | None) -> ssl.SSLContext:
    """The authorities of the system, and one's own.

    :raises CollectorError: `argument-invalid`
    """
    import certifi

    # An image without the system's authorities has those of the library.
    system = ssl.get_default_verify_paths()
    there = system.cafile or (system.capath and any(Path(system.capath).iterdir()))
    context = ssl.create_default_context(cafile=None if there else certifi.where())
    if certificates:
        try:
            context.load_verify_locations(cadata=certificates)
        except (ssl.SSLError, ValueError):
            words = "The authority of the store is no certificate in PEM"
            raise CollectorError("argument-invalid", f"{words}; correct ca_certificates.") from None
    return context


def _credentials(place: Place) -> t.Any:
    """Who gives the keys; they are there once, before anything is asked.

    :raises CollectorError: `backup-store-access`: nobody does
    """
    import urllib3
    from minio.credentials import providers

    access, secret = os.environ.get(ACCESS_KEY, "").strip(), os.environ.get(SECRET_KEY, "").strip()
    if access and secret:
        return providers.StaticProvider(access, secret)
    # Where no such service is, its address is often silent.
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=10), retries=urllib3.Retry(total=1))
    others = [providers.EnvAWSProvider(), providers.AWSConfigProvider()]
    provider = providers.ChainedProvider([*others, providers.IamAwsProvider(http_client=pool)])
    try:
        provider.retrieve()
    except (ValueError, KeyError, OSError, configparser.Error, urllib3.exceptions.HTTPError):
        # A parser quotes the line that it does not read, so nothing of the error is told.
        words = f"There are no keys for the store {place}"
        cure = "name a Secret in s3.secret; on a machine, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise CollectorError("backup-store-access", f"{words}; {cure}.") from None
    return provider


__all__ = ("ACCESS_KEY", "SECRET_KEY", "Listed", "Place", "Store", "is_left")
