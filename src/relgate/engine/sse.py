"""Server-sent events, read as they arrive (WHATWG HTML, "Interpreting an event stream")."""

from __future__ import annotations


class EventStream:
    """Cuts chunks of bytes into the data of events.

    Lines end with LF, CR or CRLF; the ``data:`` lines of one event are joined with LF, everything else is
    left out. An event that the stream breaks off in is dropped, as the standard says.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of every event that ends in this chunk."""
        text = self._rest + chunk
        held = b"\r" if text.endswith(b"\r") else b""  # the LF of a CRLF may come with the next chunk
        lines = text.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        found = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif line == b"data":
                self._data.append(b"")
            elif not line and self._data:
                found.append(b"\n".join(self._data))
                self._data = []
        return found
