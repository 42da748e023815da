"""When the worker itself stands still: it reads nothing, sends nothing and writes no dead letter, and stays in the
group."""

from __future__ import annotations

import structlog

from sink.delivery import Delivery
from streams.dead_letter_limits import DeadLetterLimits, LimitReached
from streams.metrics import Metrics

log = structlog.get_logger("segbatch.standstill")


class Standstill:
    """Paused by `delivery.enabled`, or halted by a limit of the dead letters, or both."""

    def __init__(
        self, delivery: Delivery, limits: DeadLetterLimits, metrics: Metrics, *, enabled: bool
    ) -> None:
        self._delivery = delivery
        self._limits = limits
        self._metrics = metrics
        self.paused = not enabled
        limits.on_reached = self._halt
        self._apply()

    @property
    def active(self) -> bool:
        """Whether it stands still."""
        return self.paused or self.halt is not None

    @property
    def halt(self) -> LimitReached | None:
        """The limit that was reached; None if none was."""
        return self._limits.reached

    def enable(self, enabled: bool) -> None:
        """Pause, or go on."""
        if self.paused is enabled:
            self.paused = not enabled
            log.info("delivery goes on" if enabled else "delivery is paused", setting="delivery.enabled")
            self._apply()

    def lift_halt(self) -> bool:
        """Forget the limit that was reached, after a person mended the cause. Whether there was one; then the records
        that were not let through have to be read again."""
        if self.halt is None:
            return False
        self._limits.reset()
        self._metrics.dead_letter_limit_reached.set(0)
        log.info("the halt is lifted: records that were not delivered are read again")
        self._apply()
        return True

    def _halt(self, reached: LimitReached) -> None:
        self._metrics.dead_letter_limit_reached.set(1)
        log.error(
            "halted: too many dead letters; nothing more is read, sent or dead-lettered",
            setting=reached.setting,
            detail=reached.detail,
            remedy="mend the producer or the mapping, or raise the setting in the file; then send SIGHUP, or restart",
        )
        self._apply()

    def _apply(self) -> None:
        if self.active:
            self._delivery.hold()
        else:
            self._delivery.go_on()
