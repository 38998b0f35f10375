"""Whether something listens at an address."""

from __future__ import annotations

import asyncio


async def answers(host: str, port: int, *, seconds: float = 2.0) -> bool:
    """Whether a TCP connection is accepted within the time."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
