"""Sends what waits, and sees every update through to its end.

An update ends as accepted, or its records end as dead letters, or their partitions are taken from us. What may be
repeated is repeated, what is refused is taken apart until the bad record is alone, and when Batch refuses us as a whole
nothing is lost but time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from sink.attempts import Call, DeliverySettings, History
from sink.breaker import Breaker, Opening
from sink.client import Answer, Credentials
from sink.coalescer import Coalescer, Record
from sink.gate import Gate, wait_for
from sink.limiter import Limiter
from sink.sending import Sender, now
from sink.settlement import Observer, Settlement
from sink.unchanged import LastAccepted

LOOK_AGAIN_S = 0.05


class Delivery:
    """The sender of one worker. `run` until `stop`; `wake` after adding to the coalescer."""

    def __init__(
        self,
        coalescer: Coalescer,
        limiter: Limiter,
        post: Callable[[bytes], Awaitable[Answer]],
        settlement: Settlement,
        observer: Observer,
        settings: DeliverySettings,
        reload_credentials: Callable[[], Credentials | None] = lambda: None,
        last_accepted: LastAccepted | None = None,
        reading_first: Callable[[], bool] = lambda: False,
    ) -> None:
        self._coalescer = coalescer
        self._limiter = limiter
        self._settings = settings
        self._reading_first = reading_first
        self._more = asyncio.Event()
        self._breaker = Breaker(settings.breaker_failures, now, lambda: time.time())
        self._gate = Gate(self._breaker)
        self._sender = Sender(
            self._gate,
            coalescer,
            limiter,
            post,
            settlement,
            observer,
            settings,
            LastAccepted() if last_accepted is None else last_accepted,
            reload_credentials,
            on_release=self._more.set,
            start=self._start,
        )
        self._calls: dict[asyncio.Task[None], Call] = {}
        self._failure: BaseException | None = None
        self._place_waited_s = 0.0

    @property
    def opening(self) -> Opening | None:
        """Set while Batch takes nothing, so that only probes are sent."""
        return self._breaker.opening

    @property
    def held(self) -> bool:
        """Whether nothing is posted, by `hold`."""
        return self._gate.held

    @property
    def reading_first(self) -> bool:
        """Whether no call begins because more is read first, which may merge with what waits."""
        return self._reading_first()

    @property
    def calls(self) -> Iterable[Call]:
        """The calls under way."""
        return self._calls.values()

    @property
    def place_waited_s(self) -> float:
        """Seconds for which calls have waited because as many as may be were under way, in sum."""
        return self._place_waited_s + self._sender.place_waited_s

    def wake(self) -> None:
        """Something was added to the coalescer."""
        self._more.set()

    async def run(self) -> None:
        """Send until `stop`. Raises what a call raised that it should not have."""
        while not self._gate.stopping:
            await self._until_due()
            await self._until_call_allowed()
            if self._gate.stopping:
                break
            tokens = await self._limiter.spend(min(self._coalescer.ready, self._settings.max_updates) or 1)
            updates = self._coalescer.take(tokens) if self._call_allowed() else []
            self._limiter.give_back(tokens - len(updates))
            if updates:
                call = Call(revocations=self._gate.revocations)
                self._start(call, self._sender.deliver(call, updates, History(), tokens=len(updates)))
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Start no new call. Requests in flight go on; calls that wait to be tried again end."""
        self._gate.stopping = True
        self._gate.stir()
        self._more.set()

    def hold(self) -> None:
        """Post nothing until `go_on`, not even probes. Requests in flight go on."""
        self._gate.held = True
        self._gate.stir()

    def go_on(self) -> None:
        """The end of `hold`."""
        self._gate.held = False
        self._gate.stir()

    async def finish(self) -> None:
        """After `stop`: wait for the requests in flight, then end the calls that wait for something else."""
        await self.quiesce(lambda record: True)
        for task in list(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def revoked(self) -> None:
        """Partitions were taken from us: calls look anew at what they may send before they send it."""
        self._gate.revocations += 1
        self._gate.stir()

    async def quiesce(self, concerns: Callable[[Record], bool]) -> None:
        """Wait until no request in flight carries a record that this concerns."""
        self.revoked()
        while any(
            concerns(record) for call in self._calls.values() for u in call.posted for record in u.records
        ):
            await self._gate.change()

    def _start(self, call: Call, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._calls[task] = call
        task.add_done_callback(self._call_ended)

    def _call_ended(self, task: asyncio.Task[None]) -> None:
        del self._calls[task]
        self._gate.stir()
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failure is None:
            self._failure = error
            self.stop()

    async def _until_due(self) -> None:
        """Until a full call waits, or the oldest profile has waited long enough, or nothing else is to be sent."""
        while not self._gate.stopping:
            self._more.clear()
            if self._reading_first():
                await wait_for(self._more, LOOK_AGAIN_S)
                continue
            oldest = self._coalescer.oldest_ready
            delay = None if oldest is None else oldest + self._settings.linger_s - now()
            if oldest is not None and self._is_alone():
                return
            if self._coalescer.ready >= self._settings.max_updates or (delay is not None and delay <= 0):
                return
            await wait_for(self._more, delay)

    def _is_alone(self) -> bool:
        """Whether one profile waits and none is out: there is no call that it could share."""
        return self._coalescer.profiles == 1 and self._coalescer.out == 0

    async def _until_call_allowed(self) -> None:
        started = now()
        while not self._gate.stopping and not self._call_allowed():
            await self._gate.change()
        self._place_waited_s += now() - started

    def _call_allowed(self) -> bool:
        """Whether fewer calls are under way than may be. While calls fail, those that wait to be tried again count as
        well, so that an outage does not pile them up. While Batch takes nothing, a call may begin only if no other is
        there to probe with, but for updates that Batch may be failing on."""
        if self._gate.stopping or self._gate.held:
            return False
        if self._breaker.opening is not None:
            return all(call.suspect for call in self._calls.values())
        failing = self._breaker.failures > 0
        busy = sum(1 for call in self._calls.values() if failing or not call.resting)
        return busy < self._settings.max_in_flight
