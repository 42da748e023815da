"""Fields that were left out or changed: counted by reason, sampled into the log, never with a value."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

import structlog

from mapping.profile import FieldProblem
from streams.metrics import Metrics

SAMPLE_EVERY_S = 10.0

log = structlog.get_logger("segbatch.fields")


class FieldProblems:
    """Counts problems, and logs at most one sample of each reason in ten seconds."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._sampled: dict[str, float] = {}
        self._since_sample: Counter[str] = Counter()

    def report(self, problems: Iterable[FieldProblem]) -> None:
        """Problems of one record."""
        for problem in problems:
            self.add(problem.reason, problem.field)

    def add(self, reason: str, field: str, message: str = "") -> None:
        """One problem. `field` is a field's path in the event; `message` is Batch's, masked."""
        self._metrics.field_problems.labels(reason).inc()
        self._since_sample[reason] += 1
        now = time.monotonic()
        if now - self._sampled.get(reason, -SAMPLE_EVERY_S) < SAMPLE_EVERY_S:
            return
        self._sampled[reason] = now
        detail = {"message": message} if message else {}
        log.warning(
            "field left out or changed",
            reason=reason,
            field=field,
            count=self._since_sample.pop(reason),
            **detail,
        )
