"""Gauges of the worker's state, read when somebody asks for the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from sink.coalescer import Coalescer
from sink.delivery import Delivery
from sink.limiter import Limiter
from streams.assignments import Assignments
from streams.dead_letters import DeadLetterWriter
from streams.ledger import Ledger
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
    """Add the gauges of everything that waits, and the counters of how long things waited."""
    _add_pending(metrics, coalescer, letters)
    _add_kafka(metrics, assignments, source)
    _add_batch(metrics, limiter, delivery)


def _add_pending(metrics: Metrics, coalescer: Coalescer, letters: DeadLetterWriter) -> None:
    def oldest_s() -> float:
        since = coalescer.oldest
        return 0.0 if since is None else max(0.0, asyncio.get_running_loop().time() - since)

    gauge = partial(_add_single, metrics)
    gauge("segbatch_pending_records", "Records that wait or are in flight.", lambda: coalescer.records)
    gauge("segbatch_pending_bytes", "Estimated memory of them.", lambda: coalescer.bytes)
    gauge("segbatch_pending_profiles", "Profiles with something waiting.", lambda: coalescer.profiles)
    gauge("segbatch_updates_in_flight", "Updates that are out.", lambda: coalescer.out)
    gauge("segbatch_oldest_pending_seconds", "How long the oldest of them has waited.", oldest_s)
    gauge("segbatch_dead_letters_outstanding", "Letters not confirmed yet.", lambda: letters.outstanding)


def _add_kafka(metrics: Metrics, assignments: Assignments, source: KafkaSource) -> None:
    def place(ledger: Ledger) -> dict[str, str]:
        return {"topic": ledger.topic, "partition": str(ledger.partition)}

    def unread() -> Iterable[Value]:
        for ledger, records in source.unread():
            yield place(ledger), records

    def commit_age() -> Iterable[Value]:
        for ledger in assignments.ledgers.values():
            yield place(ledger), source.committer.age_s(ledger)

    labels = ("topic", "partition")
    metrics.probe("segbatch_unread_records", "Records in Kafka that were not fetched yet.", labels, unread)
    metrics.probe(
        "segbatch_commit_age_seconds",
        "Time without a confirmed commit while one is due.",
        labels,
        commit_age,
    )
    metrics.counter_probe(
        "segbatch_drains_seconds",
        "Time that revocations waited for requests and dead letters in flight.",
        lambda: source.drained_s,
    )


def _add_batch(metrics: Metrics, limiter: Limiter, delivery: Delivery) -> None:
    gauge = partial(_add_single, metrics)
    gauge("segbatch_tokens", "Profile updates that could leave now.", limiter.tokens)
    gauge(
        "segbatch_breaker_open",
        "1 while Batch takes nothing and only probes are sent, else 0.",
        lambda: delivery.opening is not None,
    )
    gauge(
        "segbatch_catching_up",
        "1 while a backlog is read before anything more is sent, else 0.",
        lambda: delivery.reading_first,
    )
    metrics.counter_probe(
        "segbatch_tokens_waited_seconds", "Time that calls waited for tokens.", lambda: limiter.waited_s
    )
    metrics.counter_probe(
        "segbatch_places_waited_seconds",
        "Time that calls waited because as many as may be were under way.",
        lambda: delivery.place_waited_s,
    )


def _add_single(metrics: Metrics, name: str, text: str, read: Callable[[], float]) -> None:
    """A gauge with one value and no labels."""
    metrics.probe(name, text, (), lambda: [({}, float(read()))])
