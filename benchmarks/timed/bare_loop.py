"""The bare loop: asyncio and aiohttp, workers over one iterator, no framework.

It reads BASE_URL, CASES and CONC, as ``../shared/bench/peers/bare_aiohttp.py`` does.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiohttp

HEADERS = {"content-type": "application/json", "authorization": "Bearer x"}


async def ask_all(cases: list[dict[str, Any]], url: str, concurrency: int) -> int:
    """How many cases hold what they should."""
    passed = 0
    waiting = iter(cases)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def worker() -> None:
            nonlocal passed
            for case in waiting:
                body = json.dumps({"model": "mock", **case["input"]}).encode()
                async with session.post(url, data=body, headers=HEADERS) as reply:
                    answer = json.loads(await reply.read())
                passed += case["expect"]["value"] in answer["choices"][0]["message"]["content"]

        await asyncio.gather(*(worker() for _ in range(concurrency)))
    return passed


def main() -> None:
    """Ask every case of the file."""
    lines = Path(os.environ["CASES"]).read_bytes().splitlines()
    cases = [json.loads(line) for line in lines]
    url = os.environ["BASE_URL"] + "/chat/completions"
    print("passed", asyncio.run(ask_all(cases, url, int(os.environ["CONC"]))), "of", len(cases))


if __name__ == "__main__":
    main()
