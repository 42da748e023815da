"""What a dead letter carries, and when its record counts as done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from confluent_kafka import KafkaError, KafkaException

from sink.settlement import Refusal
from streams import dead_letters
from streams.dead_letters import PRODUCER, DeadLetterWriter
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.records import Record
from tests.streams.fakes import FakeMessage, fetched

REFUSAL = Refusal("refused_by_batch", "Batch refuses it.", "400", "Malformed ***", 3)


class FakeProducer:
    """Kafka's producer: keeps what was produced, and answers when told to."""

    def __init__(self) -> None:
        self.produced: list[dict[str, Any]] = []
        self.refusals: list[Exception] = []
        self.partitions = 4
        self.settings: dict[str, Any] = {}

    def produce(self, topic: str, **letter: Any) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.produced.append({"topic": topic, **letter})

    def poll(self, timeout: float) -> int:
        return 0

    async def reaches(self, count: int) -> None:
        """Wait until so many letters were produced."""
        for _ in range(1000):
            if len(self.produced) >= count:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"{count} letters were expected, {len(self.produced)} were produced")

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        described = SimpleNamespace(error=None, partitions=dict.fromkeys(range(self.partitions)))
        return SimpleNamespace(topics={topic: described})

    def confirm(self, error: KafkaError | None = None) -> None:
        """Kafka answers the last letter."""
        answer: Callable[..., None] = self.produced[-1]["on_delivery"]
        answer(error, None)


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()

    def make(settings: dict[str, Any], **_: Any) -> FakeProducer:
        fake.settings |= settings
        return fake

    monkeypatch.setattr(dead_letters, "Producer", make)
    return fake


class Scene:
    """A writer, and a record of partition 2."""

    def __init__(self, message: FakeMessage | None = None) -> None:
        self.metrics = Metrics()
        self.confirmed: list[tuple[Record, Refusal]] = []
        self.writer = DeadLetterWriter(
            {"bootstrap.servers": "x"},
            lambda topic: f"{topic}.dead-letter",
            self.metrics,
            lambda record, refusal: self.confirmed.append((record, refusal)),
            lambda record: ["first", "second"] if record.message.value() == b"the value" else [],
        )
        (self.record,) = fetched(Ledger("events", 2, 0), message or FakeMessage(b"the value", b"the key"))

    async def write(self, producer: FakeProducer) -> None:
        count = len(producer.produced)
        self.writer.write(self.record, REFUSAL)
        await producer.reaches(count + 1)


async def test_a_letter_has_the_records_key_value_headers_and_partition(producer: FakeProducer) -> None:
    scene = Scene(FakeMessage(b"the value", b"the key", 0, [("own", b"1"), ("own", None)]))
    await scene.write(producer)
    (letter,) = producer.produced
    assert (letter["topic"], letter["key"], letter["value"]) == (
        "events.dead-letter",
        b"the key",
        b"the value",
    )
    assert letter["partition"] == 2
    assert letter["headers"][:2] == [("own", b"1"), ("own", None)]


async def test_a_letter_names_the_mappings_that_matched(producer: FakeProducer) -> None:
    scene = Scene()
    await scene.write(producer)
    names = [value for name, value in producer.produced[0]["headers"] if name == "segbatch.mapping"]
    assert names == [b"first", b"second"]


async def test_a_dead_letter_topic_with_fewer_partitions_goes_by_key(producer: FakeProducer) -> None:
    producer.partitions = 1
    scene = Scene()
    await scene.write(producer)
    assert "partition" not in producer.produced[0]
    assert dict(producer.produced[0]["headers"])["__connect.errors.partition"] == b"2"


async def test_the_record_is_done_only_when_kafka_confirms(producer: FakeProducer) -> None:
    scene = Scene()
    await scene.write(producer)
    assert (scene.confirmed, scene.writer.outstanding) == ([], 1)
    producer.confirm()
    assert scene.confirmed == [(scene.record, REFUSAL)]
    assert scene.writer.outstanding == 0
    await scene.writer.settled(lambda record: True)


