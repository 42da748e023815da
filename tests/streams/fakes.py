"""Kafka's records and clients, as far as the worker's parts need them."""

from __future__ import annotations

from typing import Any

from confluent_kafka import TopicPartition

from streams.ledger import Ledger
from streams.records import Headers, Record

CREATED = 1


class FakeMessage:
    """A Kafka message."""

    def __init__(
        self,
        value: bytes | None = b"{}",
        key: bytes | None = b"k",
        offset: int = 0,
        headers: Headers | None = None,
        timestamp: tuple[int, int] = (CREATED, 1_767_225_600_000),
    ) -> None:
        self._value, self._key, self._offset = value, key, offset
        self._headers, self._timestamp = headers, timestamp

    def __len__(self) -> int:
        return len(self._value or b"")

    def topic(self) -> str:
        return "events"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Headers | None:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return self._timestamp

    def error(self) -> Any:
        return None


def fetched(ledger: Ledger, *messages: FakeMessage) -> list[Record]:
    """Records of these messages, entered in the ledger."""
    assert ledger.enter([message.offset() for message in messages]) is None
    return [Record(ledger, message, message.offset()) for message in messages]


class FakeConsumer:
    """What the group has committed, and the partitions' first and next offsets."""

    def __init__(self, low: int = 0, high: int = 100) -> None:
        self.low, self.high = low, high
        self.group: dict[tuple[str, int], TopicPartition] = {}
        self.at_time = -1
        self.asked_time_ms: int | None = None
        self.commits: list[list[TopicPartition]] = []
        self.asynchronous: list[bool] = []
        self.failures: list[Exception] = []
        self.silences = 0

    async def committed(self, partitions: list[TopicPartition], **_: float) -> list[TopicPartition] | None:
        self._fail()
        return [
            self.group.get((p.topic, p.partition), TopicPartition(p.topic, p.partition, -1001))
            for p in partitions
        ]

    async def get_watermark_offsets(self, partition: TopicPartition, **_: float) -> tuple[int, int] | None:
        self._fail()
        if self.silences:
            self.silences -= 1
            return None
        return self.low, self.high

    async def offsets_for_times(self, partitions: list[TopicPartition], **_: float) -> list[TopicPartition]:
        self.asked_time_ms = partitions[0].offset
        return [TopicPartition(partitions[0].topic, partitions[0].partition, self.at_time)]

    async def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition] | None:
        self._fail()
        self.commits.append(offsets)
        self.asynchronous.append(asynchronous)
        return None if asynchronous else offsets

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
