"""The partitions of this worker: a ledger each, made on assignment and thrown away on revocation."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import structlog
from confluent_kafka import OFFSET_INVALID, KafkaException, TopicPartition

from sink.limiter import Level
from streams import commit_metadata
from streams.ledger import Ledger
from streams.metrics import Metrics

LOOKUP_TIMEOUT_S = 10.0
ATTEMPTS = 6

log = structlog.get_logger("segbatch.assignments")

Place = tuple[str, int]
Start = Literal["earliest", "latest"] | datetime


class Inherited(NamedTuple):
    """What the group had committed of a partition."""

    offset: int
    done: bytes
    level: Level | None


class Assignments:
    """The ledgers by topic and partition."""

    def __init__(self, start: Start, metrics: Metrics) -> None:
        self._start = start
        self._metrics = metrics
        self.ledgers: dict[Place, Ledger] = {}

    async def begin(
        self, consumer: Any, partitions: Sequence[TopicPartition]
    ) -> list[tuple[Ledger, Level | None]]:
        """Make the ledgers of newly assigned partitions from what the group committed, with the tokens that
        they inherit. Raises KafkaException when the brokers cannot be asked."""
        begun = []
        for place, inherited in (await self._inherited(consumer, partitions)).items():
            if inherited is not None:
                ledger = Ledger(*place, inherited.offset, inherited.done)
            else:
                ledger = Ledger(*place, await self._first_offset(consumer, place), committed=False)
            self.ledgers[place] = ledger
            begun.append((ledger, inherited.level if inherited else None))
        return begun

    def of(self, partitions: Iterable[TopicPartition]) -> list[Ledger]:
        """The ledgers of partitions that are ours."""
        places = [(p.topic, p.partition) for p in partitions]
        return [self.ledgers[place] for place in places if place in self.ledgers]

    def forget(self, ledgers: Iterable[Ledger]) -> None:
        """These partitions are not ours any more."""
        for ledger in ledgers:
            ledger.sending = False
            ledger.forgotten = True
            self.ledgers.pop((ledger.topic, ledger.partition), None)

    async def restart(self, consumer: Any, ledger: Ledger) -> Ledger:
        """The next record to fetch does not exist: retention passed us, or the topic was made anew. The ledger to
        read on with, from the partition's start; what was passed is counted and logged as lost."""
        place = (ledger.topic, ledger.partition)
        low, _ = await _look_up(consumer, "get_watermark_offsets", TopicPartition(*place))
        lost = low - ledger.position
        if lost < 0:
            log.error("partition is shorter than what was read: reading it from its start", **_named(place))
            self.forget([ledger])
            ledger = self.ledgers[place] = Ledger(*place, low, committed=False)
        else:
            self._metrics.lost_records.labels(ledger.topic, str(ledger.partition)).inc(lost)
            log.error(
                "records lost: Kafka's retention deleted them before they were read",
                **_named(place),
                offsets=lost,
                first_lost=ledger.position,
                remedy="raise the topic's retention, and see why the worker is behind",
            )
            ledger.advance(low)
        return ledger

    async def _inherited(
        self, consumer: Any, partitions: Sequence[TopicPartition]
    ) -> dict[Place, Inherited | None]:
        committed = await _look_up(consumer, "committed", list(partitions))
        return {(p.topic, p.partition): _read(p) for p in committed}

    async def _first_offset(self, consumer: Any, place: Place) -> int:
        low, high = await _look_up(consumer, "get_watermark_offsets", TopicPartition(*place))
        if self._start == "earliest":
            return int(low)
        if isinstance(self._start, datetime):
            at = self._start if self._start.tzinfo else self._start.replace(tzinfo=UTC)
            asked = TopicPartition(*place, int(at.timestamp() * 1000))
            found = await _look_up(consumer, "offsets_for_times", [asked])
            if found[0].offset >= 0:
                return int(found[0].offset)
        return int(high)


def _read(partition: TopicPartition) -> Inherited | None:
    if partition.error is not None:
        raise KafkaException(partition.error)
    if partition.offset < 0 or partition.offset == OFFSET_INVALID:
        return None
    metadata = commit_metadata.decode(_metadata(partition))
    if metadata is None:
        return Inherited(partition.offset, b"", None)
    return Inherited(partition.offset, metadata.done, metadata.level)


def _metadata(partition: TopicPartition) -> str | None:
    try:
        text: str | None = partition.metadata
    except UnicodeDecodeError:
        return None
    return text


async def _look_up(consumer: Any, method: str, argument: Any) -> Any:
    """Ask the brokers, several times if they do not answer."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = await getattr(consumer, method)(argument, timeout=LOOKUP_TIMEOUT_S)
        except KafkaException as error:
            if attempt == ATTEMPTS:
                raise
            log.warning("brokers do not answer, asking again", asked=method, error=str(error.args[0]))
        else:
            if answer is not None:
                return answer
    raise KafkaException(f"the brokers did not answer {method} at {time.strftime('%H:%M:%S')}")


def _named(place: Place) -> dict[str, Any]:
    return {"topic": place[0], "partition": place[1]}
