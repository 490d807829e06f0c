"""Files over HTTPS, whole or not at all; what a broken connection left is continued by the next try."""

from __future__ import annotations

import http.client
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from lab import mirror
from lab.progress import LabError

SECONDS = 60
"""How long a server may say nothing."""

_BROKEN = (
    http.client.IncompleteRead,
    http.client.RemoteDisconnected,
    ConnectionResetError,
    # Errors when writing to a connection that was reset, as TLS does when it closes.
    BrokenPipeError,
    ConnectionAbortedError,
    ssl.SSLEOFError,
)


def text(address: str) -> str:
    """Content of a small file, such as a list of checksums.

    :raises LabError: it could not be had
    """
    url = mirror.url(address)
    try:
        with _open(url) as answer:
            return answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise LabError(explain(url, error)) from None


def file(address: str, target: Path) -> None:
    """Leave the content in *target*, which may hold the beginning of it already.

    :raises LabError: it could not be had; what arrived stays in *target* for the next time
    """
    url = mirror.url(address)
    begin = target.stat().st_size if target.exists() else 0
    try:
        with _open(url, begin) as answer, target.open("ab") as stream:
            if answer.status != http.client.PARTIAL_CONTENT:
                # A server that knows no ranges sends everything again.
                begin = stream.seek(0)
                stream.truncate()
            shutil.copyfileobj(answer, stream)
            _demand_whole(answer, stream.tell() - begin)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and begin:
            # What was downloaded so far is longer than the file: it is the beginning of another file.
            target.unlink()
            file(address, target)
            return
        raise LabError(explain(url, error)) from None
    except (OSError, http.client.HTTPException) as error:
        raise LabError(explain(url, error)) from None


def explain(url: str, error: Exception) -> str:
    """One sentence about what went wrong at *url*, and what helps."""
    host = urlsplit(url).netloc
    mirrored = mirror.configured() is not None
    cause: object = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(error, urllib.error.HTTPError):
        if error.code in {401, 403}:
            advice = "the lab has no login: let the mirror be read without one" if mirrored else "see what it allows"
            return f"{url} may not be read (HTTP {error.code}): {advice}"
        if mirrored and error.code == 404:
            return f"{url} is not there (HTTP 404): make lab-mirror lists what a mirror must hold"
        return f"{url} could not be fetched (HTTP {error.code}): {_advice(mirrored)}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        words = cause.verify_message or str(cause)
        advice = "name its authority's file in LAB_MIRROR_CA" if mirrored else "add its authority to this machine's"
        return f"the certificate of {host} is not trusted ({words.rstrip('.')}): {advice}"
    if isinstance(cause, _BROKEN):
        return f"{url} broke off before its end: run the same command again, it goes on there"
    if isinstance(cause, TimeoutError):
        cause = f"no answer within {SECONDS} s"
    return f"{url} could not be fetched ({cause}): {_advice(mirrored)}"


def _advice(mirrored: bool) -> str:
    return "check LAB_MIRROR and the network" if mirrored else "check the network, or use LAB_SOURCE=packages"


def _open(url: str, begin: int = 0) -> http.client.HTTPResponse:
    headers = {"Range": f"bytes={begin}-"} if begin else {}
    question = urllib.request.Request(url, headers=headers)  # noqa: S310 - https, as the releases and mirrors are
    answer: http.client.HTTPResponse = urllib.request.urlopen(question, timeout=SECONDS, context=mirror.tls())  # noqa: S310
    return answer


def _demand_whole(answer: http.client.HTTPResponse, got: int) -> None:
    """Read in parts, an answer that is shorter than announced ends like any other.

    :raises http.client.IncompleteRead: it is shorter
    """
    announced = answer.headers.get("Content-Length")
    if announced is not None and got < int(announced):
        raise http.client.IncompleteRead(b"", int(announced) - got)
