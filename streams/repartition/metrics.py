"""The metrics of `segbatch repartition`. What the worker counts too has the worker's name."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.repartition.keys import KeyOrigin

_PLACE = ("topic", "partition")


class RepartitionMetrics:
    """In a registry of their own. May be used from any thread."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._records = Counter(
            "segbatch_repartitioned_records_total",
            "Records in committed transactions, by where their key comes from.",
            ("key",),
            registry=registry,
        )
        self.transactions = Counter(
            "segbatch_transactions_total", "Transactions by result.", ("result",), registry=registry
        )
        self.rebalances = Counter(
            "segbatch_rebalances_total", "Partitions assigned, revoked, lost.", ("kind",), registry=registry
        )
        self.lost_records = Counter(
            "segbatch_lost_to_retention_total",
            "Offsets that Kafka had deleted before they were read.",
            _PLACE,
            registry=registry,
        )
        self.unread = Gauge(
            "segbatch_unread_records",
            "Records in Kafka that are not in a committed transaction yet.",
            _PLACE,
            registry=registry,
        )
        self._copied: Tally[KeyOrigin] = Tally()

    def committed(self, copied: Tally[KeyOrigin]) -> None:
        """A transaction with these records was committed."""
        self.transactions.labels("committed").inc()
        for origin, count in copied.items():
            self._records.labels(origin).inc(count)
        self._copied.update(copied)

    def summary(self) -> dict[str, Any]:
        """The closing account."""
        return {"records": dict(sorted(self._copied.items()))}
