"""The agent is reached by either family of addresses, for nobody knows which one the kubelet and the Service use."""

from __future__ import annotations

import errno
import socket

import pytest

from agent.__main__ import listen

IPV6 = socket.has_dualstack_ipv6()


@pytest.mark.parametrize("address", ["127.0.0.1", *(["::1"] if IPV6 else [])])
def test_both_families_are_answered(address: str) -> None:
    with listen(0) as listening, socket.create_connection((address, listening.getsockname()[1]), timeout=30):
        client, _place = listening.accept()
        client.close()


@pytest.mark.parametrize("without", ["the kernel knows no IPv6", "the pod has no address of it"])
def test_without_ipv6_it_listens_on_ipv4(monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    create = socket.create_server

    def refuse(address: tuple[str, int], **options: object) -> socket.socket:
        if options.get("family") == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return create(address)

    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: without != "the kernel knows no IPv6")
    monkeypatch.setattr(socket, "create_server", refuse)
    with listen(0) as listening:
        assert listening.family == socket.AF_INET


def test_a_port_that_is_taken_is_no_reason_for_the_other_family() -> None:
    with listen(0) as first, pytest.raises(OSError, match="in use"):
        listen(first.getsockname()[1])
