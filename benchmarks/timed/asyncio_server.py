"""A mock provider for machines without a C compiler: ``python asyncio_server.py PORT [MEDIAN_MS] [SIGMA]``.

It speaks the part of ``../shared/bench/mock/mockllm.c`` that the benchmarks need: the answer to ``case-7`` is
``ans-7``, the delay is fixed or lognormal by the number of the case, ``/stats`` tells what was in flight and
``/reset`` forgets it. It is slower than the C server: figures without delay need that one.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import re
import sys
import time
from dataclasses import dataclass

_CASE = re.compile(rb"case-(\d+)")
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)


@dataclass
class Stats:
    """What the server saw since the last reset."""

    requests: int = 0
    conns: int = 0
    max_inflight: int = 0
    inflight: int = 0
    first: float = 0.0
    last: float = 0.0
    waited: float = 0.0

    def as_json(self) -> dict[str, float]:
        """The same names as the C server's; the mean in flight is the summed delay over the span."""
        span = self.last - self.first
        return {
            "requests": self.requests,
            "conns": self.conns,
            "max_inflight": self.max_inflight,
            "avg_inflight": round(self.waited / span, 2) if span > 0 else 0.0,
            "span_s": round(span, 4),
        }


class MockProvider:
    """Answers chat completions after a delay.

    Args:
        median_ms: the delay, or its median.
        sigma: of the lognormal delay; 0 is a fixed one.
    """

    def __init__(self, median_ms: float = 200.0, sigma: float = 0.0) -> None:
        self._median = median_ms / 1000.0
        self._sigma = sigma
        self.stats = Stats()

    async def serve(self, port: int = 0) -> asyncio.Server:
        """Listen on loopback."""
        return await asyncio.start_server(self._connection, "127.0.0.1", port, backlog=4096)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stats.conns += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length.group(1))) if length else b""
                writer.write(await self._answer(head, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET /stats"):
            return _reply(self.stats.as_json())
        if head.startswith(b"GET /reset"):
            self.stats = Stats()
            return _reply({})
        stats, started = self.stats, time.monotonic()
        stats.first = stats.first or started
        stats.requests += 1
        stats.inflight += 1
        stats.max_inflight = max(stats.max_inflight, stats.inflight)
        numbers = _CASE.findall(body)
        number = int(numbers[-1]) if numbers else 0
        await asyncio.sleep(self._delay(number))
        stats.inflight -= 1
        stats.last = time.monotonic()
        stats.waited += stats.last - started
        message = {"role": "assistant", "content": f"ans-{number}", "refusal": None}
        return _reply(
            {
                "id": f"chatcmpl-{number}",
                "object": "chat.completion",
                "created": 1_700_000_000,
                "model": "mock",
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24},
            }
        )

    def _delay(self, number: int) -> float:
        if self._sigma <= 0:
            return self._median
        return self._median * math.exp(self._sigma * random.Random(number).gauss(0.0, 1.0))


def _reply(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


async def _main(port: int, *delay: float) -> None:
    server = await MockProvider(*delay).serve(port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), *map(float, sys.argv[2:])))
