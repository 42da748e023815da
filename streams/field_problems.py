"""Fields that were left out or changed: counted by reason, sampled into the log, never with a value."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from mapping.profile import FieldProblem
from streams.metrics import Metrics
from streams.samples import Samples

log = structlog.get_logger("segbatch.fields")


class FieldProblems:
    """Counts problems, and logs at most one sample of each reason in ten seconds."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._samples = Samples()

    def report(self, problems: Iterable[FieldProblem]) -> None:
        """Problems of one record."""
        for problem in problems:
            self.add(problem.reason, problem.field)

    def add(self, reason: str, field: str, message: str = "") -> None:
        """One problem. `field` is a field's path in the event; `message` is Batch's, masked."""
        self._metrics.field_problems.labels(reason).inc()
        if count := self._samples.add(reason):
            detail = {"message": message} if message else {}
            log.warning("field left out or changed", reason=reason, field=field, count=count, **detail)
