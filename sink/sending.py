"""Sees the updates of a call through: attempts, probes, retries, taking apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from sink.attempts import Call, DeliverySettings, History, Stage
from sink.client import Answer, Credentials, PartialError, Verdict
from sink.coalescer import Coalescer, PendingUpdate
from sink.gate import Gate
from sink.limiter import Limiter
from sink.masking import mask_message
from sink.preparing import in_time, wire_forms
from sink.refusing import GAVE_UP, POISON, REFUSED_ALONE, refuse, report_partial_errors
from sink.settlement import Observer, Settlement
from sink.splitting import halves, live_parts, regroup
from sink.unchanged import LastAccepted

SPLIT_AFTER_500S = 5
FOREVER_S = float("inf")


class Sender:
    """Sees calls through. `on_release` is told when a profile may have another update sent; `start` runs a call that
    parted from another."""

    def __init__(
        self,
        gate: Gate,
        coalescer: Coalescer,
        limiter: Limiter,
        post: Callable[[bytes], Awaitable[Answer]],
        settlement: Settlement,
        observer: Observer,
        settings: DeliverySettings,
        last_accepted: LastAccepted,
        reload_credentials: Callable[[], Credentials | None],
        on_release: Callable[[], None],
        start: Callable[[Call, Coroutine[Any, Any, None]], None],
    ) -> None:
        self._gate = gate
        self._coalescer = coalescer
        self._limiter = limiter
        self._post = post
        self._settlement = settlement
        self._observer = observer
        self._settings = settings
        self._last_accepted = last_accepted
        self._reload_credentials = reload_credentials
        self._on_release = on_release
        self._start = start
        self._places = asyncio.Semaphore(settings.max_in_flight)
        self._last_success = 0.0
        self.place_waited_s = 0.0
        """Seconds for which calls have waited because as many as may be were in flight, in sum."""

    async def deliver(
        self,
        call: Call,
        updates: list[PendingUpdate],
        history: History,
        *,
        tokens: int = 0,
        held: bool = True,
    ) -> None:
        """See `updates` through. `tokens` were paid for them already. `held`: the coalescer knows them as out."""
        while updates and not self._gate.stopping:
            call.updates = updates
            probes = False
            if self._gate.blocked:
                self._limiter.give_back(tokens)
                tokens = 0
                updates, probes = await self._until_unblocked(call, updates, history, held)
            updates = self._still_ours(call, updates, held)
            if probes:
                updates = await self._probe(call, updates, history, held)
                continue
            if not updates or self._gate.stopping:
                break
            call.stage = Stage.TOKENS
            tokens = tokens or await self._limiter.spend(len(updates))
            posted, left, answer = await self._attempt(call, updates, tokens, history, held)
            tokens = 0
            if answer is not None:
                again = await self._conclude(call, posted, answer, history, held)
                if again and left:
                    self._part(call, again, history, held)
                    again = []
                history = History() if left else history
                left = again + left
            updates = left
        self._limiter.give_back(tokens)

    async def _until_unblocked(
        self, call: Call, updates: list[PendingUpdate], history: History, held: bool
    ) -> tuple[list[PendingUpdate], bool]:
        """Until Batch takes calls again, or it is this call's turn to probe (then True); what is left to be sent."""
        call.stage = Stage.BATCH
        try:
            while updates and not self._gate.stopping and self._gate.blocked:
                wait_s = None
                opening = self._gate.breaker.opening
                if opening is not None and not self._gate.held:
                    history.failing_since = None if opening.refused else history.failing_since or now()
                    if self._give_up_in_s(history) <= 0:
                        return self._give_up(updates, history, held), False
                    self._gate.breaker.wait(call, updates[0].arrived if opening.refused else history.attempts)
                    wait_s = self._gate.breaker.seconds_until_turn(call)
                    if wait_s == 0:
                        self._gate.breaker.begin_probe()
                        return updates, True
                await self._rest(wait_s, history)
                updates = self._still_ours(call, updates, held)
            return updates, False
        finally:
            self._gate.breaker.leave(call)
            self._gate.stir()

    async def _probe(
        self, call: Call, updates: list[PendingUpdate], history: History, held: bool
    ) -> list[PendingUpdate]:
        """Send one update to learn whether Batch takes calls again; what has to be sent after that. An update that
        failed goes to the end: it may be the one that Batch fails on."""
        try:
            if self._gate.breaker.opening is not None and self._gate.breaker.opening.refused:
                self._reload_credentials()
            call.stage = Stage.TOKENS
            tokens = await self._limiter.spend(1)
            posted, left, answer = await self._attempt(call, updates, tokens, history, held, probe=True)
        finally:
            self._gate.breaker.end_probe()
            self._gate.stir()
        if answer is None:
            return left
        if answer.verdict is Verdict.HALT:
            return posted + left
        if answer.verdict is Verdict.RETRY and left:
            self._failed(posted, answer, history, self._gate.breaker.seconds_until_probe)
            return left + posted
        return await self._conclude(call, posted, answer, history, held) + left

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
        call.stage = Stage.PLACE
        started = now()
        async with self._places:
            self.place_waited_s += now() - started
            ours = self._still_ours(call, updates, held)
            if self._gate.stopping or self._gate.held or (self._gate.blocked and not probe):
                self._limiter.give_back(tokens)
                return [], ours, None
            sendable, ended = in_time(
                ours[:tokens],
                time.time() * 1000,
                self._settings.late_events,
                self._settlement,
                self._observer,
            )
            sendable, unchanged = self._last_accepted.before_call(sendable, self._settlement)
            self._release(ended + unchanged, held)
            items = wire_forms(sendable)
            posted, unsent = sendable[: len(items)], sendable[len(items) :]
            self._limiter.give_back(tokens - len(posted))
            answer = await self._request(call, posted, items, history, probe) if posted else None
        return posted, unsent + ours[tokens:], answer

    async def _request(
        self, call: Call, updates: list[PendingUpdate], items: list[bytes], history: History, probe: bool
    ) -> Answer:
        history.attempts += 1
        call.posted, call.stage = updates, Stage.ANSWER
        started = time.perf_counter()
        try:
            answer = await self._post(b"[" + b",".join(items) + b"]")
        finally:
            call.posted = ()
            self._limiter.answered(len(updates))
            self._gate.stir()
        self._observer.call_answered(answer.status, time.perf_counter() - started)
        if answer.ambiguous:
            self._observer.answer_ambiguous()
            self._last_accepted.doubt(updates)
        if answer.verdict is Verdict.ACCEPTED:
            self._last_success = now()
        if self._gate.breaker.answered(answer, _shown(answer, updates), probe=probe):
            self._observer.breaker_turned(self._gate.breaker.opening)
            self._gate.stir()
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
            return updates
        return await self._retry(call, updates, answer, history, held)

    def _accept(
        self, updates: list[PendingUpdate], errors: tuple[PartialError, ...], history: History, held: bool
    ) -> None:
        if errors:
            report_partial_errors(updates, errors, history.attempts, self._settlement, self._observer)
        self._last_accepted.accepted(updates, errors, self._settlement)
        self._settlement.accepted(updates)
        self._release(updates, held)

    async def _split(
        self, call: Call, updates: list[PendingUpdate], answer: Answer, history: History, held: bool
    ) -> None:
        """Batch refuses the call as it is: halve it until the bad update, then the bad record, is alone. The halves are
        of different profiles: one does not wait for the other."""
        if len(updates) > 1:
            middle = len(updates) // 2
            self._part(call, updates[middle:], history.of_a_part(), held)
            await self.deliver(call, updates[:middle], history.of_a_part(), held=held)
            return
        update = updates[0]
        if len(update.records) > 1:
            for records in halves(update.records):
                for part in regroup(update, records, self._settlement.rebuild):
                    await self.deliver(call, [part], history.of_a_part(), held=False)
        else:
            refuse(update, REFUSED_ALONE, answer, history.attempts, self._settlement)
        if not self._gate.stopping:
            self._release(updates, held)

    def _part(self, call: Call, updates: list[PendingUpdate], history: History, held: bool) -> None:
        """Go on with these in a call of their own."""
        parted = Call(updates, revocations=call.revocations)
        self._start(parted, self.deliver(parted, updates, history, held=held))

    async def _retry(
        self, call: Call, updates: list[PendingUpdate], answer: Answer, history: History, held: bool
    ) -> list[PendingUpdate]:
        breaker = self._gate.breaker
        is_open = breaker.opening is not None
        wait_s = breaker.seconds_until_probe if is_open else history.next_wait_s(answer.retry_after_s)
        self._failed(updates, answer, history, wait_s)
        call.suspect = answer.status == "500" and len(updates) == 1
        if answer.status == "500":
            history.count_500 += 1
            history.first_500 = history.first_500 or now()
            if self._last_success > history.first_500:
                if len(updates) > 1 or len(updates[0].records) > 1:
                    if history.count_500 >= SPLIT_AFTER_500S:
                        await self._split(call, updates, answer, history, held)
                        return []
                elif now() - history.first_500 >= self._settings.poison_after_s:
                    refuse(updates[0], POISON, answer, history.attempts, self._settlement)
                    self._release(updates, held)
                    return []
        if self._give_up_in_s(history) <= 0:
            return self._give_up(updates, history, held)
        return await self._pause(call, updates, wait_s, held)

    def _failed(self, updates: list[PendingUpdate], answer: Answer, history: History, wait_s: float) -> None:
        """Count and tell a call that Batch did not take."""
        if answer.status == "429":
            self._limiter.refused()
        history.last = answer
        history.failing_since = history.failing_since or now()
        self._observer.call_retried(answer.status, _shown(answer, updates), wait_s, history.attempts)

    def _give_up_in_s(self, history: History) -> float:
        after_s = self._settings.give_up_after_s
        if after_s is None or history.failing_since is None:
            return FOREVER_S
        return history.failing_since + after_s - now()

    def _give_up(self, updates: list[PendingUpdate], history: History, held: bool) -> list[PendingUpdate]:
        """Their records become dead letters; nothing is left to be sent."""
        opening = self._gate.breaker.opening
        answer = history.last or Answer(Verdict.RETRY, opening.status if opening else "")
        for update in updates:
            refuse(update, GAVE_UP, answer, history.attempts, self._settlement)
        self._release(updates, held)
        return []

    async def _pause(
        self, call: Call, updates: list[PendingUpdate], seconds: float, held: bool
    ) -> list[PendingUpdate]:
        """Rest so long, and let go meanwhile what is not ours any more; what is left. When Batch is found to take
        nothing, how long to wait is the breaker's affair."""
        call.stage = Stage.RETRY
        until = now() + seconds
        while (
            updates
            and not self._gate.stopping
            and not self._gate.blocked
            and (remaining := until - now()) > 0
        ):
            await self._gate.change(remaining)
            updates = self._still_ours(call, updates, held)
        return updates

    async def _rest(self, seconds: float | None, history: History) -> None:
        """Until something changes, the turn to probe comes, or it is time to give up."""
        give_up_s = self._give_up_in_s(history)
        bounds = [bound for bound in (seconds, give_up_s) if bound is not None and bound < FOREVER_S]
        await self._gate.change(min(bounds, default=None))

    def _release(self, updates: Sequence[PendingUpdate], held: bool) -> None:
        if held and updates:
            self._coalescer.settle(updates)
            self._on_release()

    def _still_ours(self, call: Call, updates: list[PendingUpdate], held: bool) -> list[PendingUpdate]:
        """Without what stands for revoked partitions only; an update that stands for others too is rebuilt."""
        if call.revocations == self._gate.revocations:
            return updates
        ours, gone = live_parts(updates, self._settlement)
        self._release(gone, held)
        return ours


def now() -> float:
    """The loop's clock, seconds."""
    return asyncio.get_running_loop().time()


def _shown(answer: Answer, updates: Sequence[PendingUpdate]) -> str:
    """The answer's message as people may see it: what the network says holds nothing of what was sent."""
    return mask_message(answer.message, updates) if answer.status.isdigit() else answer.message
