"""Every metric of the worker, and the counts of its closing summary: nothing else defines any.

Labels never hold a user, an attribute or an event name: reasons and statuses are closed lists.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]
"""No `…_created` series beside every counter: a third more lines, which nobody asked for."""

LATENCY_BUCKETS_S = (
    0.05,
    0.1,
    0.2,
    0.3,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    1800.0,
    7200.0,
    86400.0,
)

Gauges = Callable[[], Iterable[tuple[Mapping[str, str], float]]]


class Latency(Collector):
    """A histogram of single values that arrive by the thousand: plain lists until somebody asks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts = [0] * (len(LATENCY_BUCKETS_S) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, seconds: list[float]) -> None:
        """Count these values; sorts them."""
        seconds.sort()
        counted = 0
        for index, bound in enumerate(LATENCY_BUCKETS_S):
            below = bisect_right(seconds, bound)
            self._counts[index] += below - counted
            counted = below
            if counted == len(seconds):
                break
        self._counts[-1] += len(seconds) - counted
        self._sum += sum(seconds)

    def collect(self) -> Iterator[Metric]:
        """The histogram as Prometheus reads it: cumulative counts by upper bound."""
        buckets, total = [], 0
        for bound, count in zip([*map(str, LATENCY_BUCKETS_S), "+Inf"], self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        family = HistogramMetricFamily(
            "segbatch_append_to_acceptance_seconds",
            "Seconds from a record's append to Kafka until Batch accepted its update.",
        )
        family.add_metric([], buckets, self._sum)
        yield family


class _Probe(Collector):
    """A gauge that is read when somebody asks."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...], read: Gauges) -> None:
        self._name, self._text, self._labels, self._read = name, text, labels, read

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(self._name, self._text, labels=self._labels)
        for labels, value in self._read():
            family.add_metric([labels[label] for label in self._labels], value)
        yield family


class _CounterProbe(Collector):
    """A counter that is read when somebody asks."""

    def __init__(self, name: str, text: str, read: Callable[[], float]) -> None:
        self._name, self._text, self._read = name, text, read

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(self._name, self._text, value=self._read())


class Metrics:
    """The worker's metrics, in a registry of their own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)

        # Records from Kafka, and what became of them.
        self.records = counter("segbatch_records_total", "Records by how they ended.", ("outcome", "reason"))
        self.field_problems = counter(
            "segbatch_field_problems_total", "Fields that were left out or changed.", ("reason",)
        )
        self.copies = counter(
            "segbatch_delivered_copies_total",
            "Copies in the dead letters of records that Batch accepted while it refused an event of theirs.",
        )
        self.unkeyed = counter("segbatch_unkeyed_records_total", "Records without a key.")
        self.lost_records = counter(
            "segbatch_lost_to_retention_total",
            "Offsets that Kafka had deleted before they were read.",
            ("topic", "partition"),
        )
        self.latency = Latency(registry)

        # Calls to Batch.
        self.updates = counter("segbatch_updates_total", "Profile updates that Batch accepted.")
        self.calls = counter(
            "segbatch_calls_total", "Calls to Batch by HTTP status or network failure.", ("status",)
        )
        self.call_seconds = counter("segbatch_call_seconds_total", "Seconds spent in calls to Batch.")
        self.retries = counter("segbatch_retries_total", "Calls that were tried again.")
        self.ambiguous = counter(
            "segbatch_ambiguous_answers_total",
            "Calls that may have been applied although they were not confirmed.",
        )
        self.halted = gauge("segbatch_halted", "1 while Batch refuses this worker as a whole, else 0.")

        # Commits, rebalances and dead letters.
        self.commits = counter("segbatch_commits_total", "Offset commits by result.", ("result",))
        self.rebalances = counter(
            "segbatch_rebalances_total", "Partitions assigned, revoked, lost.", ("kind",)
        )
        self.dead_letter_failures = counter(
            "segbatch_dead_letter_failures_total", "Dead letters that had to be written again."
        )
        self.dead_letter_limit_reached = gauge(
            "segbatch_dead_letter_limit_reached",
            "1 while the worker is halted because too many records would become dead letters, else 0.",
        )

        # The mappings file.
        self.mappings_reloads = counter(
            "segbatch_mappings_reloads_total",
            "Times that the mappings file was read again: applied or refused.",
            ("result",),
        )
        self.mappings_since = gauge(
            "segbatch_mappings_since_timestamp_seconds",
            "Since when the mappings in force are, in seconds since 1970.",
        )

        self._endings: Tally[tuple[str, str]] = Tally()
        self._calls: Tally[str] = Tally()
        self._updates = self._retries = self._ambiguous = 0

    def probe(self, name: str, text: str, labels: tuple[str, ...], read: Gauges) -> None:
        """Add a gauge that is read when somebody asks."""
        self.registry.register(_Probe(name, text, labels, read))

    def counter_probe(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a counter that is read when somebody asks."""
        self.registry.register(_CounterProbe(name, text, read))

    def records_ended(self, outcome: str, reason: str, count: int = 1) -> None:
        """Records ended as `accepted`, `skipped` or `dead_lettered`."""
        self.records.labels(outcome, reason).inc(count)
        self._endings[outcome, reason] += count

    def updates_accepted(self, count: int) -> None:
        """Batch accepted so many profile updates."""
        self.updates.inc(count)
        self._updates += count

    def call_ended(self, status: str, seconds: float) -> None:
        """A call to Batch ended."""
        self.calls.labels(status).inc()
        self.call_seconds.inc(seconds)
        self._calls[status] += 1

    def call_retried(self) -> None:
        """A call will be tried again."""
        self.retries.inc()
        self._retries += 1

    def answer_ambiguous(self) -> None:
        """A call may have been applied although it was not confirmed."""
        self.ambiguous.inc()
        self._ambiguous += 1

    def summary(self) -> dict[str, Any]:
        """The worker's closing account."""

        def by_reason(outcome: str) -> dict[str, int]:
            return {reason: n for (ended, reason), n in sorted(self._endings.items()) if ended == outcome}

        return {
            "records": {
                "accepted": sum(by_reason("accepted").values()),
                "skipped": by_reason("skipped"),
                "dead_lettered": by_reason("dead_lettered"),
            },
            "updates": self._updates,
            "calls": dict(sorted(self._calls.items())),
            "retries": self._retries,
            "ambiguous": self._ambiguous,
        }
