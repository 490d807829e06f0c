"""The end of a certificate that nobody verified is read from its bytes."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.ai_platform.agent.plugins.module_utils._in_pod.probe_certificate import validity
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(begin: datetime.datetime, end: datetime.datetime) -> bytes:
    """One of its own, with a name that is long enough for lengths of more than one byte."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x" * 64) for _ in range(5)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("years", [(1970, 2049), (2026, 2027), (2049, 2050), (2060, 2061)])
def test_begin_and_end(years: tuple[int, int]) -> None:
    """Years until 2049 stand there with two digits, later ones with four."""
    begin, end = (datetime.datetime(year, 2, 3, 4, 5, 6, tzinfo=datetime.UTC) for year in years)
    assert validity(certificate(begin, end)) == (begin.timestamp(), end.timestamp())


@pytest.mark.parametrize("content", [b"", b"0", b"0\x00", b"\x30\x03\x30\x01\x00"])
def test_what_is_no_certificate(content: bytes) -> None:
    with pytest.raises((ValueError, IndexError, StopIteration)):
        validity(content)
