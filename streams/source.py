"""Reads the source topics and hands on chunks: one fetch's records of one partition.

A service of the Faust app, in the place of Faust's own consumer. Every record is in its partition's ledger before
anybody else sees it. Rebalances wait for the callbacks here: a partition leaves this worker only when its requests and
dead letters in flight have ended, or the drain timed out, and what is done was committed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

import structlog
from confluent_kafka import OFFSET_END, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as FetchedMessage
from confluent_kafka.aio import AIOConsumer
from faust import Service

from sink.coalescer import Record as AnyRecord
from sink.limiter import Limiter
from streams.assignments import LOOKUP_TIMEOUT_S, Assignments, Place
from streams.catch_up import CatchUp
from streams.committer import Committer
from streams.kafka_remedies import remedy_of
from streams.ledger import LARGEST_FETCH, Ledger
from streams.metrics import Metrics
from streams.records import Chunk, Message, Record

CALLS_AT_ONCE = 8
"""Threads for the consumer's calls: a fetch, a commit, a look-up and a close may wait for each other, and a call inside
a rebalance callback must never wait for a thread."""
ENDS_EVERY_S = 2.0
LOG_ERRORS_EVERY_S = 10.0
GATHER_S = 0.01
"""How long a fetch waits for more records after the first."""
FETCH_S = 0.1
"""How long a fetch waits for records; commits wait for it."""

_Origin: TypeAlias = tuple[str, int, int | None]

log = structlog.get_logger("segbatch.source")


@dataclass(frozen=True, slots=True)
class SourceHooks:
    """What the source needs of the rest of the worker."""

    emit: Callable[[Chunk], Awaitable[None]]
    full: Callable[[], bool]
    room: Callable[[], int]
    """Records that may be fetched now."""
    drain: Callable[[Callable[[AnyRecord], bool]], Awaitable[None]]
    """Wait for the requests and dead letters in flight of the records it is asked about."""
    catch_up: CatchUp
    forget: Callable[[], None]
    """Drop what waits for records that may not be sent any more."""
    on_ready: Callable[[], None]
    on_failure: Callable[[BaseException], None]


class KafkaSource(Service):  # type: ignore[misc]
    """The consumer of one worker."""

    def __init__(
        self,
        consumer: Mapping[str, Any],
        topics: Sequence[str],
        drain_timeout_s: float,
        assignments: Assignments,
        limiter: Limiter,
        metrics: Metrics,
        hooks: SourceHooks,
        **service: Any,
    ) -> None:
        super().__init__(**service)
        self._settings = dict(consumer)
        self._topics = list(topics)
        self._drain_timeout_s = drain_timeout_s
        self._assignments = assignments
        self._limiter = limiter
        self._metrics = metrics
        self._hooks = hooks
        self.committer = Committer(assignments, limiter, metrics)
        self.drained = True
        """False once requests were still in flight when a partition had to be given up."""
        self.assigned = False
        """True once the group has given this worker its partitions, be they none."""
        self.unknown_topics: set[str] = set()
        """Topics that Kafka does not know, or not to us."""
        self.last_error = ""
        """What Kafka's client reported last, in brackets; empty if nothing."""
        self.down_since: float | None = None
        """Since when no broker can be reached, seconds since 1970; None while one can."""
        self.drained_s = 0.0
        """Seconds for which revocations waited for what was in flight, in sum."""
        self._logged: dict[str, float] = {}
        self._paused: set[Place] = set()
        self._ends: dict[Place, int] = {}
        self._anew = False
        self._backlog = False
        """The last fetch was full."""
        self._reading = True
        self._leaving = False
        self._consumer: Any = None
        self._loops: list[asyncio.Task[None]] = []
        self._lookups: set[asyncio.Task[None]] = set()
        strategy = str(consumer.get("partition.assignment.strategy", ""))
        self._incremental = consumer.get("group.protocol") == "consumer" or "cooperative" in strategy

    async def on_start(self) -> None:
        """Join the group."""
        settings = {
            **self._settings,
            "on_commit": self.committer.on_commit,
            "error_cb": self._on_error,
            "logger": logging.getLogger("librdkafka"),
        }
        self._consumer = AIOConsumer(settings, max_workers=CALLS_AT_ONCE)
        await self._consumer.subscribe(
            self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        work = (self._read(), self.committer.run(self._consumer, lambda: self._leaving), self._watch_ends())
        self._loops = [asyncio.create_task(coroutine) for coroutine in work]
        for loop in self._loops:
            loop.add_done_callback(self._loop_ended)

    def stop_reading(self) -> None:
        """Hand on nothing more; rebalances are still answered."""
        self._reading = False
        for ledger in self._assignments.ledgers.values():
            ledger.sending = False

    def read_again(self) -> None:
        """Soon: let go of all partitions and take them anew, as if they had been revoked and assigned. Records that are
        not done are read again."""
        self._anew = True

    async def leave(self) -> None:
        """After `stop_reading` and the end of what was in flight: commit until it is confirmed, leave the group."""
        while True:
            async with self.committer.turn:
                ledgers = list(self._assignments.ledgers.values())
                confirmed = await self.committer.commit_now(self._consumer, ledgers)
            if confirmed:
                break
            await asyncio.sleep(FETCH_S)
        self._leaving = True
        # One that failed was told already; a consumer that is not closed keeps the process from ending.
        await asyncio.gather(*self._loops, *self._lookups, return_exceptions=True)
        await self._consumer.close()

    def unread(self) -> Iterable[tuple[Ledger, int]]:
        """Records that Kafka has and this worker has not fetched, by ledger, as far as it knows."""
        for place, ledger in self._assignments.ledgers.items():
            yield ledger, max(0, self._ends.get(place, ledger.position) - ledger.position)

    async def _watch_ends(self) -> None:
        """Fetches tell the ends of the partitions; for paused ones the brokers are asked, and for all when none of
        them could be reached."""
        waited = 0.0
        while not self._leaving:
            await asyncio.sleep(FETCH_S)
            waited += FETCH_S
            if waited < ENDS_EVERY_S:
                continue
            waited = 0.0
            for place in list(self._assignments.ledgers):
                partition = TopicPartition(*place)
                with suppress(KafkaException):
                    if place in self._paused or self.down_since is not None:
                        ends = await self._consumer.get_watermark_offsets(partition, timeout=ENDS_EVERY_S)
                        self._reached()
                    else:
                        ends = await self._consumer.get_watermark_offsets(partition, cached=True)
                    if ends is not None and ends[1] >= 0:
                        self._ends[place] = ends[1]

    async def _read(self) -> None:
        while not self._leaving:
            if self._anew:
                await self._take_anew()
            await self._pause_what_is_full()
            async with self.committer.turn:
                messages = await self._fetch(min(LARGEST_FETCH, self._hooks.room()))
            if messages:
                self._reached()
                await self._hand_on(messages)

    async def _fetch(self, most: int) -> Sequence[Message]:
        """At most so many messages, and what there is soon after the first. A call waits until it has as many as it was
        asked for: where there is a backlog, one call brings them at once; else the first is asked for alone."""
        if self._backlog:
            messages = await self._consumer.consume(most, FETCH_S)
        else:
            messages = await self._consumer.consume(1, FETCH_S)
            if messages and most > 1:
                messages = [*messages, *await self._consumer.consume(most - 1, GATHER_S)]
        fetched: Sequence[Message] = messages
        self._backlog = len(fetched) == most
        return fetched

    async def _take_anew(self) -> None:
        self._anew = False
        async with self.committer.turn:
            held = [TopicPartition(*place) for place in self._assignments.ledgers]
            if held and self._reading:
                await self._on_revoke(self._consumer, held)
                await self._consumer.resume(held)  # a partition that is assigned anew is still paused
                if self._incremental:
                    await self._consumer.incremental_unassign(held)
                await self._on_assign(self._consumer, held)

    async def _pause_what_is_full(self) -> None:
        """Pausing drops what librdkafka has prefetched, so the bounds have hysteresis."""
        ledgers = self._assignments.ledgers
        all_full = not self._reading or self._hooks.full()
        wanted = {place for place, ledger in ledgers.items() if all_full or ledger.full}
        pause, resume = wanted - self._paused, (self._paused & ledgers.keys()) - wanted
        if pause:
            await self._consumer.pause([TopicPartition(*place) for place in pause])
        if resume:
            await self._consumer.resume([TopicPartition(*place) for place in resume])
        self._paused = wanted

    async def _hand_on(self, messages: Sequence[Message]) -> None:
        for (topic, partition, error_code), found in _runs(messages):
            if error_code is not None:
                for message in found:
                    await self._on_error_item(message)
                continue
            ledger = self._assignments.ledgers.get((topic, partition))
            if ledger is None or not ledger.sending:
                continue
            offsets = list(map(FetchedMessage.offset, found))
            fresh = ledger.enter(offsets)
            if fresh is not None:
                found, offsets = [found[i] for i in fresh], [offsets[i] for i in fresh]
            if found:
                records = [Record(ledger, m, offset) for m, offset in zip(found, offsets, strict=True)]
                await self._hooks.emit(Chunk(ledger, records))

    async def _on_error_item(self, message: Message) -> None:
        error = message.error()
        ledger = self._assignments.ledgers.get((message.topic(), message.partition()))
        if ledger is not None and not ledger.sending:
            ledger = None  # records before this were not entered: nothing may be passed
        if error.code() == KafkaError._PARTITION_EOF:
            if ledger is not None:
                ledger.advance(message.offset())
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            if ledger is not None:
                await self._read_on(await self._assignments.restart(self._consumer, ledger))
        else:
            if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                self.unknown_topics.add(message.topic())
            await self._on_error(error)

    async def _read_on(self, ledger: Ledger) -> None:
        """Fetch from the ledger's position, after an error at which librdkafka gave the partition's fetching up: it
        would refuse to seek, so the partition is assigned anew."""
        place = (ledger.topic, ledger.partition)
        if self._incremental:
            anew = [TopicPartition(*place, ledger.position)]
            await self._consumer.incremental_unassign(anew)
            await self._consumer.incremental_assign(anew)
            self._paused.discard(place)
        else:
            ledgers = self._assignments.ledgers
            await self._consumer.assign([TopicPartition(*p, each.position) for p, each in ledgers.items()])
            self._paused.clear()

    def _reached(self) -> None:
        if self.down_since is not None:
            log.info("brokers can be reached again")
            self.down_since = None

    async def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._hooks.on_failure(KafkaException(error))
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.down_since = self.down_since or time.time()
        self.last_error = f" ({error.name()})"
        now = asyncio.get_running_loop().time()
        if now - self._logged.get(error.name(), -LOG_ERRORS_EVERY_S) >= LOG_ERRORS_EVERY_S:
            self._logged[error.name()] = now
            remedy = remedy_of(error.code())
            log.warning("Kafka reports a problem", error=error.name(), detail=error.str(), remedy=remedy)

    async def _on_assign(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        self._paused -= {(p.topic, p.partition) for p in partitions}
        self.unknown_topics -= {p.topic for p in partitions}
        # A worker that was asked to stop takes nothing over: looking up what was committed would hold up its leaving.
        if partitions and self._reading:
            await self._take_over(consumer, partitions)
        self._metrics.rebalances.labels("assigned").inc(len(partitions))
        log.info("partitions assigned", partitions=_named(partitions))
        self.assigned = True
        self._hooks.on_ready()

    async def _take_over(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        """Go on where their last owner ended."""
        self._limiter.share_among(await self._count_partitions(consumer))
        begun = await self._assignments.begin(consumer, partitions)
        places = [TopicPartition(ledger.topic, ledger.partition, ledger.position) for ledger, _ in begun]
        await (consumer.incremental_assign(places) if self._incremental else consumer.assign(places))
        for ledger, level in begun:
            self._limiter.own((ledger.topic, ledger.partition), level)
            ledger.sending = self._reading
        ledgers = [ledger for ledger, _ in begun]
        if self._hooks.catch_up.begin(ledgers):
            lookup = asyncio.create_task(self._find_ends(ledgers))
            self._lookups.add(lookup)
            lookup.add_done_callback(self._loop_ended)
        if self._hooks.full():
            await consumer.pause([TopicPartition(p.topic, p.partition) for p in partitions])
            self._paused |= {(p.topic, p.partition) for p in partitions}

    async def _find_ends(self, ledgers: Sequence[Ledger]) -> None:
        """Where newly assigned partitions end: what lies before is read before anything is sent."""
        asked = [TopicPartition(ledger.topic, ledger.partition, OFFSET_END) for ledger in ledgers]
        ends: dict[Place, int] = {}
        with suppress(KafkaException):
            for found in await self._consumer.offsets_for_times(asked, timeout=ENDS_EVERY_S) or ():
                if found.error is None and found.offset >= 0:
                    ends[found.topic, found.partition] = found.offset
        for ledger in ledgers:
            self._hooks.catch_up.end_at(ledger, ends.get((ledger.topic, ledger.partition)))

    async def _on_revoke(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        """Stop sending for them, wait for what is in flight, commit, forget."""
        ledgers = self._assignments.of(partitions)
        for ledger in ledgers:
            ledger.sending = False
        self._hooks.forget()
        started = time.monotonic()
        try:
            mine = set(map(id, ledgers))
            await asyncio.wait_for(
                self._hooks.drain(lambda record: id(getattr(record, "ledger", None)) in mine),
                self._drain_timeout_s,
            )
        except TimeoutError:
            self.drained = False
            log.warning(
                "drain timed out: requests in flight may be repeated by the next owner",
                partitions=_named(partitions),
                setting="drain_timeout_s",
            )
        self.drained_s += time.monotonic() - started
        await self.committer.commit_before_revocation(consumer, ledgers)
        self._give_up(ledgers, "revoked", partitions)

    async def _on_lost(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        """They belong to others already: there is nothing to commit."""
        self._give_up(self._assignments.of(partitions), "lost", partitions)
        self._hooks.forget()

    def _give_up(self, ledgers: Iterable[Ledger], kind: str, partitions: Sequence[TopicPartition]) -> None:
        for ledger in ledgers:
            self._limiter.disown((ledger.topic, ledger.partition))
        self._assignments.forget(list(ledgers))
        self._paused -= {(p.topic, p.partition) for p in partitions}
        self._metrics.rebalances.labels(kind).inc(len(partitions))
        log.info(f"partitions {kind}", partitions=_named(partitions))

    async def _count_partitions(self, consumer: Any) -> int:
        count = 0
        for topic in self._topics:
            metadata = await consumer.list_topics(topic, timeout=LOOKUP_TIMEOUT_S)
            count += len(metadata.topics[topic].partitions)
        return max(1, count)

    def _loop_ended(self, loop: asyncio.Task[None]) -> None:
        self._lookups.discard(loop)
        error = None if loop.cancelled() else loop.exception()
        if error is not None:
            self._hooks.on_failure(error)


def _runs(messages: Sequence[Message]) -> Iterator[tuple[_Origin, Sequence[Message]]]:
    """The messages in their order, in runs of one topic, one partition and one error's code, if any. An error itself
    must not be compared: with None it sets an exception that comes up somewhere later."""
    topics, partitions = map(FetchedMessage.topic, messages), map(FetchedMessage.partition, messages)
    codes = [None if error is None else error.code() for error in map(FetchedMessage.error, messages)]
    start = 0
    for origin, run in groupby(zip(topics, partitions, codes, strict=True)):
        end = start + len(list(run))
        yield origin, messages[start:end]
        start = end


def _named(partitions: Iterable[TopicPartition]) -> list[str]:
    return sorted(f"{p.topic}[{p.partition}]" for p in partitions)
