"""The part of a backfill that talks to Batch, and to the live topics meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from sink.attempts import DeliverySettings
from sink.client import MASS_MAX_UPDATES, BatchClient, Credentials
from sink.coalescer import Coalescer
from sink.delivery import Delivery
from sink.limiter import Limiter
from streams.backfill.calls import RecordedCalls
from streams.backfill.kafka_range import reading_consumer
from streams.backfill.letters import LetterFile
from streams.backfill.live import LiveStream
from streams.backfill.mending import Mending, close_settled
from streams.backfill.repairs import Repairs
from streams.backfill.sending import MASS_BURST, MASS_RATE_PER_S, Sending
from streams.backfill.stretches import Stretches
from streams.backfill.work import Work
from streams.dead_letters import DeadLetterWriter
from streams.settings import ConfigurationError, client_settings, dead_letter_topic

LOOK_EVERY_S = 0.2


class Shipping:
    """Sends what is left, waits until it has been applied, and repairs."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._plan = work.plan
        self._settings = work.loaded.settings
        self._stopping = work.stopping
        self._shown = work.shown
        self._stretches = Stretches(work.store)
        self._repairs = Repairs(work.store)
        self._tasks: list[asyncio.Task[None]] = []
        self._live: LiveStream | None = None
        self._client = BatchClient(
            self._settings.batch.base_url,
            self._settings.batch.api_version,
            Credentials(*work.loaded.credentials()),
            connections=self._settings.batch.max_in_flight,
            timeout_s=self._settings.batch.request_timeout_s,
        )

    async def run(self) -> bool:
        """True once there is nothing left to do; False if a signal stopped it before."""
        with ExitStack() as stack:
            if self._plan.live_topics:
                consumer = stack.enter_context(reading_consumer(self._settings))
                self._live = LiveStream(
                    consumer,
                    self._plan.id,
                    self._plan.live_topics,
                    self._work.store,
                    self._work.selection,
                    self._stretches,
                    self._repairs,
                )
                self._start(self._live.run())
            try:
                return await self._ship()
            finally:
                if self._live is not None:
                    self._live.stop()
                    await asyncio.gather(self._tasks[0], return_exceptions=True)
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ship(self) -> bool:
        if not self._stopping.cancelled:
            await self._catch_up()
            await self._send()
        if self._stopping.interrupted:
            return False
        if self._stopping.cancelled:
            self._stretches.give_up_rest()
        await self._mend()
        return not self._stopping.interrupted

    async def _catch_up(self) -> None:
        """What was said since the range's end is known before anything is sent."""
        if self._live is None:
            return
        self._shown.phase("catching up with the live stream", "changed profiles")
        ends = await self._live.ends()
        while not self._stopping() and not self._live.has_read(ends):
            await self._look()
            self._shown.at(0.0, self._live.changed)
        self._shown.at(1.0, self._live.changed)

    async def _send(self) -> None:
        plan, metrics = self._plan, self._work.metrics
        topic = (*plan.live_topics, *plan.topics, "")[0]
        sending = Sending(plan.id, topic, self._work.store, self._stretches, metrics)
        rate = min(MASS_RATE_PER_S, plan.rate_per_s or MASS_RATE_PER_S)
        limiter = Limiter(rate, min(MASS_BURST, max(1.0, rate)))
        limiter.own("mass-update", None)
        coalescer = Coalescer()
        delivery = Delivery(
            coalescer,
            limiter,
            self._client.mass_update_profiles,
            sending,
            RecordedCalls(self._work.store, metrics),
            DeliverySettings(
                max_in_flight=self._settings.batch.max_in_flight,
                max_updates=MASS_MAX_UPDATES,
                late_events="skip",
                poison_after_s=self._settings.delivery.poison_after_s,
            ),
            self._reload_credentials,
        )
        self._open_letters(sending, topic)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._client)
            self._start(delivery.run())
            self._start(sending.feed(coalescer, delivery, self._stopping))
            await self._until_sent()
            delivery.stop()
            await delivery.finish()
            if isinstance(sending.letters, DeadLetterWriter):
                await sending.letters.settled(lambda record: True)

    async def _until_sent(self) -> None:
        self._shown.phase("sending", "profiles")
        profiles = max(1, self._work.store.count_profiles())
        while not self._stopping() and self._stretches.left:
            await self._look()
            done = profiles - self._stretches.left
            self._shown.at(done / profiles, done)

    def _open_letters(self, sending: Sending, topic: str) -> None:
        if not self._settings.kafka.brokers or not topic:
            path = self._work.folder.letters(self._plan.id)
            sending.letters = LetterFile(path, sending.letter_confirmed)
            return
        letters = DeadLetterWriter(
            client_settings(self._settings.kafka),
            lambda source: dead_letter_topic(self._settings, source),
            self._work.metrics,
            sending.letter_confirmed,  # type: ignore[arg-type]
        )
        sending.letters = letters
        self._start(letters.run())

    async def _mend(self) -> None:
        """Wait until all calls have surely been applied, and say again what may have been overwritten."""
        settle_s = 0.0 if self._live is None else self._plan.settle_s
        if self._live is not None and self._stretches.open:
            self._shown.phase("waiting until Batch has applied every call", "stretches of 10,000")
        of = max(1, len(self._stretches.open))
        while self._stretches.open and not self._stopping.interrupted:
            await self._look(settle_s)
            left = len(self._stretches.open)
            self._shown.at(1 - left / of, of - left)
        if self._live is None or self._stopping.interrupted:
            return
        self._shown.phase("mending what changed meanwhile", "repairs")
        mending = Mending(
            self._plan.id,
            client_settings(self._settings.kafka),
            self._work.store,
            self._live,
            self._repairs,
        )
        self._start(mending.run(self._interrupted))
        while not self._tasks[-1].done():
            await self._look(settle_s)
            self._shown.at(1.0 if not len(self._repairs) else 0.0, self._repairs.written)
        self._tasks[-1].result()

    def _interrupted(self) -> bool:
        self._stopping()
        return self._stopping.interrupted

    async def _look(self, settle_s: float | None = None) -> None:
        """Rest a little; what a task raised is raised here."""
        await asyncio.sleep(LOOK_EVERY_S)
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        await close_settled(
            self._stretches, self._live, self._plan.settle_s if settle_s is None else settle_s
        )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _reload_credentials(self) -> None:
        try:
            self._client.credentials = Credentials(*self._work.loaded.reload_secrets())
        except ConfigurationError:
            return
