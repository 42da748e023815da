"""A source whose reading failed still ends."""

from __future__ import annotations

from typing import Any

from sink.limiter import Limiter
from streams.assignments import Assignments
from streams.metrics import Metrics
from streams.source import KafkaSource, SourceHooks


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
