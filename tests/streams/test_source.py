"""How fetched messages are told apart, and that a source whose reading failed still leaves its group."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError, Message

from sink.limiter import Limiter
from streams.assignments import Assignments
from streams.metrics import Metrics
from streams.source import KafkaSource, SourceHooks, _runs


def fetched(partition: int, offset: int, error: int | None = None) -> Message:
    problem = None if error is None else KafkaError(error)
    return Message(topic="events", partition=partition, offset=offset, error=problem)


def test_an_error_between_records_of_its_partition_is_a_run_of_its_own() -> None:
    messages = [
        fetched(0, 1),
        fetched(0, 2),
        fetched(0, 3, KafkaError._PARTITION_EOF),
        fetched(0, 3),
        fetched(1, 1),
        fetched(1, 2, KafkaError._PARTITION_EOF),
        fetched(1, 2, KafkaError._AUTO_OFFSET_RESET),
    ]

    found = [(origin, len(run)) for origin, run in _runs(messages)]

    assert found == [
        (("events", 0, None), 2),
        (("events", 0, KafkaError._PARTITION_EOF), 1),
        (("events", 0, None), 1),
        (("events", 1, None), 1),
        (("events", 1, KafkaError._PARTITION_EOF), 1),
        (("events", 1, KafkaError._AUTO_OFFSET_RESET), 1),
    ]


def test_no_messages_are_no_runs() -> None:
    assert list(_runs([])) == []


class FailingConsumer:
    """Fetches something that breaks the reader."""

    closed = False

    async def subscribe(self, topics: list[str], **callbacks: Any) -> None: ...

    async def consume(self, most: int, timeout_s: float) -> list[Any]:
        return [object()]

    async def close(self) -> None:
        self.closed = True


async def test_a_source_whose_reading_failed_tells_it_and_closes_its_consumer(monkeypatch: Any) -> None:
    consumer = FailingConsumer()
    monkeypatch.setattr("streams.source.AIOConsumer", lambda settings, max_workers: consumer)
    failures: list[BaseException] = []
    metrics = Metrics()
    hooks = SourceHooks(
        emit=_nothing,
        full=lambda: False,
        room=lambda: 1,
        drain=_nothing,
        forget=lambda: None,
        on_ready=lambda: None,
        on_failure=failures.append,
    )
    source = KafkaSource({}, ["events"], 1.0, Assignments("earliest", metrics), Limiter(1, 1), metrics, hooks)
    await source.on_start()
    while not failures:
        await source.sleep(0)

    source.stop_reading()
    await source.leave()

    assert [type(failure) for failure in failures] == [TypeError]
    assert consumer.closed


async def _nothing(_: Any) -> None: ...
