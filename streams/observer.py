"""What delivery tells: counted, and logged where a person would want to know."""

from __future__ import annotations

import time

import structlog

from sink.breaker import Opening
from streams.field_problems import FieldProblems
from streams.metrics import Metrics

LOG_RETRIES_EVERY_S = 5.0

log = structlog.get_logger("segbatch.delivery")


class LoggingObserver:
    """Implements `sink.settlement.Observer`."""

    def __init__(self, metrics: Metrics, problems: FieldProblems) -> None:
        self._metrics = metrics
        self._problems = problems
        self._retry_logged = 0.0
        self._retries_since = 0

    def call_answered(self, status: str, seconds: float) -> None:
        """A call ended with this status."""
        self._metrics.call_ended(status, seconds)

    def call_retried(self, status: str, message: str, wait_s: float, attempts: int) -> None:
        """A call will be tried again; logged at most every five seconds."""
        self._metrics.call_retried()
        self._retries_since += 1
        now = time.monotonic()
        if now - self._retry_logged >= LOG_RETRIES_EVERY_S:
            log.warning(
                "Batch did not take a call, trying again",
                status=status,
                message=message,
                wait_s=round(wait_s, 2),
                attempts=attempts,
                retries_since_last_line=self._retries_since,
            )
            self._retry_logged, self._retries_since = now, 0

    def answer_ambiguous(self) -> None:
        """A call may have been applied although it was not confirmed."""
        self._metrics.answer_ambiguous()

    def field_refused(self, reason: str, field: str, message: str) -> None:
        """A field, or an event, was changed or refused."""
        self._problems.add(reason, field, message)

    def breaker_turned(self, opening: Opening | None) -> None:
        """Batch takes nothing, or takes calls again."""
        self._metrics.halted.set(int(opening is not None and opening.refused))
        if opening is None:
            log.info("resumed: Batch takes calls again")
            return
        told = {"status": opening.status, "message": opening.message, "remedy": opening.remedy}
        if opening.refused:
            log.error("halted: Batch refuses every call", **told)
        else:
            log.warning("Batch takes no calls: only probes are sent until it does", **told)
