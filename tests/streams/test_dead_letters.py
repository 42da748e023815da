"""What a dead letter carries, and when its record counts as done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from sink.settlement import Refusal
from streams import dead_letters
from streams.dead_letters import PRODUCER, DeadLetterWriter, letter_headers
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


def record_of(message: FakeMessage) -> Record:
    return fetched(Ledger("events", 2, message.offset()), message)[0]


def test_the_headers_say_what_happened_in_kafka_connects_words_and_ours() -> None:
    record = record_of(FakeMessage(offset=77))
    headers = dict(letter_headers(record, REFUSAL, value_left_out=False))
    expected = {
        "__connect.errors.topic": b"events",
        "__connect.errors.partition": b"2",
        "__connect.errors.offset": b"77",
        "__connect.errors.exception.message": b"Batch refuses it.",
        "segbatch.reason": b"refused_by_batch",
        "segbatch.http.status": b"400",
        "segbatch.batch.message": b"Malformed ***",
        "segbatch.attempts": b"3",
        "segbatch.delivered": b"false",
        "segbatch.record.at": b"2026-01-01T00:00:00.000Z",
    }
    assert {name: headers[name] for name in expected} == expected
    failed_at = headers["segbatch.failed.at"]
    assert failed_at is not None
    assert failed_at.endswith(b"Z")
    assert "segbatch.value.left.out" not in headers


def test_a_record_without_a_time_has_no_time_in_its_letter() -> None:
    headers = dict(letter_headers(record_of(FakeMessage(timestamp=(0, -1))), REFUSAL, value_left_out=False))
    assert "segbatch.record.at" not in headers


def test_a_copy_says_that_its_record_was_delivered() -> None:
    refusal = Refusal("event_refused_by_batch", "d", "202", delivered=True)
    headers = dict(letter_headers(record_of(FakeMessage()), refusal, value_left_out=False))
    assert headers["segbatch.delivered"] == b"true"


def test_no_header_of_ours_carries_anything_of_the_key_or_value() -> None:
    record = record_of(FakeMessage(b'{"userId":"canary"}', b"canary"))
    for _, value in letter_headers(record, REFUSAL, value_left_out=True):
        assert value is None or b"canary" not in value
