"""A call to Batch through all its attempts: how it behaves, what it carries, what happened to it so far."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sink.client import MAX_UPDATES
from sink.coalescer import PendingUpdate
from sink.lateness import LateEvents

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How delivery behaves; seconds unless the name says otherwise."""

    linger_s: float = 0.1
    max_in_flight: int = 8
    max_updates: int = MAX_UPDATES
    """Updates a call may carry: each of Batch's two routes has its own limit."""
    late_events: LateEvents = "dead_letter"
    poison_after_s: float = 3600.0


@dataclass(slots=True, eq=False)
class Call:
    """A call under way, through all its attempts."""

    posted: Sequence[PendingUpdate] = ()
    """What its request in flight carries; empty while none is in flight."""
    revocations: int = 0
    """How many there had been when it began."""
    resting: bool = False
    """It waits to be tried again."""


@dataclass(slots=True)
class History:
    """What happened to a group of updates so far."""

    attempts: int = 0
    first_500: float | None = None
    count_500: int = 0

    def next_wait_s(self, retry_after_s: float | None) -> float:
        """Seconds before the next attempt: at random up to a bound that doubles, and no less than Batch asks."""
        bound = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self.attempts, 10))
        return max(random.uniform(0, bound), retry_after_s or 0.0)
