"""What all calls of one delivery watch: whether they may be posted, and that something has changed."""

from __future__ import annotations

import asyncio

from sink.breaker import Breaker


class Gate:
    """On the event loop only."""

    def __init__(self, breaker: Breaker) -> None:
        self.breaker = breaker
        self.stopping = False
        """No call is posted any more."""
        self.held = False
        """No call is posted until this is taken back, probes included."""
        self.revocations = 0
        """How often partitions were taken from us."""
        self._changed = asyncio.Event()

    @property
    def blocked(self) -> bool:
        """Whether calls have to wait here, but for probes."""
        return self.held or self.breaker.opening is not None

    def stir(self) -> None:
        """Something changed: whoever waits looks anew."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self, seconds: float | None = None) -> None:
        """Wait until something changes, at most so long."""
        await wait_for(self._changed, seconds)


async def wait_for(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, at most so long."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
