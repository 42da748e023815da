"""The circuit breaker: while Batch takes nothing, one small call at a time asks whether it does again.

It opens when Batch refuses us as a whole (a wrong key, say), or when calls fail one after another. While it is open no
call is made but probes, after 1 s, then 2 s, and so on up to every 30 s. It closes as soon as Batch takes a call, or
answers one with something that is wrong with that call alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from sink.client import Answer, Verdict

FIRST_PROBE_S = 1.0
LONGEST_PROBE_S = 30.0
FAILING_S = 30.0
"""After so long without a success two failures in a row are enough: a worker with little to send makes few calls."""
REMEDIES = {
    "401": "is batch.rest_api_key right, and does it belong to the project of batch.project_key?",
    "403": "may this batch.rest_api_key write to the project of batch.project_key?",
    "404": "are batch.base_url, batch.api_version and batch.project_key right?",
    "429": "does another program write to this project? Lower batch.rate_per_s and batch.burst by its share",
}

SETTINGS = {"401": "batch.rest_api_key", "403": "batch.rest_api_key", "429": "batch.rate_per_s"}


@dataclass(frozen=True, slots=True)
class Opening:
    """Why no call is made but probes."""

    status: str
    """The last answer's: an HTTP status, or `timeout`, `connection_lost`, `connection_failed`."""
    message: str
    """What Batch, or the network, says. Masked."""
    refused: bool
    """Batch refuses us as a whole, and a setting has to be mended; else calls fail."""
    since: float
    """Of the first of the failures, seconds since 1970."""

    @property
    def setting(self) -> str:
        """The setting to look at first."""
        return SETTINGS.get(self.status, "batch.base_url")

    @property
    def remedy(self) -> str:
        """Which setting to look at."""
        otherwise = (
            "is batch.base_url Batch's address?" if self.refused else "is Batch up, and batch.base_url right?"
        )
        return REMEDIES.get(self.status, otherwise)


class Breaker:
    """Knows whether calls may be made, and whose turn it is to probe. `now` is the loop's clock."""

    def __init__(
        self, after_failures: int, now: Callable[[], float], wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._after_failures = after_failures
        self._now = now
        self._wall_clock = wall_clock
        self.opening: Opening | None = None
        """Set while it is open."""
        self.failures = 0
        """Calls that failed since the last one that did not."""
        self._failing_since = 0.0
        self._not_before = 0.0
        self._delay_s = FIRST_PROBE_S
        self._next_probe_at = 0.0
        self._probing = False
        self._waiting: dict[Hashable, float] = {}

    def answered(self, answer: Answer, message: str, *, probe: bool = False) -> bool:
        """A call ended so; `message` is the answer's, masked. Whether that opened it, closed it, or changed between
        calls that fail and being refused."""
        before = self.opening
        if answer.verdict not in (Verdict.RETRY, Verdict.HALT):
            self.failures, self._not_before, self.opening = 0, 0.0, None
            return before is not None
        if self.failures == 0:
            self._failing_since = self._wall_clock()
        self.failures += 1
        self._not_before = max(self._not_before, self._now() + (answer.retry_after_s or 0.0))
        refused = answer.verdict is Verdict.HALT
        if before is not None or refused or self._is_run():
            self.opening = Opening(answer.status, message, refused, self._failing_since)
            if before is None or probe:
                self._delay_s = FIRST_PROBE_S if before is None else min(LONGEST_PROBE_S, self._delay_s * 2)
                self._next_probe_at = self._now() + self._delay_s
            self._next_probe_at = max(self._next_probe_at, self._not_before)
        return self.opening is not None and (before is None or before.refused is not refused)

    def wait(self, call: Hashable, rank: float) -> None:
        """The call waits for its turn to probe; the lowest rank is first."""
        self._waiting[call] = rank

    def leave(self, call: Hashable) -> None:
        """The call does not wait any more."""
        self._waiting.pop(call, None)

    def seconds_until_turn(self, call: Hashable) -> float | None:
        """How long until the waiting call is to probe; None while it is another's turn."""
        if self._probing or min(self._waiting, key=self._waiting.__getitem__) is not call:
            return None
        return self.seconds_until_probe

    @property
    def seconds_until_probe(self) -> float:
        """How long until the next probe may be sent."""
        return max(0.0, self._next_probe_at - self._now())

    def begin_probe(self) -> None:
        """The call whose turn it is probes: nobody else does meanwhile."""
        self._probing = True

    def end_probe(self) -> None:
        """The probe was answered, or was not sent after all."""
        self._probing = False

    def _is_run(self) -> bool:
        long = self.failures > 1 and self._wall_clock() - self._failing_since >= FAILING_S
        return long or self.failures >= self._after_failures
