"""The fault `refuse`: nobody answers at the address, and nobody else can take it."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from relgate.faults.refuse import RefusedAddress


def test_every_connection_is_refused_at_once():
    with RefusedAddress() as address:
        place = urlsplit(address.url)
        assert (place.hostname, place.path) == ("127.0.0.1", "/v1")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((place.hostname, place.port), timeout=1)


def test_nobody_else_can_open_the_port_meanwhile():
    with RefusedAddress() as address, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", urlsplit(address.url).port))


def test_the_port_is_given_back():
    with RefusedAddress() as address:
        port = urlsplit(address.url).port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
