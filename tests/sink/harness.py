"""Delivery with everything around it replaced: records, the end of records, and a Batch that answers as told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import orjson

from mapping.profile import AttributeValue, ProfileEvent, ProfileUpdate
from sink.attempts import DeliverySettings
from sink.breaker import Opening
from sink.client import Answer, Credentials, Verdict
from sink.coalescer import Coalescer, PendingUpdate
from sink.coalescer import Record as AnyRecord
from sink.delivery import Delivery
from sink.limiter import Limiter
from sink.settlement import Refusal
from sink.unchanged import LastAccepted
from tests.sink.virtual_time import wall_clock

PLENTY = 1e9
OK = Answer(Verdict.ACCEPTED, "202")
Item = dict[str, Any]


class FakeRecord:
    """A Kafka record, as far as the sink knows one, with what it says."""

    def __init__(self, update: ProfileUpdate, size: int = 100) -> None:
        self.update = update
        self.parts = 1
        self.late_profiles: Collection[str] = ()
        self.order = 0
        self.bytes = size
        self.live = True
        self.home: int | None = 0
        self.again = False
        self.endings: list[str] = []
        """How its parts ended, in order."""

    def mapped(self) -> ProfileUpdate:
        """What it says, as if mapped once more: the sink makes the update's attributes its own."""
        return self.update._replace(attributes=dict(self.update.attributes))


def event(name: str, time_ms: int | None = None, **attributes: Any) -> ProfileEvent:
    """An event whose body is the JSON that would be posted."""
    body: dict[str, Any] = {"name": name}
    if time_ms is not None:
        body["time"] = f"at-{time_ms}"
    if attributes:
        body["attributes"] = attributes
    return ProfileEvent(name, time_ms, orjson.dumps(body))


def update_of(
    custom_id: str, attributes: dict[str, AttributeValue] | None = None, *events: ProfileEvent
) -> ProfileUpdate:
    """What one Segment event asks for."""
    return ProfileUpdate(custom_id, attributes or {}, events, (), None)


def record_of(
    custom_id: str, attributes: dict[str, AttributeValue] | None = None, *events: ProfileEvent
) -> FakeRecord:
    """A record that asks for it."""
    return FakeRecord(update_of(custom_id, attributes, *events))


def people(count: int) -> list[FakeRecord]:
    """A record each of so many profiles."""
    return [record_of(f"u{number}", {"n": number}) for number in range(count)]


def retry(status: str, after_s: float | None = None) -> Answer:
    """A failure that may pass."""
    return Answer(Verdict.RETRY, status, "trouble", after_s, ambiguous=status == "timeout")


@dataclass
class FakeSettlement:
    """Implements `sink.settlement.Settlement`; remembers how everything ended."""

    letters: list[tuple[FakeRecord, Refusal]] = field(default_factory=list)
    accepted_updates: int = 0

    def accepted(self, updates: Sequence[PendingUpdate]) -> None:
        self.accepted_updates += len(updates)
        for update in updates:
            for record in update.records:
                self._end(record, "accepted")

    def skipped(self, record: AnyRecord, reason: str) -> None:
        self._end(record, f"skipped {reason}")

    def dead_letter(self, record: AnyRecord, refusal: Refusal) -> None:
        assert isinstance(record, FakeRecord)
        self.letters.append((record, refusal))
        self._end(record, f"dead {refusal.reason}")

    def is_live(self, record: AnyRecord) -> bool:
        assert isinstance(record, FakeRecord)
        return record.live

    def home(self, update: PendingUpdate) -> int | None:
        homes = {cast(FakeRecord, record).home for record in update.records}
        return homes.pop() if len(homes) == 1 else None

    def says_again(self, update: PendingUpdate) -> bool:
        return any(cast(FakeRecord, record).again for record in update.records)

    def rebuild(self, record: AnyRecord, custom_id: str) -> ProfileUpdate:
        assert isinstance(record, FakeRecord)
        return record.mapped()

    def _end(self, record: AnyRecord, how: str) -> None:
        assert isinstance(record, FakeRecord)
        record.parts -= 1
        record.endings.append(how)


@dataclass
class FakeObserver:
    """Implements `sink.settlement.Observer`."""

    statuses: list[str] = field(default_factory=list)
    retries: list[tuple[str, str, float, int]] = field(default_factory=list)
    ambiguous: int = 0
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    turns: list[Opening | None] = field(default_factory=list)

    def call_answered(self, status: str, seconds: float) -> None:
        self.statuses.append(status)

    def call_retried(self, status: str, message: str, wait_s: float, attempts: int) -> None:
        self.retries.append((status, message, wait_s, attempts))

    def answer_ambiguous(self) -> None:
        self.ambiguous += 1

    def field_refused(self, reason: str, field: str, message: str) -> None:
        self.fields.append((reason, field, message))

    def breaker_turned(self, opening: Opening | None) -> None:
        self.turns.append(opening)


