"""The calls of a backfill by how they ended, put down one by one: the report of one that was killed has them too."""

from __future__ import annotations

from collections import Counter

from streams.backfill.store import Store
from streams.field_problems import FieldProblems
from streams.metrics import Metrics
from streams.observer import LoggingObserver


class RecordedCalls(LoggingObserver):
    """Keeps the fact `calls`, HTTP status or network failure → calls, of all processes of the backfill. A call that
    was in flight when a process was killed has no status and is not in it."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        super().__init__(metrics, FieldProblems(metrics))
        self._store = store
        self._calls: Counter[str] = Counter(store.fact("calls", {}))

    def call_answered(self, status: str, seconds: float) -> None:
        """A call ended with this status."""
        super().call_answered(status, seconds)
        self._calls[status] += 1
        self._store.put("calls", self._calls)
