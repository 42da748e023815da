"""Reads a plan's range into the fold: files first, then topics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from confluent_kafka import Consumer, Message

from mapping.profile import MappingResult, ProfileUpdate, Rejected, Skipped
from sink.lateness import WINDOW_MS
from streams.backfill.counts import ReadCounts, read_counts
from streams.backfill.files import Found, read_lines
from streams.backfill.fold import Fold
from streams.backfill.folded import IN_RECORD_ORDER, UNDATED, WITHOUT_KEY
from streams.backfill.kafka_range import begins_and_ends, offsets_at, read_span
from streams.backfill.parquet import parquet_rows
from streams.backfill.plan import Plan
from streams.backfill.selection import Beside, Selection, updates_of
from streams.backfill.store import Store


class ReadProgress(Protocol):
    """Hears how far the reading is."""

    def read(self, done: float, events: int) -> None:
        """`done` of the range, from 0 to 1."""
        ...


@dataclass(slots=True)
class _Place:
    """How far the reading has come."""

    file: int = 0
    line: int = 0
    topics: dict[str, dict[int, int]] | None = None
    """Next offsets by topic and partition."""


def fix_range(consumer: Consumer, plan: Plan, store: Store) -> None:
    """Fix what is read of Kafka, in offsets, before anything is read. Raises BackfillError."""
    spans: dict[str, Any] = {}
    for topic in dict.fromkeys((*plan.topics, *plan.live_topics)):
        begins, ends = begins_and_ends(consumer, topic)
        starts = offsets_at(consumer, topic, plan.from_ms, otherwise=begins if plan.from_ms is None else ends)
        if topic in plan.topics:
            ends = offsets_at(consumer, topic, plan.to_ms, otherwise=ends)
        spans[topic] = {
            str(partition): [min(start, ends[partition]), ends[partition]]
            for partition, start in starts.items()
        }
    store.put("spans", spans)


class Reading:
    """The reading of one backfill, from where it was left."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        fold: Fold,
        selection: Selection,
        progress: ReadProgress,
        stopped: Callable[[], bool],
    ) -> None:
        self._plan = plan
        self._store = store
        self._fold = fold
        self._selection = selection
        self._progress = progress
        self._stopped = stopped
        self.counts: ReadCounts = read_counts(store.fact("read_counts"))
        self._files = [Found(*each) for each in store.fact("files", [])]
        self._spans: dict[str, dict[int, tuple[int, int]]] = {
            topic: {int(partition): (start, end) for partition, (start, end) in span.items()}
            for topic, span in store.fact("spans", {}).items()
        }
        self._place = self._stored_place()
        self._bytes_before = sum(file.bytes for file in self._files[: self._place.file])
        self._is_bounded = plan.from_ms is not None or plan.to_ms is not None
        self._oldest_event_ms = 0.0

    def run(self, consumer: Consumer | None) -> bool:
        """Read to the end; False if it was stopped before. What was read is put down in both cases."""
        self._oldest_event_ms = time.time() * 1000 - WINDOW_MS
        finished = self._read_files()
        if finished and consumer is not None:
            finished = all(self._read_topic(consumer, topic) for topic in self._spans)
        self._spill()
        return finished

    def _read_files(self) -> bool:
        place = self._place
        for number in range(place.file, len(self._files)):
            file = self._files[number]
            skip, place.file = place.line, number
            line = 0
            for lines in read_lines(file, self._on_bytes, parquet_rows):
                if line + len(lines) > skip:
                    fresh = lines[max(0, skip - line) :]
                    self._take_lines(fresh, file.path, line + len(lines) - len(fresh))
                line += len(lines)
                if line > skip:
                    place.line = line
                    self._report()
                    if self._stopped():
                        return False
            place.file, place.line = number + 1, 0
            self._report()
        return not self._stopped()

    def _take_lines(self, lines: Sequence[bytes], path: str, number: int) -> None:
        counts, read, put = self.counts, self._selection.of_history, self._put_of_file
        for index, line in enumerate(lines):
            if not line or line.isspace():
                continue
            counts.events += 1
            result = read(line)
            if type(result) is ProfileUpdate and not result.problems:
                put(result)
                continue
            self._count(result, path, number + index + 1)
            for update in updates_of(result):
                put(update)

    def _put_of_file(self, update: ProfileUpdate) -> None:
        at_ms = update.timestamp_ms
        if self._is_bounded and not self._is_in_range(at_ms):
            self.counts.skipped["outside_range" if at_ms is not None else "no_timestamp"] += 1
            return
        self.counts.selected += 1
        if update.events:
            update = self._without_old_events(update)
        self._fold.put(update, UNDATED if at_ms is None else at_ms)

    def _is_in_range(self, at_ms: int | None) -> bool:
        plan = self._plan
        if at_ms is None:
            return False
        return (plan.from_ms is None or at_ms >= plan.from_ms) and (plan.to_ms is None or at_ms < plan.to_ms)

    def _read_topic(self, consumer: Consumer, topic: str) -> bool:
        span = self._spans[topic]
        if self._place.topics is None:
            self._place.topics = {}
        starts = {partition: start for partition, (start, _) in span.items()}
        positions = self._place.topics.setdefault(topic, starts)
        begins, _ = begins_and_ends(consumer, topic)
        for partition, begin in begins.items():
            if partition in positions and begin > positions[partition]:
                gone = min(begin, span[partition][1])
                self.counts.lost += max(0, gone - positions[partition])
                positions[partition] = max(positions[partition], gone)
        ends = {partition: end for partition, (_, end) in span.items()}
        live, history = topic in self._plan.live_topics, topic in self._plan.topics
        for messages in read_span(consumer, topic, positions, ends, self._stopped):
            for message in messages:
                self._take_record(message, live, history)
            self._report()
        return not self._stopped()

    def _take_record(self, message: Message, live: bool, history: bool) -> None:
        selection, value = self._selection, message.value()
        result: MappingResult | Beside
        if live and history:
            result = selection.of_live_history(value)
        elif history:
            result = selection.of_history(value)
        else:
            result = Beside("", selection.of_live(value))
        if isinstance(result, Beside):
            if result.reason:
                self.counts.events += 1
                self.counts.skipped[result.reason] += 1
            for update in updates_of(result.said):
                self._fold.put_beside(update.custom_id, update.attributes, mark_of(message, update))
            return
        self.counts.events += 1
        if type(result) is not ProfileUpdate or result.problems:
            self._count(result, f"{message.topic()}[{message.partition()}]", message.offset())
        for update in updates_of(result):
            self.counts.selected += 1
            if update.events:
                update = self._without_old_events(update)
            self._fold.put(update, mark_of(message, update))

    def _count(self, result: MappingResult, source: str, place: int) -> None:
        """Count what is not a plain update."""
        if result.problems:
            self.counts.problems(result.problems)
        if isinstance(result, Skipped):
            self.counts.skipped[result.reason] += 1
        elif isinstance(result, Rejected):
            self.counts.reject(result.reason, f"{source}:{place}")

    def _without_old_events(self, update: ProfileUpdate) -> ProfileUpdate:
        """Batch takes events of the last 24 hours only; the attributes go without older ones."""
        oldest = self._oldest_event_ms
        kept = tuple(event for event in update.events if event.time_ms is None or event.time_ms >= oldest)
        self.counts.fields["event_too_old"] += len(update.events) - len(kept)
        return update._replace(events=kept)

    def _on_bytes(self, count: int) -> None:
        self._bytes_before += count

    def _report(self) -> None:
        if self._fold.full:
            self._spill()
        self._progress.read(self._done(), self.counts.events)

    def _done(self) -> float:
        """Files count by bytes and topics by offsets, each kind for its part."""
        size = sum(file.bytes for file in self._files)
        total = sum(end - start for span in self._spans.values() for start, end in span.values())
        read = 0
        for topic, positions in (self._place.topics or {}).items():
            read += sum(
                position - self._spans[topic][partition][0] for partition, position in positions.items()
            )
        shares = [min(1.0, self._bytes_before / size)] if size else []
        shares += [read / total] if total else []
        return sum(shares) / len(shares) if shares else 1.0

    def _spill(self) -> None:
        place = self._place
        topics = None if place.topics is None else {t: _keys(p) for t, p in place.topics.items()}
        self._fold.spill(
            {
                "place": {"file": place.file, "line": place.line, "topics": topics},
                "read_counts": self.counts.as_json(),
            }
        )

    def _stored_place(self) -> _Place:
        stored = self._store.fact("place", {"file": 0, "line": 0, "topics": None})
        topics = stored["topics"]
        if topics is not None:
            topics = {
                t: {int(p): offset for p, offset in positions.items()} for t, positions in topics.items()
            }
        return _Place(stored["file"], stored["line"], topics)


def mark_of(message: Message, update: ProfileUpdate) -> int:
    """A record's place among those of its profile, as the live stream takes them."""
    if message.key() is not None or update.timestamp_ms is None:
        return IN_RECORD_ORDER
    return WITHOUT_KEY + update.timestamp_ms


def _keys(positions: Mapping[int, int]) -> dict[str, int]:
    return {str(partition): offset for partition, offset in positions.items()}