async def test_what_kafka_refuses_is_written_again_and_shows_until_it_is_taken(
    producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(
        dead_letters, "time", SimpleNamespace(monotonic=lambda: clock["now"], time=lambda: 1.8e9)
    )
    scene = Scene()
    running = asyncio.create_task(scene.writer.run())
    await scene.write(producer)
    producer.confirm(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    assert scene.writer.failure == "TOPIC_AUTHORIZATION_FAILED"
    assert scene.writer.outstanding == 1
    await asyncio.sleep(0.05)
    assert len(producer.produced) == 1
    clock["now"] = 60.0
    await producer.reaches(2)
    producer.confirm()
    assert (scene.writer.failure, len(scene.confirmed)) == ("", 1)
    running.cancel()


async def test_a_letter_too_large_for_the_broker_goes_without_its_value_and_says_so(
    producer: FakeProducer,
) -> None:
    scene = Scene()
    await scene.write(producer)
    while producer.produced[-1]["value"] is not None:
        assert len(producer.produced) < 5
        producer.confirm(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
    letter = producer.produced[-1]
    headers = dict(letter["headers"])
    assert letter["key"] == b"the key"
    assert headers["segbatch.value.left.out"] == b"true"
    where = [headers[f"__connect.errors.{name}"] for name in ("topic", "partition", "offset")]
    assert where == [b"events", b"2", b"0"]
    producer.confirm()
    assert len(scene.confirmed) == 1


async def test_a_letter_too_large_for_the_client_goes_without_its_value_too(producer: FakeProducer) -> None:
    scene = Scene()
    producer.refusals = [KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))] * 2
    await scene.write(producer)
    assert producer.produced[-1]["value"] is None


async def test_letters_of_a_partition_that_was_given_up_are_not_waited_for(producer: FakeProducer) -> None:
    scene = Scene()
    scene.record.ledger.forgotten = True
    scene.writer.write(scene.record, REFUSAL)
    assert (scene.writer.outstanding, producer.produced) == (0, [])


async def test_settled_waits_for_the_letters_of_the_records_it_is_asked_about(producer: FakeProducer) -> None:
    scene = Scene()
    await scene.write(producer)
    await scene.writer.settled(lambda record: record is not scene.record)
    waiting = asyncio.create_task(scene.writer.settled(lambda record: record is scene.record))
    await asyncio.sleep(0)
    assert not waiting.done()
    producer.confirm()
    await asyncio.wait_for(waiting, 5)


def test_our_producers_are_idempotent_and_partition_as_javas_do(producer: FakeProducer) -> None:
    Scene()
    assert (PRODUCER["enable.idempotence"], PRODUCER["acks"]) == (True, "all")
    assert producer.settings["partitioner"] == "murmur2_random"
    assert producer.settings["enable.idempotence"] is True


async def test_letters_are_logged_by_reason_as_a_sample_without_anything_of_the_record(
    producer: FakeProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"at": 1000.0}
    monkeypatch.setattr("streams.samples.time.monotonic", lambda: now["at"])
    ledger = Ledger("events", 0, 0)
    records = fetched(ledger, *(FakeMessage(b"canary", b"canary", offset) for offset in range(5)))
    letters = Scene().writer
    with structlog.testing.capture_logs() as lines:
        for record in records[:3]:
            letters.write(record, REFUSAL)
        letters.write(records[3], Refusal("invalid_json", "no JSON"))
        now["at"] += 11.0
        letters.write(records[4], REFUSAL)
    told = [line for line in lines if line["event"] == "dead letters"]
    assert [(line["reason"], line["count"], line["log_level"]) for line in told] == [
        ("refused_by_batch", 1, "warning"),
        ("invalid_json", 1, "warning"),
        ("refused_by_batch", 3, "warning"),
    ]
    assert "canary" not in str(lines)
