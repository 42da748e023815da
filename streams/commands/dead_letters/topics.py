"""Reads dead-letter topics from end to end. Joins no group and commits nothing."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.cluster import SILENT, is_unreached, unreached
from streams.commands.dead_letters.marks import Done, is_mark
from streams.commands.dead_letters.options import Selection
from streams.commands.options import EXIT_FAILED, fail
from streams.letter import Letter, read_letter
from streams.settings import Settings, consumer_settings, dead_letter_topic

REACH_S = 10.0
SILENCE_S = 30.0
"""So long may no record come before its end of a partition that has more."""
END_WAIT_MS = 20
"""How long a broker waits for more at a partition's end before it says that it is the end."""
_EARLIER_MS = 600_000
"""A letter's time in Kafka may differ from the time that it names by so much."""
_PASSING = (
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._MAX_POLL_EXCEEDED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
)
"""Errors that pass, or are of a group that we do not join."""

Place = tuple[str, int]
"""A dead-letter topic's name and a partition."""


class Span(NamedTuple):
    """The offsets of a partition when it was looked at: from `low` to before `high`."""

    low: int
    high: int


class Stored(NamedTuple):
    """A letter and where it lies."""

    place: Place
    offset: int
    message: Message
    letter: Letter
    replayed: bool


class Topics:
    """Dead-letter topics as they are when `look` is called."""

    def __init__(self, consumer: Consumer, places: Collection[Place]) -> None:
        self._consumer = consumer
        self._places = places
        self.spans: dict[Place, Span] = {}
        self.done: dict[Place, Done] = {}

    def look(self, selection: Selection | None = None) -> None:
        """Fix the ends, and read what was done with the letters. `selection`: what need not be read is left out."""
        for place in self._places:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=REACH_S)
            self.spans[place] = Span(low, high)
        if selection is not None and selection.from_ms is not None:
            self._leave_out_older(round(selection.from_ms) - _EARLIER_MS)
        self.done = {place: Done() for place in self._places}
        for message in self.read(self.spans):
            self.done[place_of(message)].read(message)

    def letters(self, selection: Selection) -> Iterator[Stored]:
        """The letters that the selection takes, partition by partition in the order of their offsets."""
        for message in self.others_than_marks():
            letter = read_letter(message)
            if letter is not None and selection.takes(letter, message):
                place, offset = place_of(message), offset_of(message)
                replayed = letter.replayed or offset in self.done[place].replayed
                yield Stored(place, offset, message, letter, replayed)

    def others_than_marks(self, only: Place | None = None) -> Iterator[Message]:
        """Every record that counts, of all partitions or one: letters, and what else lies there."""
        for place in [only] if only is not None else sorted(self.spans):
            span, done = self.spans[place], self.done[place]
            first = max(span.low, done.moved_before)
            for message in self.read({place: Span(first, span.high)}):
                if not is_mark(message):
                    yield message

    def read(self, spans: Mapping[Place, Span]) -> Iterator[Message]:
        """The records between these offsets, as they come. Ends the command with the reason if it cannot."""
        left = {place: span.high for place, span in spans.items() if span.low < span.high}
        self._consumer.assign([TopicPartition(*place, spans[place].low) for place in left])
        heard = time.monotonic()
        while left:
            messages = self._consumer.consume(1000, 0.2)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE_S:
                fail(f"dead-letters: Kafka has sent nothing for {SILENCE_S:.0f} s", EXIT_FAILED)
            for message in messages:
                place = place_of(message)
                if message.error() is not None:
                    if _ends_partition(message):
                        left.pop(place, None)
                elif place in left:
                    if offset_of(message) < left[place]:
                        yield message
                    if offset_of(message) >= left[place] - 1:
                        del left[place]
        self._consumer.unassign()

    def _leave_out_older(self, from_ms: int) -> None:
        asked = [TopicPartition(*place, max(0, from_ms)) for place in self._places]
        for found in self._consumer.offsets_for_times(asked, timeout=REACH_S):
            place = (found.topic, found.partition)
            low, high = self.spans[place]
            self.spans[place] = Span(max(low, found.offset) if found.offset >= 0 else high, high)


@contextmanager
def open_topics(settings: Settings, topic: str | None, partitions: Sequence[int] = ()) -> Iterator[Topics]:
    """The dead-letter topics of the settings, or this one of them, not looked at yet. Ends the command with the
    reason if Kafka cannot be reached, or there is none of them."""
    names = (
        [topic]
        if topic
        else dict.fromkeys(dead_letter_topic(settings, each) for each in settings.kafka.topics)
    )
    reasons: list[str] = []
    client: dict[str, Any] = {
        **consumer_settings(settings.kafka),
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": END_WAIT_MS,
        "error_cb": lambda error: reasons.append(error.str()),
    }
    client.pop("group.instance.id", None)
    consumer = Consumer(client, logger=SILENT)
    try:
        places = [place for name in names for place in _places(consumer, name, partitions)]
        yield Topics(consumer, places)
    except KafkaException as error:
        consumer.poll(0)
        reason = reasons[0] if reasons else error.args[0].str()
        if is_unreached(error.args[0]):
            fail(f"dead-letters: {unreached(settings.kafka.brokers, reason)}", EXIT_FAILED)
        fail(f"dead-letters: Kafka does not do what was asked of it: {reason}", EXIT_FAILED)
    finally:
        consumer.close()


def _places(consumer: Consumer, topic: str, partitions: Sequence[int]) -> list[Place]:
    found = consumer.list_topics(topic, timeout=REACH_S).topics[topic]
    if found.error is not None:
        remedy = "create it, or correct dead_letter.topic, kafka.topics or --topic"
        fail(f"dead-letters: topic {topic}: {found.error.str()}: {remedy}", EXIT_FAILED)
    unknown = sorted(set(partitions) - set(found.partitions))
    if unknown:
        fail(f"dead-letters: topic {topic} has no partition {unknown[0]}: it has {len(found.partitions)}")
    return [(topic, number) for number in sorted(partitions or found.partitions)]


def place_of(message: Message) -> Place:
    """Topic and partition of a message."""
    return str(message.topic()), int(message.partition() or 0)


def offset_of(message: Message) -> int:
    """The offset of a message."""
    return int(message.offset() or 0)


def _ends_partition(message: Message) -> bool:
    """Whether the error item says that the partition's end is reached. Raises KafkaException for what does not pass."""
    error = message.error()
    if error is None or error.code() == KafkaError._PARTITION_EOF:
        return True
    if error.retriable() or error.code() in _PASSING:
        return False
    raise KafkaException(error)
