"""From a chunk of records to pending updates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from mapping.mapper import MapRecord
from mapping.profile import ProfileUpdate, ProfileUpdates, Rejected, Skipped
from sink.coalescer import Coalescer
from sink.delivery import Delivery
from sink.lateness import LATE, LateEvents, oldest_taken_ms
from sink.settlement import Refusal
from streams.backfill.headers import IS_REPAIR
from streams.field_problems import FieldProblems
from streams.metrics import Metrics
from streams.records import Chunk, Ending, Record
from streams.replay_headers import asked_of, read_replay
from streams.settlement import RecordSettlement
from streams.unkeyed import NewestByTimestamp

SLICE = 250
"""Records that are mapped before the event loop gets a turn: about 3 ms."""
REFILL_BELOW = 0.7
"""A full pipeline reads on when it has come down to this part of its bounds."""

log = structlog.get_logger("segbatch.pipeline")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may wait in the worker."""

    records: int
    bytes: int


class Pipeline:
    """Maps records and gives them to the coalescer."""

    def __init__(
        self,
        map_record: MapRecord,
        coalescer: Coalescer,
        delivery: Delivery,
        settlement: RecordSettlement,
        metrics: Metrics,
        problems: FieldProblems,
        bounds: Bounds,
        late_events: LateEvents,
    ) -> None:
        self._map_record = map_record
        self._coalescer = coalescer
        self._delivery = delivery
        self._settlement = settlement
        self._metrics = metrics
        self._problems = problems
        self._bounds = bounds
        self._late_events = late_events
        self._unkeyed = NewestByTimestamp()
        self._unkeyed_warned = False
        self._filling = True
        self._coming = 0

    @property
    def room(self) -> int:
        """Records that may be fetched now; at least one, so that fetches go on."""
        return max(1, self._bounds.records - self._coalescer.records - self._coming)

    @property
    def coming(self) -> int:
        """Records fetched and not mapped yet."""
        return self._coming

    @property
    def full(self) -> bool:
        """Whether reading should rest: from reaching the bounds until well below them."""
        records = (self._coalescer.records + self._coming) / self._bounds.records
        share = max(records, self._coalescer.bytes / self._bounds.bytes)
        self._filling = share < (1.0 if self._filling else REFILL_BELOW)
        return not self._filling

    def expect(self, chunk: Chunk) -> None:
        """A chunk is on its way to `accept`: its records count already."""
        self._coming += len(chunk.records)

    def use(self, map_record: MapRecord) -> None:
        """Map by this from the next chunk on."""
        self._map_record = map_record

    async def accept(self, chunk: Chunk) -> None:
        """Map a chunk's records; they wait in the coalescer, or have ended, when this returns."""
        records, map_record = chunk.records, self._map_record
        for start in range(0, len(records), SLICE):
            if not chunk.ledger.sending:
                break
            if self._settlement.limits.reached is not None:
                self._settlement.hold_back(records[start])
                break
            self._map(records[start : start + SLICE], map_record)
            self._delivery.wake()
            await asyncio.sleep(0)
        self._coming -= len(records)

    def _map(self, records: Sequence[Record], map_record: MapRecord) -> None:
        now = asyncio.get_running_loop().time()
        oldest_ms = oldest_taken_ms(time.time() * 1000)
        add, settlement = self._coalescer.add, self._settlement
        repeats, ledger = settlement.repeats, records[0].ledger
        repeats.begin()
        is_repeat = repeats.is_repeat
        rejected: dict[int, Rejected] = {}
        for record in records:
            message = record.message
            record.map_record = map_record
            result = map_record(message.value())
            headers = message.headers()
            if headers:
                record.replay = read_replay(headers)
                record.repair = IS_REPAIR in headers
                if record.replay is not None:
                    result = asked_of(result, record.replay, oldest_ms)
            if type(result) is not ProfileUpdate:
                if type(result) is ProfileUpdates:
                    self._add_each(result, record, oldest_ms, now)
                elif isinstance(result, Rejected):
                    rejected[record.offset] = result
                elif isinstance(result, Skipped):
                    self._skip(record, result)
                continue
            _, attributes, events, problems, time_ms, message_id = result
            if problems:
                self._problems.report(problems)
            if message.key() is None:
                self._count_unkeyed()
                result = self._newest(result, record)
                attributes = result.attributes
            if events and time_ms is not None and time_ms < oldest_ms:
                result = self._without_late_event(result, record)
                events = result.events
            if message_id is not None and events and is_repeat(message_id, ledger) and record.replay is None:
                settlement.settle(record, Ending.SKIPPED, "duplicate")
            elif attributes or events:
                add(result, record, now)
            else:
                settlement.settle(record, Ending.SKIPPED, record.reason or "nothing_to_send")
        self._dead_letter(records, rejected)

    def _add_each(self, result: ProfileUpdates, record: Record, oldest_ms: float, now: float) -> None:
        """A record that speaks of several profiles has a part for each."""
        self._problems.report(result.problems)
        is_unkeyed = record.message.key() is None
        if is_unkeyed:
            self._count_unkeyed()
        parts = []
        for update in result.updates:
            if is_unkeyed:
                update = self._newest(update, record)
            if any(time_ms is not None and time_ms < oldest_ms for _, time_ms, _ in update.events):
                update = self._without_late_event(update, record)
            if update.attributes or update.events:
                parts.append(update)
        if not parts:
            self._settlement.settle(record, Ending.SKIPPED, record.reason or "nothing_to_send")
            return
        known = next((update.message_id for update in parts if update.events), None)
        if (
            known is not None
            and self._settlement.repeats.is_repeat(known, record.ledger)
            and not record.replay
        ):
            self._settlement.settle(record, Ending.SKIPPED, "duplicate")
            return
        record.parts += len(parts) - 1
        for update in parts:
            self._coalescer.add(update, record, now)

    def _skip(self, record: Record, result: Skipped) -> None:
        self._problems.report(result.problems)
        self._settlement.settle(record, Ending.SKIPPED, result.reason)

    def _dead_letter(self, records: Sequence[Record], rejected: Mapping[int, Rejected]) -> None:
        """Write the letters of those of a partition's records that were rejected, by their offsets. The limits want to
        know of the others too, in order."""
        limits, place = self._settlement.limits, records[0].place
        passed = 0
        for record in records if rejected else ():
            result = rejected.get(record.offset)
            if result is None:
                passed += 1
                continue
            limits.mapped(place, passed)
            passed = 0
            self._problems.report(result.problems)
            self._settlement.dead_letter(record, Refusal(result.reason, result.detail))
        limits.mapped(place, passed if rejected else len(records))

    def _count_unkeyed(self) -> None:
        self._metrics.unkeyed.inc()
        if not self._unkeyed_warned:
            self._unkeyed_warned = True
            log.warning(
                "records without a key: several workers cannot keep one user's events in order",
                remedy="set the key to userId in Segment's Kafka destination, or run segbatch repartition "
                "(docs/keys.md); until then attributes go by timestamp",
            )

    def _newest(self, update: ProfileUpdate, record: Record) -> ProfileUpdate:
        """Without a key Kafka keeps no order of one user's records: go by the events' timestamps."""
        newest = self._unkeyed.keep_newest(update)
        if len(newest.attributes) < len(update.attributes):
            record.reason = "superseded"
            left_out = update.attributes.keys() - newest.attributes.keys()
            record.superseded = {**record.superseded, update.custom_id: left_out}
        return newest

    def _without_late_event(self, update: ProfileUpdate, record: Record) -> ProfileUpdate:
        """Batch refuses the event for its age: it leaves the update alone, and the rest goes."""
        asked = None if record.replay is None else record.replay.late
        if "send_without_time" in (asked, self._late_events):
            return update
        is_first = not record.late_profiles
        record.late_profiles = (*record.late_profiles, update.custom_id)
        record.reason = "event_too_old"
        if not is_first:
            return update._replace(events=())
        if self._late_events == "dead_letter":
            record.parts += 1
            self._settlement.dead_letter(record, LATE)
        else:
            self._problems.add("event_too_old", "event")
        return update._replace(events=())
