"""Sends what waits, and sees every update through to its end.

An update ends as accepted, or its records end as dead letters, or their partitions are taken from us. What may be
repeated is repeated, what is refused is taken apart until the bad record is alone, and when Batch refuses us as a whole
nothing is lost but time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from sink.attempts import Call, DeliverySettings, History
from sink.client import MAX_BYTES, Answer, Credentials, PartialError, Verdict
from sink.coalescer import Coalescer, PendingUpdate, Record
from sink.encoding import encode_update
from sink.halt import Halt, Trouble
from sink.lateness import is_timely, leave_out_untimely
from sink.limiter import Limiter
from sink.masking import mask_message
from sink.refusing import POISON, REFUSED_ALONE, refuse, report_partial_errors
from sink.settlement import Observer, Settlement
from sink.splitting import halves, regroup, restrict

FIRST_PROBE_S = 1.0
LONGEST_PROBE_S = 30.0
SPLIT_AFTER_500S = 5


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
    ) -> None:
        self._coalescer = coalescer
        self._limiter = limiter
        self._post = post
        self._settlement = settlement
        self._observer = observer
        self._settings = settings
        self._reload_credentials = reload_credentials
        self._calls: dict[asyncio.Task[None], Call] = {}
        self._posting = asyncio.Semaphore(settings.max_in_flight)
        self._more = asyncio.Event()
        self._ended = asyncio.Event()
        self._stirred = asyncio.Event()
        self._lifted = asyncio.Event()
        self._lifted.set()
        self._stopping = False
        self._revocations = 0
        self._healthy = True
        self._last_success = 0.0
        self._failure: BaseException | None = None
        self.halt: Halt | None = None
        """Set while Batch refuses us as a whole."""
        self.trouble: Trouble | None = None
        """Set while calls fail and none has been accepted since."""

    def wake(self) -> None:
        """Something was added to the coalescer."""
        self._more.set()

    async def run(self) -> None:
        """Send until `stop`. Raises what a call raised that it should not have."""
        while not self._stopping:
            await self._until_due()
            await self._until_call_allowed()
            if self._stopping:
                break
            tokens = await self._limiter.spend(min(self._coalescer.ready, self._settings.max_updates) or 1)
            updates = [] if self._stopping else self._coalescer.take(tokens)
            self._limiter.give_back(tokens - len(updates))
            if updates:
                call = Call(revocations=self._revocations)
                task = asyncio.create_task(self._deliver(call, updates, History(), tokens=len(updates)))
                self._calls[task] = call
                task.add_done_callback(self._call_ended)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Start no new call. Requests in flight go on; calls that wait to be tried again end."""
        self._stopping = True
        self._stir()
        self._more.set()
        self._lifted.set()

    async def finish(self) -> None:
        """After `stop`: wait for the requests in flight, then end the calls that wait for something else."""
        await self.quiesce(lambda record: True)
        for task in list(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def revoked(self) -> None:
        """Partitions were taken from us: calls look anew at what they may send before they send it."""
        self._revocations += 1
        self._stir()

    async def quiesce(self, concerns: Callable[[Record], bool]) -> None:
        """Wait until no request in flight carries a record that this concerns."""
        self.revoked()
        while any(
            concerns(record) for call in self._calls.values() for u in call.posted for record in u.records
        ):
            self._ended.clear()
            await self._ended.wait()

    def _stir(self) -> None:
        self._stirred.set()
        self._stirred = asyncio.Event()

    def _call_ended(self, task: asyncio.Task[None]) -> None:
        del self._calls[task]
        self._ended.set()
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failure is None:
            self._failure = error
            self.stop()

    async def _until_due(self) -> None:
        """Until a full call waits, or the oldest profile has waited long enough."""
        loop = asyncio.get_running_loop()
        while not self._stopping:
            self._more.clear()
            oldest = self._coalescer.oldest_ready
            delay = None if oldest is None else oldest + self._settings.linger_s - loop.time()
            if self._coalescer.ready >= self._settings.max_updates or (delay is not None and delay <= 0):
                return
            await _wait(self._more, delay)

    async def _until_call_allowed(self) -> None:
        """Until fewer requests are out than may be. While Batch is in trouble, calls that wait to be tried
        again count as well, so that an outage does not pile them up."""
        while not self._stopping:
            busy = sum(1 for call in self._calls.values() if not (call.resting and self._healthy))
            if busy < self._settings.max_in_flight and self.halt is None:
                return
            self._ended.clear()
            await self._ended.wait()

    async def _deliver(
        self,
        call: Call,
        updates: list[PendingUpdate],
        history: History,
        *,
        tokens: int = 0,
        held: bool = True,
    ) -> None:
        """See `updates` through. `tokens` were paid for them already. `held`: the coalescer knows them as out."""
        while updates and not self._stopping:
            if self.halt is not None:
                await self._rest(call, self._lifted, None)
            updates = self._still_ours(call, updates, held)
            if not updates or self._stopping:
                break
            tokens = tokens or await self._limiter.spend(len(updates))
            posted, left, answer = await self._attempt(call, updates, tokens, history, held)
            tokens = 0
            if answer is not None:
                again = await self._conclude(call, posted, answer, history, held)
                if again and left:
                    await self._deliver(call, again, history, held=held)
                    again = []
                history = History() if left else history
                left = again + left
            updates = left
        self._limiter.give_back(tokens)

    def _prepare(
        self, updates: list[PendingUpdate], held: bool
    ) -> tuple[list[PendingUpdate], list[bytes], list[PendingUpdate]]:
        """What can be posted in one call, in its wire form, and what does not fit in the call."""
        updates = self._timely(updates, held)
        items: list[bytes] = []
        size = 1
        for update in updates:
            item = encode_update(update)
            size += len(item) + 1
            if items and size > MAX_BYTES:
                break
            items.append(item)
        return updates[: len(items)], items, updates[len(items) :]

    async def _attempt(
        self,
        call: Call,
        updates: list[PendingUpdate],
        tokens: int,
        history: History,
        held: bool,
        *,
        probe: bool = False,
    ) -> tuple[list[PendingUpdate], list[PendingUpdate], Answer | None]:
        """Post as many as there are tokens for: what was posted, what was left, and the answer to what was posted.
        What may be sent is judged when its turn to be posted has come, since it may have waited for that."""
        async with self._posting:
            ours = self._still_ours(call, updates, held)
            if self._stopping or (self.halt is not None and not probe):
                self._limiter.give_back(tokens)
                return [], ours, None
            now, items, unsent = self._prepare(ours[:tokens], held)
            self._limiter.give_back(tokens - len(now))
            left = unsent + ours[tokens:]
            answer = await self._request(call, now, items, history) if now else None
        return now, left, answer

    async def _request(
        self, call: Call, updates: list[PendingUpdate], items: list[bytes], history: History
    ) -> Answer:
        history.attempts += 1
        call.posted = updates
        started = time.perf_counter()
        try:
            answer = await self._post(b"[" + b",".join(items) + b"]")
        finally:
            call.posted = ()
            self._limiter.answered(len(updates))
            self._ended.set()
        self._observer.call_answered(answer.status, time.perf_counter() - started)
        if answer.ambiguous:
            self._observer.answer_ambiguous()
        self._healthy = answer.verdict is not Verdict.RETRY
        if not self._healthy:
            self.trouble = Trouble(answer.status, self.trouble.since if self.trouble else time.time())
        if answer.verdict is Verdict.ACCEPTED:
            self.trouble = None
            self._last_success = asyncio.get_running_loop().time()
        return answer

    async def _conclude(
        self, call: Call, updates: list[PendingUpdate], answer: Answer, history: History, held: bool
    ) -> list[PendingUpdate]:
        """Do what the answer asks for; the updates that have to be sent again."""
        if answer.verdict is Verdict.ACCEPTED:
            self._accept(updates, answer.errors, history, held)
            return []
        if answer.verdict is Verdict.SPLIT:
            await self._split(call, updates, answer, history, held)
            return []
        if answer.verdict is Verdict.HALT:
            return await self._wait_out_halt(call, updates, answer, history, held)
        return await self._retry(call, updates, answer, history, held)

    def _accept(
        self, updates: list[PendingUpdate], errors: tuple[PartialError, ...], history: History, held: bool
    ) -> None:
        if errors:
            report_partial_errors(updates, errors, history.attempts, self._settlement, self._observer)
        self._settlement.accepted(updates)
        self._release(updates, held)

    async def _split(
        self, call: Call, updates: list[PendingUpdate], answer: Answer, history: History, held: bool
    ) -> None:
        """Batch refuses the call as it is: halve it until the bad update, then the bad record, is alone."""
        if len(updates) > 1:
            middle = len(updates) // 2
            for half in (updates[:middle], updates[middle:]):
                await self._deliver(call, half, History(attempts=history.attempts), held=held)
            return
        update = updates[0]
        if len(update.records) > 1:
            for records in halves(update.records):
                for part in regroup(update, records, self._settlement.rebuild):
                    await self._deliver(call, [part], History(attempts=history.attempts), held=False)
        else:
            refuse(update, REFUSED_ALONE, answer, history.attempts, self._settlement)
        if not self._stopping:
            self._release(updates, held)

    async def _retry(
        self, call: Call, updates: list[PendingUpdate], answer: Answer, history: History, held: bool
    ) -> list[PendingUpdate]:
        now = asyncio.get_running_loop().time()
        if answer.status == "429":
            self._limiter.refused()
        if answer.status == "500":
            history.count_500 += 1
            history.first_500 = history.first_500 or now
            if self._last_success > history.first_500:
                if len(updates) > 1 or len(updates[0].records) > 1:
                    if history.count_500 >= SPLIT_AFTER_500S:
                        await self._split(call, updates, answer, history, held)
                        return []
                elif now - history.first_500 >= self._settings.poison_after_s:
                    refuse(updates[0], POISON, answer, history.attempts, self._settlement)
                    self._release(updates, held)
                    return []
        wait_s = history.next_wait_s(answer.retry_after_s)
        message = mask_message(answer.message, updates) if answer.status.isdigit() else answer.message
        self._observer.call_retried(answer.status, message, wait_s, history.attempts)
        return await self._pause(call, updates, wait_s, held)

    async def _wait_out_halt(
        self, call: Call, updates: list[PendingUpdate], answer: Answer, history: History, held: bool
    ) -> list[PendingUpdate]:
        """Nothing is dead-lettered: the first call to be refused probes with its oldest update, the others wait."""
        if self.halt is not None:
            return updates
        self.halt = Halt(answer.status, mask_message(answer.message, updates))
        self._lifted.clear()
        self._observer.halted(self.halt.status, self.halt.message, self.halt.remedy)
        delay = FIRST_PROBE_S
        while updates := await self._pause(call, updates, delay, held):
            if self._stopping:
                break
            delay = min(LONGEST_PROBE_S, delay * 2)
            self._reload_credentials()
            tokens = await self._limiter.spend(1)
            posted, left, latest = await self._attempt(call, updates[:1], tokens, history, held, probe=True)
            updates = posted + left + updates[1:]
            if latest is not None and latest.verdict is not Verdict.HALT:
                self._lift_halt()
                return await self._conclude(call, posted, latest, history, held) + updates[1:]
        self._lift_halt()
        return updates

    async def _pause(
        self, call: Call, updates: list[PendingUpdate], seconds: float, held: bool
    ) -> list[PendingUpdate]:
        """Rest so long, and let go meanwhile what is not ours any more; what is left."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while updates and not self._stopping and (remaining := until - loop.time()) > 0:
            await self._rest(call, self._stirred, remaining)
            updates = self._still_ours(call, updates, held)
        return updates

    async def _rest(self, call: Call, until: asyncio.Event, seconds: float | None) -> None:
        call.resting = True
        try:
            await _wait(until, seconds)
        finally:
            call.resting = False

    def _lift_halt(self) -> None:
        self.halt = None
        self._lifted.set()
        self._ended.set()
        if not self._stopping:
            self._observer.resumed()

    def _release(self, updates: Sequence[PendingUpdate], held: bool) -> None:
        if held:
            self._coalescer.settle(updates)
            self._more.set()

    def _still_ours(self, call: Call, updates: list[PendingUpdate], held: bool) -> list[PendingUpdate]:
        """Without what stands for revoked partitions only; an update that stands for others too is rebuilt."""
        if call.revocations == self._revocations:
            return updates
        is_live = self._settlement.is_live
        ours: list[PendingUpdate] = []
        for update in updates:
            live = [record for record in update.records if is_live(record)]
            if len(live) == len(update.records):
                ours.append(update)
                continue
            if live:
                restrict(update, live, self._settlement.rebuild)
                ours.append(update)
            else:
                self._release([update], held)
        return ours

    def _timely(self, updates: list[PendingUpdate], held: bool) -> list[PendingUpdate]:
        """Take out events that Batch would refuse for their time; updates left with nothing end here."""
        now_ms = time.time() * 1000
        sendable: list[PendingUpdate] = []
        for update in updates:
            if update.events and not is_timely(update, now_ms):
                leave_out_untimely(
                    update, now_ms, self._settings.late_events, self._settlement, self._observer
                )
            if update.attributes or update.events:
                sendable.append(update)
                continue
            for record in update.records:
                self._settlement.skipped(record, "event_too_old")
            self._release([update], held)
        return sendable


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
