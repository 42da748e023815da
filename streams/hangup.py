"""SIGHUP: what may change while the worker runs is read again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

Reload = Callable[[], Awaitable[None]]


class Hangup:
    """Runs every reload when the process gets SIGHUP, one after the other; once more if it comes meanwhile."""

    def __init__(self, *reloads: Reload) -> None:
        self._reloads = reloads
        self._wanted = asyncio.Event()

    def listen(self) -> None:
        """From now on SIGHUP, which would end the process, is a wish to reload."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._wanted.set)

    async def run(self) -> None:
        """Fulfil the wishes until cancelled."""
        while await self._wanted.wait():
            self._wanted.clear()
            for reload in self._reloads:
                await reload()
