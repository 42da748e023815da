"""Gauges of the worker's state, read when somebody asks for the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from sink.coalescer import Coalescer
from sink.delivery import Delivery
from sink.limiter import Limiter
from streams.assignments import Assignments
from streams.dead_letters import DeadLetterWriter
from streams.metrics import Metrics
from streams.source import KafkaSource

Value = tuple[dict[str, str], float]


def add_gauges(
    metrics: Metrics,
    assignments: Assignments,
    coalescer: Coalescer,
    limiter: Limiter,
    source: KafkaSource,
    letters: DeadLetterWriter,
    delivery: Delivery,
) -> None:
    """Add the gauges of everything that waits."""

    def oldest() -> Iterable[Value]:
        since = coalescer.oldest
        yield {}, 0.0 if since is None else max(0.0, asyncio.get_running_loop().time() - since)

    def unread() -> Iterable[Value]:
        for ledger, records in source.unread():
            yield {"topic": ledger.topic, "partition": str(ledger.partition)}, records

    def commit_age() -> Iterable[Value]:
        for ledger in assignments.ledgers.values():
            yield {"topic": ledger.topic, "partition": str(ledger.partition)}, source.committer.age_s(ledger)

    def single(value: float) -> Iterable[Value]:
        yield {}, value

    place = ("topic", "partition")
    probe = metrics.probe
    probe(
        "segbatch_pending_records",
        "Records that wait or are in flight.",
        (),
        lambda: single(coalescer.records),
    )
    probe("segbatch_pending_bytes", "Estimated memory of them.", (), lambda: single(coalescer.bytes))
    probe(
        "segbatch_pending_profiles",
        "Profiles with something waiting.",
        (),
        lambda: single(coalescer.profiles),
    )
    probe("segbatch_updates_in_flight", "Updates that are out.", (), lambda: single(coalescer.out))
    probe("segbatch_oldest_pending_seconds", "How long the oldest of them has waited.", (), oldest)
    probe(
        "segbatch_dead_letters_outstanding",
        "Letters not confirmed yet.",
        (),
        lambda: single(letters.outstanding),
    )
    probe("segbatch_unread_records", "Records in Kafka that were not fetched yet.", place, unread)
    probe(
        "segbatch_commit_age_seconds", "Time without a confirmed commit while one is due.", place, commit_age
    )
    probe("segbatch_tokens", "Profile updates that could leave now.", (), lambda: single(limiter.tokens()))
    probe(
        "segbatch_breaker_open",
        "1 while Batch takes nothing and only probes are sent, else 0.",
        (),
        lambda: single(float(delivery.opening is not None)),
    )
    probe(
        "segbatch_catching_up",
        "1 while a backlog is read before anything more is sent, else 0.",
        (),
        lambda: single(float(delivery.reading_first)),
    )
    metrics.counter_probe(
        "segbatch_places_waited_seconds",
        "Time that calls waited because as many as may be were under way.",
        lambda: delivery.place_waited_s,
    )
    metrics.counter_probe(
        "segbatch_drains_seconds",
        "Time that revocations waited for requests and dead letters in flight.",
        lambda: source.drained_s,
    )
    metrics.counter_probe(
        "segbatch_tokens_waited_seconds", "Time that calls waited for tokens.", lambda: limiter.waited_s
    )
