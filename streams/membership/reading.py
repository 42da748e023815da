"""Reads a range of topics for memberships."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Consumer, Message

from mapping.mapper import MapRecord
from mapping.profile import Rejected, Skipped
from streams.backfill.kafka_range import begins_and_ends, offsets_at, read_span
from streams.backfill.progress import Shown
from streams.membership.lasting import OfAudience, OfUser, Place
from streams.membership.partitions import is_keyed, partition_of
from streams.membership.said import said_by

Span = tuple[int, int]
"""The first offset, and the one after the last."""


@dataclass(slots=True)
class Range:
    """What is read: spans by topic and partition."""

    spans: dict[str, dict[int, Span]] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)
    """How many each topic has."""

    def read(self) -> dict[str, list[int]]:
        """The partitions that are read, by topic."""
        return {topic: sorted(spans) for topic, spans in self.spans.items()}


@dataclass(slots=True)
class Reading:
    """A reading in hand."""

    consumer: Consumer
    range: Range
    map_record: MapRecord
    shown: Shown
    stopped: Callable[[], bool]
    records: int = 0
    audiences: set[str] = field(default_factory=set)
    """Every audience that was heard of."""

    def of_user(self, user_id: str) -> OfUser:
        """What is said of a user. May end early, when `stopped`."""
        found = OfUser()

        def take(message: Message) -> None:
            said = said_by(message.value())
            if said is not None and said.user_id == user_id:
                found.add(said, _place(message), self._not_delivered(message))

        self._read(take)
        return found

    def of_audience(self, audience: str) -> OfAudience:
        """What is said of an audience. May end early, when `stopped`."""
        found = OfAudience()

        def take(message: Message) -> None:
            said = said_by(message.value())
            if said is None:
                return
            self.audiences.add(said.audience)
            if said.audience == audience:
                found.add(said, _place(message), self._not_delivered(message))

        self._read(take)
        return found

    def _read(self, take: Callable[[Message], None]) -> None:
        total = sum(end - begin for spans in self.range.spans.values() for begin, end in spans.values())
        self.shown.phase("reading", "records")
        for topic, spans in self.range.spans.items():
            positions = {partition: begin for partition, (begin, _) in spans.items()}
            ends = {partition: end for partition, (_, end) in spans.items()}
            for messages in read_span(self.consumer, topic, positions, ends, self.stopped):
                for message in messages:
                    take(message)
                self.records += len(messages)
                self.shown.at(min(1.0, self.records / max(1, total)), self.records)

    def _not_delivered(self, message: Message) -> str | None:
        meaning = self.map_record(message.value())
        return meaning.reason if isinstance(meaning, Skipped | Rejected) else None


def fix_range(consumer: Consumer, topics: Sequence[str], from_ms: int | None, to_ms: int | None) -> Range:
    """The range in offsets. Raises BackfillError."""
    found = Range()
    for topic in topics:
        begins, ends = begins_and_ends(consumer, topic)
        starts = offsets_at(consumer, topic, from_ms, otherwise=begins if from_ms is None else ends)
        stops = offsets_at(consumer, topic, to_ms, otherwise=ends)
        found.partitions[topic] = len(ends)
        found.spans[topic] = {p: (min(starts[p], stops[p]), stops[p]) for p in ends}
    return found


def narrow(consumer: Consumer, range: Range, user_id: str) -> Range:
    """The same, without the partitions that cannot have the user's events."""
    narrowed: dict[str, dict[int, Span]] = {}
    for topic, spans in range.spans.items():
        if is_keyed(consumer, topic, spans):
            own = partition_of(user_id, range.partitions[topic])
            narrowed[topic] = _only(spans, own)
        else:
            narrowed[topic] = spans
    return Range(narrowed, range.partitions)


def _only(spans: Mapping[int, Span], partition: int) -> dict[int, Span]:
    return {partition: spans[partition]}


def _place(message: Message) -> Place:
    return Place(
        message.topic() or "", message.partition() or 0, message.offset() or 0, max(0, message.timestamp()[1])
    )
