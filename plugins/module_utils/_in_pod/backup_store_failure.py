"""Why a store of backups did not do what it was asked for, in one sentence with what to do. Pure.

The codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what versitygw, MinIO and Ceph
answer beside them. Of a store's own words nothing is passed on: some quote what was signed.
"""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import re
import typing as t
from xml.etree import ElementTree

from .errors import CollectorError

_KEY: t.Final = "correct the keys in the Secret of the store, or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_RIGHTS: t.Final = "let these keys list the bucket, and read, write and delete objects below the prefix"
_REGION: t.Final = "is one of another region; correct region"
# Findings with the rest of the sentence, and the codes for which they stand.
_FAILURES: t.Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("backup-store-access", f"does not know the access key; {_KEY}"): (
        "InvalidAccessKeyId", "XAdminUserNotFound", "InvalidClientTokenId", "InvalidToken", "ExpiredToken",
    ),
    ("backup-store-access", f"does not take the secret key; {_KEY}"): ("SignatureDoesNotMatch",),
    ("backup-store-access", f"does not allow it; {_RIGHTS}"): ("AccessDenied", "AllAccessDisabled", "AccountProblem"),
    ("backup-store-access", "has a clock that is far away from this one's; set the clocks of both by NTP"): (
        "RequestTimeTooSkewed", "RequestExpired",
    ),
    ("backup-store-bucket", "has no such bucket; create it, or correct bucket"): ("NoSuchBucket",),
    ("backup-store-bucket", "takes no bucket of this name; correct bucket"): ("InvalidBucketName",),
    ("backup-store-bucket", _REGION): (
        "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "Redirect",
        "IllegalLocationConstraintException", "IncorrectEndpoint", "InvalidRegion",
    ),
    ("backup-store-full", "has no room for it; raise its quota, or keep fewer backups (retention)"): (
        "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage",
        "InsufficientCapacity", "StorageFull", "NoSpaceLeft",
    ),
    ("backup-store-failed", "is overloaded or has a failure of its own; look at its log, and try again"): (
        "SlowDown", "ServiceUnavailable", "RequestTimeout", "XMinioServerNotInitialized", "InternalError",
    ),
    ("backup-store-failed", "lacks an object that it had listed; see who else deletes there"): ("NoSuchKey",),
    ("backup-store-failed", "has dropped an upload that was under way; try again"): ("NoSuchUpload",),
}  # fmt: skip
_CODES: t.Final = {code: failure for failure, codes in _FAILURES.items() for code in codes}
# HTTP 507 is WebDAV's, which gateways of file systems answer.
_PROXY: t.Final = (502, 503, 504)
_STATUS: t.Final = {
    403: "AccessDenied",
    500: "InternalError",
    507: "InsufficientStorage",
    **dict.fromkeys(_PROXY, "ServiceUnavailable"),
}
_WORD: t.Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,60}")
_EXPECTED: t.Final = re.compile(r"expecting ['\"]?([a-z0-9-]{2,40})|use region ([a-z0-9-]{2,40})")


def refused(where: str, code: str | None, status: int | None, message: str | None = None) -> CollectorError:
    """What a store answered.

    :param code: of S3's error
    :param status: of HTTP
    :param message: of which only the name of a region is taken
    """
    known = code if code in _CODES else _STATUS.get(status or 0, "")
    if known not in _CODES:
        named = code if code and _WORD.fullmatch(code) else f"HTTP {status}"
        words = f"answers {named}, which is no answer known here; look at its log"
        return CollectorError("backup-store-failed", f"The store {where} {words}.")
    found, words = _CODES[known]
    if words == _REGION and (expected := _EXPECTED.search(message or "")):
        words = words.replace("another region", f"the region {expected[1] or expected[2]}")
    return CollectorError(found, f"The store {where} {words}.")


def unreachable(where: str, kind: str, *, seconds: float) -> CollectorError:
    """Why no answer came.

    :param kind: the name of urllib3's class of the error
    :param seconds: how long an answer was waited for
    """
    words = {
        "NameResolutionError": "has a name that is not known here; correct endpoint, or the name service",
        "NewConnectionError": "refuses connections; correct endpoint, and see that it runs",
        "ConnectTimeoutError": "does not take a connection; correct endpoint, or the network policy (backupStore)",
        "ReadTimeoutError": f"is silent: no answer within {seconds:g} s; look at its log and its load",
        "SSLError": "has a certificate that is not trusted here; give its authority in ca_certificates",
        "ProtocolError": "ended the connection in the midst of it; look at its log, and at proxies in between",
    }.get(kind, "cannot be spoken to; correct endpoint")
    return CollectorError("backup-store-unreachable", f"The store {where} {words}.")


@contextlib.contextmanager
def translated(where: str, seconds: float) -> t.Iterator[None]:
    """Errors of the store and of the way there, each as one sentence.

    :param seconds: how long an answer is waited for
    :raises CollectorError: backup-store-access, backup-store-bucket, backup-store-full, backup-store-unreachable,
        backup-store-failed
    """
    import minio.error
    import urllib3.exceptions

    try:
        yield
    except minio.error.S3Error as error:
        raise refused(where, error.code, getattr(error.response, "status", None), error.message) from None
    except minio.error.ServerError as error:
        raise refused(where, None, error.status_code) from None
    except (minio.error.MinioException, ElementTree.ParseError, ValueError) as error:
        # A proxy before a store answers a page of its own; the library keeps the status to itself.
        if (status := getattr(error, "_code", None)) in _PROXY:
            raise refused(where, None, status) from None
        words = "does not answer as an S3 store does; correct endpoint: it is that of the API, not of a console"
        raise CollectorError("backup-store-unreachable", f"The store {where} {words}.") from None
    except urllib3.exceptions.HTTPError as error:
        raise unreachable(where, _kind(error), seconds=seconds) from None


def _kind(error: BaseException) -> str:
    """The reason within an error of urllib3, by the name of its class."""
    reason = getattr(error, "reason", None)
    kind = type(reason if isinstance(reason, Exception) else error)
    names = [item.__name__ for item in kind.__mro__]
    order = ("NameResolutionError", "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "SSLError")
    return next((name for name in (*order, "ProtocolError") if name in names), names[0])


__all__ = ("refused", "translated", "unreachable")
