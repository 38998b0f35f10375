"""The fault ``refuse``: an address on loopback where every connection is refused."""

from __future__ import annotations

import socket
from types import TracebackType


class RefusedAddress:
    """A loopback port that is taken but never listened on, so that nobody else can open it meanwhile."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        """Base URL whose every request is refused."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def __enter__(self) -> RefusedAddress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
