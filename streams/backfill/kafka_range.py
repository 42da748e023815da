"""A range of a topic: its offsets by time, and its records, read beside the live group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.backfill.problems import BackfillError, KafkaUnreached
from streams.cluster import SILENT, is_unreached, unreached
from streams.settings import Settings, consumer_settings

LOOKUP_S = 15.0
FETCH = 5_000
FETCH_S = 0.2

Offsets: TypeAlias = dict[int, int]
"""By partition."""
TRANSIENT = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._RESOLVE)


@contextmanager
def reading_consumer(settings: Settings) -> Iterator[Consumer]:
    """A consumer that is told what to read: it joins no group and commits nothing. It has the workers' group all the
    same, because Kafka wants a right on a group whose name is given. Raises BackfillError; a KafkaUnreached of the work
    that is done with it names the brokers and the reason."""
    reasons: list[str] = []
    client: dict[str, Any] = {
        **consumer_settings(settings.kafka),
        "auto.offset.reset": "earliest",
        "queued.max.messages.kbytes": 32_768,
        "error_cb": lambda error: reasons.append(error.str()),
    }
    client.pop("group.instance.id", None)
    try:
        consumer = Consumer(client, logger=SILENT)
    except KafkaException as error:
        raise BackfillError(f"Kafka's client refuses the settings: {error.args[0].str()}") from None
    try:
        yield consumer
    except KafkaUnreached as error:
        # Of what was told earlier, in hours of reading, nothing explains this: the reason comes with the next poll.
        reasons.clear()
        consumer.poll(0)
        reason = reasons[0] if reasons else str(error)
        raise KafkaUnreached(unreached(settings.kafka.brokers, reason)) from None
    finally:
        consumer.close()


def partitions_of(consumer: Consumer, topic: str) -> list[int]:
    """The numbers of a topic's partitions. Raises BackfillError if it cannot be read."""
    with told(f"topic {topic}"):
        found = consumer.list_topics(topic, timeout=LOOKUP_S).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return sorted(found.partitions)


def offsets_at(consumer: Consumer, topic: str, at_ms: int | None, *, otherwise: Offsets) -> Offsets:
    """The first offsets of this time or later; `otherwise` where there is no such record, or no time is given."""
    if at_ms is None:
        return dict(otherwise)
    with told(f"topic {topic}"):
        asked = [TopicPartition(topic, partition, at_ms) for partition in otherwise]
        found = consumer.offsets_for_times(asked, timeout=LOOKUP_S)
    return {each.partition: each.offset if each.offset >= 0 else otherwise[each.partition] for each in found}


def begins_and_ends(consumer: Consumer, topic: str) -> tuple[Offsets, Offsets]:
    """Where the topic's records begin and end now: what lies in open transactions is after the end."""
    begins, ends = {}, {}
    for partition in partitions_of(consumer, topic):
        with told(f"topic {topic}"):
            found = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=LOOKUP_S)
        if found is None:
            raise BackfillError(f"topic {topic}: Kafka does not tell the ends of partition {partition}")
        begins[partition], ends[partition] = found
    return begins, ends


def read_span(
    consumer: Consumer, topic: str, positions: Offsets, ends: Mapping[int, int], stopped: Callable[[], bool]
) -> Iterator[Sequence[Message]]:
    """The records from `positions` to just before `ends`, some at a time; moves `positions`, each time before it
    gives on. Raises BackfillError if Kafka refuses."""
    left = {partition for partition, end in ends.items() if positions[partition] < end}
    consumer.assign([TopicPartition(topic, partition, positions[partition]) for partition in sorted(left)])
    while left and not stopped():
        taken = []
        with told(f"topic {topic}"):
            fetched = consumer.consume(FETCH, FETCH_S)
        for message in fetched:
            partition = message.partition()
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    left.discard(partition)
                    positions[partition] = max(positions[partition], ends[partition])
                elif error.code() not in TRANSIENT:
                    raise BackfillError(f"topic {topic}: {error.str()}")
            elif partition in left:
                if message.offset() < ends[partition]:
                    taken.append(message)
                    positions[partition] = message.offset() + 1
                if positions[partition] >= ends[partition] or message.offset() >= ends[partition]:
                    left.discard(partition)
                    positions[partition] = ends[partition]
        if taken:
            yield taken
    consumer.unassign()


@contextmanager
def told(what: str) -> Iterator[None]:
    """Kafka's refusals as a BackfillError, and as a KafkaUnreached if no broker answers."""
    try:
        yield
    except KafkaException as error:
        found = error.args[0]
        if is_unreached(found):
            raise KafkaUnreached(f"{what}: {found.str()}") from None
        raise BackfillError(f"{what}: {found.str()}. Are kafka.topics, or --topic, right?") from None
