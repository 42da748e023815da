"""Posts to Batch with aiohttp, tried again until they are accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import orjson
from settings import HEADERS, IN_FLIGHT, RETRY_S, URL


class Poster:
    """A session with at most IN_FLIGHT posts at once. Made inside the event loop."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(headers=HEADERS)
        self._free = asyncio.Semaphore(IN_FLIGHT)

    async def post(self, updates: Sequence[dict[str, Any]]) -> None:
        """Return when Batch has accepted the call."""
        body = orjson.dumps(updates)
        async with self._free:
            while True:
                async with self._session.post(URL, data=body) as answer:
                    if answer.status == 202:
                        return
                    if answer.status != 429 and answer.status < 500:
                        answer.raise_for_status()
                    wait_s = float(answer.headers.get("Retry-After", RETRY_S))
                await asyncio.sleep(wait_s)

    async def close(self) -> None:
        await self._session.close()
