"""A source that ends: its reading failed, or it was asked to stop in the middle of a rebalance."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from sink.limiter import Limiter
from streams.assignments import Assignments
from streams.catch_up import CatchUp, Surroundings
from streams.metrics import Metrics
from streams.source import KafkaSource, SourceHooks


class FakeConsumer:
    """Fetches what it was given, and can be asked for nothing."""

    def __init__(self, fetches: list[Any]) -> None:
        self._fetches = fetches
        self.callbacks: dict[str, Any] = {}
        self.closed = False

    async def subscribe(self, topics: list[str], **callbacks: Any) -> None:
        self.callbacks = callbacks

    async def consume(self, most: int, timeout_s: float) -> list[Any]:
        await asyncio.sleep(0)
        return self._fetches

    async def close(self) -> None:
        self.closed = True


Failures = list[BaseException]


def make_source(
    monkeypatch: pytest.MonkeyPatch, fetches: list[Any]
) -> tuple[KafkaSource, FakeConsumer, Failures]:
    consumer = FakeConsumer(fetches)
    monkeypatch.setattr("streams.source.AIOConsumer", lambda settings, max_workers: consumer)
    failures: Failures = []
    metrics = Metrics()
    hooks = SourceHooks(
        emit=_nothing,
        full=lambda: False,
        room=lambda: 1,
        drain=_nothing,
        catch_up=CatchUp(0.0, Surroundings(lambda: 0.0, lambda: 0, lambda: 0, lambda: False)),
        forget=lambda: None,
        on_ready=lambda: None,
        on_failure=failures.append,
    )
    assignments = Assignments("earliest", metrics)
    return KafkaSource({}, ["events"], 1.0, assignments, Limiter(1, 1), metrics, hooks), consumer, failures


async def test_a_source_whose_reading_failed_tells_it_and_closes_its_consumer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, consumer, failures = make_source(monkeypatch, fetches=[object()])
    await source.on_start()
    while not failures:
        await source.sleep(0)

    source.stop_reading()
    await source.leave()

    assert [type(failure) for failure in failures] == [TypeError]
    assert consumer.closed


async def test_a_source_that_was_asked_to_stop_takes_no_partitions_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, consumer, failures = make_source(monkeypatch, fetches=[])
    await source.on_start()
    source.stop_reading()

    await consumer.callbacks["on_assign"](consumer, [TopicPartition("events", 0)])
    await consumer.callbacks["on_revoke"](consumer, [TopicPartition("events", 0)])
    await source.leave()

    assert failures == []
    assert consumer.closed


async def _nothing(_: Any) -> None: ...