@dataclass
class Call:
    """One request that reached the fake Batch."""

    at: float
    items: list[Item]

    @property
    def ids(self) -> list[str]:
        """The custom ids it carried."""
        return [custom_id(item) for item in self.items]


class FakeBatch:
    """Answers as `answer` says, after `latency_s`; fails the test when a rule of every call is broken."""

    def __init__(self, answer: Callable[[Call], Answer], latency_s: float, max_in_flight: int) -> None:
        self.answer = answer
        self.latency_s = latency_s
        self.calls: list[Call] = []
        self.largest_body = 0
        self.most_in_flight = 0
        self.attributes: dict[str, dict[str, Any]] = defaultdict(dict)
        self.events: dict[str, list[str]] = defaultdict(list)
        self._max_in_flight = max_in_flight
        self._in_flight: list[set[str]] = []

    async def post(self, body: bytes) -> Answer:
        self.largest_body = max(self.largest_body, len(body))
        items = orjson.loads(body)
        call = Call(asyncio.get_running_loop().time(), items)
        self.calls.append(call)
        ids = set(call.ids)
        assert items, "an empty call was posted"
        assert len(ids) == len(items), "a custom_id stands twice in a call"
        assert not any(ids & others for others in self._in_flight), "two requests in flight for a profile"
        self._in_flight.append(ids)
        self.most_in_flight = max(self.most_in_flight, len(self._in_flight))
        assert len(self._in_flight) <= self._max_in_flight, "too many requests in flight"
        try:
            answer = self.answer(call)
            await asyncio.sleep(self.latency_s)
            if answer.verdict is Verdict.ACCEPTED:
                self._apply(items)
            return answer
        finally:
            self._in_flight.remove(ids)

    def _apply(self, items: Iterable[Item]) -> None:
        for item in items:
            who = custom_id(item)
            self.attributes[who].update(item.get("attributes", {}))
            self.events[who] += [event["name"] for event in item.get("events", ())]


def custom_id(item: Item) -> str:
    """The profile of a posted item."""
    found = item["identifiers"]["custom_id"]
    assert isinstance(found, str)
    return found


@dataclass
class Stage:
    """A running delivery and what stands around it."""

    coalescer: Coalescer
    limiter: Limiter
    settlement: FakeSettlement
    observer: FakeObserver
    batch: FakeBatch
    delivery: Delivery
    reloads: list[float]
    running: asyncio.Task[None]

    def add(self, *records: FakeRecord) -> None:
        """Records come."""
        now = asyncio.get_running_loop().time()
        for record in records:
            self.coalescer.add(record.mapped(), record, now)
        self.delivery.wake()

    def forget(self) -> None:
        """Drop what waits for records that are not live."""
        now = asyncio.get_running_loop().time()
        self.coalescer.forget(self.settlement.is_live, self.settlement.rebuild, now)

    async def all_ended(self, records: Iterable[FakeRecord], within_s: float = 1e6) -> None:
        """Wait until every part of the records ended; fail if that takes longer than `within_s`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        waiting, pause = list(records), 0.02
        while waiting := [record for record in waiting if record.parts > 0]:
            assert loop.time() < until, f"{len(waiting)} records have not ended in {within_s} s"
            assert not self.running.done(), "the delivery has stopped"
            await asyncio.sleep(pause)
            pause = min(1.0, pause * 1.1)


@asynccontextmanager
async def stage(
    answer: Callable[[Call], Answer] = lambda call: OK,
    *,
    latency_s: float = 0.02,
    rate: float = PLENTY,
    burst: float = PLENTY,
    last_accepted: LastAccepted | None = None,
    reading_first: Callable[[], bool] = lambda: False,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """A running delivery, on virtual time."""
    configured = DeliverySettings(**settings)
    coalescer, settlement, observer = Coalescer(), FakeSettlement(), FakeObserver()
    limiter = Limiter(rate, burst, clock=wall_clock)
    limiter.own("p0", None)
    batch = FakeBatch(answer, latency_s, configured.max_in_flight)
    reloads: list[float] = []

    def reload_credentials() -> Credentials | None:
        reloads.append(asyncio.get_running_loop().time())
        return None

    clock = SimpleNamespace(time=wall_clock, perf_counter=wall_clock)
    with (
        mock.patch("sink.delivery.time", clock),
        mock.patch("sink.sending.time", clock),
    ):
        delivery = Delivery(
            coalescer,
            limiter,
            batch.post,
            settlement,
            observer,
            configured,
            reload_credentials,
            last_accepted,
            reading_first,
        )
        running = asyncio.create_task(delivery.run())
        try:
            yield Stage(coalescer, limiter, settlement, observer, batch, delivery, reloads, running)
            if running.done():
                running.result()
        finally:
            delivery.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await delivery.finish()
