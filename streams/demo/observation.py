"""What is seen from outside while it runs: the workers' metrics, the sandbox's statistics, the group's lag."""

from __future__ import annotations

import time
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import orjson
from confluent_kafka import KafkaException
from prometheus_client.parser import text_string_to_metric_families

from streams.demo.kafka import DemoKafka

ANSWER_S = 5.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Everything is on this machine: no proxy of the environment is asked."""

Reasons = dict[str, int]


class Snapshot(NamedTuple):
    """A moment of the demonstration. Counts are totals since its start; `lag` is None while nobody knows it."""

    seconds: float
    planned: int
    produced: int
    accepted: int
    skipped: Reasons
    dead_lettered: Reasons
    updates: int
    calls: int
    pending: int
    unread: int
    tokens_waited_s: float
    refused_429: int
    lag: int | None

    @property
    def finished(self) -> int:
        """Records that are accepted, skipped or dead-lettered."""
        return self.accepted + sum(self.skipped.values()) + sum(self.dead_lettered.values())


class Totals:
    """The metrics of all workers, added up by name and labels."""

    def __init__(self, pages: Iterable[str]) -> None:
        self._samples = [
            (sample.name, sample.labels, sample.value)
            for page in pages
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels."""
        return sum(value for _, value in self._matching(name, labels))

    def count(self, name: str) -> int:
        """How many samples a metric has."""
        return sum(1 for _ in self._matching(name, {}))

    def by_label(self, name: str, label: str, **labels: str) -> Reasons:
        """The sums by one label, in alphabetical order."""
        sums: Counter[str] = Counter()
        for found, value in self._matching(name, labels):
            sums[found[label]] += int(value)
        return dict(sorted(sums.items()))

    def _matching(self, name: str, labels: Mapping[str, str]) -> Iterator[tuple[dict[str, str], float]]:
        for of, found, value in self._samples:
            if of == name and labels.items() <= found.items():
                yield found, value


class Observer:
    """Looks at the running parts. Errors of a single look are OSError; the next one may succeed."""

    def __init__(self, kafka: DemoKafka, workers: list[str], sandbox: str) -> None:
        self._kafka = kafka
        self._workers = workers
        self._sandbox = sandbox

    def owned_partitions(self) -> int:
        """Partitions that the workers say they own, together."""
        return self._totals().count("segbatch_commit_age_seconds")

    def look(self, started: float, planned: int, produced: int) -> Snapshot:
        """The present moment; `started` is of the monotonic clock."""
        totals = self._totals()
        stats = self.sandbox_stats()
        records = "segbatch_records_total"
        return Snapshot(
            seconds=time.monotonic() - started,
            planned=planned,
            produced=produced,
            accepted=int(totals.value(records, outcome="accepted")),
            skipped=totals.by_label(records, "reason", outcome="skipped"),
            dead_lettered=totals.by_label(records, "reason", outcome="dead_lettered"),
            updates=stats["updates"],
            calls=stats["calls"],
            pending=int(totals.value("segbatch_pending_records")),
            unread=int(totals.value("segbatch_unread_records")),
            tokens_waited_s=totals.value("segbatch_tokens_waited_seconds_total"),
            refused_429=stats["refused_429"],
            lag=self._lag(),
        )

    def sandbox_stats(self) -> dict[str, Any]:
        """The sandbox's `GET /_sandbox/stats`."""
        stats: dict[str, Any] = orjson.loads(_get(f"{self._sandbox}/_sandbox/stats"))
        return stats

    def profiles(self) -> list[dict[str, Any]]:
        """The sandbox's `GET /_sandbox/profiles`."""
        return [orjson.loads(line) for line in _get(f"{self._sandbox}/_sandbox/profiles").splitlines()]

    def _totals(self) -> Totals:
        return Totals(_get(f"{worker}/metrics").decode() for worker in self._workers)

    def _lag(self) -> int | None:
        with suppress(KafkaException):
            return self._kafka.lag()
        return None


def _get(address: str) -> bytes:
    with _DIRECT.open(address, timeout=ANSWER_S) as answer:
        body: bytes = answer.read()
    return body
