"""A call to Batch through all its attempts: how it behaves, what it carries, what happened to it so far."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sink.client import MAX_UPDATES, Answer
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
    give_up_after_s: float | None = None
    """None: never."""
    breaker_failures: int = 5


class Stage(Enum):
    """What a call waits for."""

    TOKENS = "tokens"
    PLACE = "place"
    """Fewer requests in flight."""
    ANSWER = "answer"
    RETRY = "retry"
    BATCH = "batch"
    """Batch to take calls again, or delivery to go on."""


@dataclass(slots=True, eq=False)
class Call:
    """A call under way, through all its attempts."""

    updates: Sequence[PendingUpdate] = ()
    """What is being seen through now; of a call that was taken apart, one part."""
    stage: Stage = Stage.TOKENS
    posted: Sequence[PendingUpdate] = ()
    """What its request in flight carries; empty while none is in flight."""
    revocations: int = 0
    """How many there had been when it began."""
    suspect: bool = False
    """It is a lone update that Batch answered with 500: its failure says little about Batch."""

    @property
    def resting(self) -> bool:
        """Whether it waits to be tried again."""
        return self.stage in (Stage.RETRY, Stage.BATCH)


@dataclass(slots=True)
class History:
    """What happened to a group of updates so far."""

    attempts: int = 0
    before: int = 0
    """Those of the attempts that were made with a larger call, before it was taken apart."""
    first_500: float | None = None
    count_500: int = 0
    failing_since: float | None = None
    """When Batch did not take it for the first time, on the loop's clock; being refused as a whole does not count."""
    last: Answer | None = None

    def of_a_part(self) -> History:
        """For a part of the call, once it was taken apart: it waits between attempts as if it were new."""
        return History(attempts=self.attempts, before=self.attempts)

    def next_wait_s(self, retry_after_s: float | None) -> float:
        """Seconds before the next attempt: at random up to a bound that doubles, and no less than Batch asks."""
        bound = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self.attempts - self.before, 10))
        return max(random.uniform(0, bound), retry_after_s or 0.0)
