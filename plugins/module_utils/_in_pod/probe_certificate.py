"""How long a server's certificate is still good for. Part of probe.py."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import calendar
import ssl
import time
import typing as t

DAY_SECONDS = 86400
_UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x17, 0x18, 0xA0
# RFC 5280, 4.1.2.5.1: two digits from 50 on are a year of the last century.
_CENTURY = 50


def facts(secured: ssl.SSLSocket) -> dict[str, t.Any]:
    """The end of the certificate (`not_after`), the days until then and of its whole life, and whether it was verified.

    Of a certificate that nobody verified Python tells only the bytes, which are read here. One that cannot be read has
    no end.
    """
    told = t.cast("dict[str, str]", secured.getpeercert() or {})
    try:
        if told:
            begin, end = (float(ssl.cert_time_to_seconds(told[name])) for name in ("notBefore", "notAfter"))
        else:
            begin, end = validity(secured.getpeercert(binary_form=True) or b"")
    except (ValueError, IndexError, StopIteration, KeyError):
        return {"not_after": None}
    return {
        "not_after": told.get("notAfter") or time.strftime("%b %d %H:%M:%S %Y GMT", time.gmtime(end)),
        "days_left": round((end - time.time()) / DAY_SECONDS, 2),
        "lifetime_days": round((end - begin) / DAY_SECONDS, 2),
        "verified": bool(told),
    }


def validity(certificate: bytes) -> tuple[float, float]:
    """Begin and end, in seconds since 1970, of a certificate in DER. Source: RFC 5280, 4.1.

    :raises ValueError: it is no certificate, as do IndexError and StopIteration
    """
    whole = next(_values(certificate))[1]
    signed = next(_values(whole))[1]
    fields = [content for tag, content in _values(signed) if tag != _VERSION]
    # serial number, algorithm, issuer, validity
    begin, end = (_seconds(tag, content) for tag, content in _values(fields[3]))
    return begin, end


def _values(data: bytes) -> t.Iterator[tuple[int, bytes]]:
    """Tag and content of each value, one behind the other."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        yield tag, data[at : at + length]
        at += length


def _seconds(tag: int, content: bytes) -> float:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= _CENTURY else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time stands where the certificate's end should")
    return float(calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ")))


__all__ = ("facts", "validity")
