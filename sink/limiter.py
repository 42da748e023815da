"""A token bucket in profile updates, of which this worker owns a share.

Batch allows 300 profile updates a second with bursts of 1,000, whatever an update carries (Batch, Profile API,
"Rate limits"). Each Kafka partition owns an equal part of rate and burst; a worker's bucket is the sum of its
partitions', so that workers keep the limit together without talking to each other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

SLOWEST = 0.1
RECOVERY_PER_S = 0.02
CALLS_A_BUCKET = 4


@dataclass(frozen=True, slots=True)
class Level:
    """The tokens of one partition at a moment: what its next owner inherits."""

    tokens: float
    """Below zero where calls in flight have yet to take theirs."""
    at: float
    """Seconds since 1970, on this machine's clock."""


class TokenBucket:
    """The arithmetic: pure, with the time given. `rate` and `burst` are the project's; `partitions` counts all
    partitions of the source topics, owned here or elsewhere."""

    def __init__(self, rate: float, burst: float, partitions: int = 1) -> None:
        self._rate, self._burst = rate, burst
        self._rate_each, self._burst_each = rate / partitions, burst / partitions
        self._owned: set[Hashable] = set()
        self._tokens = 0.0
        self._in_flight = 0
        self._at = 0.0
        self._speed = 1.0

    @property
    def rate(self) -> float:
        """Tokens a second, of this worker, now."""
        return self.full_rate * self._speed

    @property
    def full_rate(self) -> float:
        """Tokens a second, of this worker, unless Batch slowed us."""
        return self._rate_each * len(self._owned)

    @property
    def capacity(self) -> float:
        """What the bucket holds at most; never below one token while a partition is owned."""
        return max(1.0, self._burst_each * len(self._owned)) if self._owned else 0.0

    @property
    def _room(self) -> float:
        """What the bucket may hold beside what is in flight. Batch takes the tokens of a call when it arrives, which we
        do not see: until the answer they are taken to lie in Batch's bucket still, which fills no further."""
        return max(0.0, self.capacity - self._in_flight)

    def tokens(self, now: float) -> float:
        """Tokens there are at `now`, after the refill. A clock that was set back adds nothing and goes on."""
        elapsed = max(0.0, now - self._at)
        self._at = now
        self._tokens = min(self._room, self._tokens + elapsed * self.rate)
        self._speed = min(1.0, self._speed + elapsed * RECOVERY_PER_S)
        return self._tokens

    def share_among(self, partitions: int, now: float) -> None:
        """The topics have that many partitions now."""
        tokens = self.tokens(now)
        self._rate_each, self._burst_each = self._rate / partitions, self._burst / partitions
        self._tokens = min(self._room, tokens)

    def own(self, partition: Hashable, inherited: Level | None, now: float) -> None:
        """A partition was assigned; without an inherited level its part of the bucket is full."""
        if partition in self._owned:
            return
        tokens = self.tokens(now)
        self._owned.add(partition)
        brought = self._burst_each
        if inherited is not None:
            since = max(0.0, now - inherited.at)
            brought = min(self._burst_each, inherited.tokens + since * self._rate_each)
        self._tokens = min(self._room, tokens + brought)

    def disown(self, partition: Hashable, now: float) -> None:
        """A partition was revoked; it takes its part of the tokens with it."""
        if partition not in self._owned:
            return
        tokens = self.tokens(now)
        share = max(0.0, tokens) / len(self._owned)
        self._owned.discard(partition)
        self._tokens = min(self._room, tokens - share) if self._owned else 0.0

    def level(self, now: float) -> Level:
        """The part of the tokens that each owned partition has, less its part of those in flight: Batch may not have
        taken them yet, so that its bucket is fuller than it will be. May be below zero."""
        tokens = self.tokens(now) - self._in_flight
        return Level(tokens / len(self._owned) if self._owned else 0.0, now)

    def spend(self, wanted: int, now: float) -> int:
        """Take at most `wanted` whole tokens of those there are. They are in flight until `answered` or
        `give_back`."""
        taken = max(0, min(wanted, int(self.tokens(now))))
        self._tokens -= taken
        self._in_flight += taken
        return taken

    def answered(self, tokens: int, now: float) -> None:
        """A call that these tokens were spent on has ended."""
        self.tokens(now)
        self._in_flight -= tokens

    def give_back(self, tokens: int) -> None:
        """Return tokens that were not used."""
        self._in_flight -= tokens
        self._tokens = min(self._room, self._tokens + tokens)

    def worth_waiting_for(self, wanted: int) -> int:
        """How many tokens a call should wait for: enough that calls stay few, not so many that the bucket
        overflows meanwhile."""
        return max(1, min(wanted, int(self.capacity / CALLS_A_BUCKET)))

    def seconds_until(self, tokens: int, now: float) -> float | None:
        """How long until that many tokens are there; None if first a call has to end, or a partition to come."""
        missing = tokens - self.tokens(now)
        if missing <= 0:
            return 0.0
        return missing / self.rate if self.rate > 0 and tokens <= self._room else None

    def refused(self, now: float) -> None:
        """Batch answered 429: its bucket is emptier than ours. Start from none, at half the speed; the speed
        comes back by a fiftieth a second."""
        self.tokens(now)
        self._tokens = 0.0
        self._speed = max(SLOWEST, self._speed / 2)


class Limiter:
    """The bucket with the waiting. Waiters are served in turn."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.bucket = TokenBucket(rate, burst)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self.waited_s = 0.0
        """Seconds that calls have waited for tokens, in sum."""
        self.waiting = False

    def share_among(self, partitions: int) -> None:
        """See `TokenBucket.share_among`."""
        self.bucket.share_among(partitions, self._clock())

    def own(self, partition: Hashable, inherited: Level | None) -> None:
        """See `TokenBucket.own`."""
        self.bucket.own(partition, inherited, self._clock())
        self._changed.set()

    def disown(self, partition: Hashable) -> None:
        """See `TokenBucket.disown`."""
        self.bucket.disown(partition, self._clock())

    def level(self) -> Level:
        """The level that each owned partition would leave to its next owner now."""
        return self.bucket.level(self._clock())

    def tokens(self) -> float:
        """All tokens there are now."""
        return self.bucket.tokens(self._clock())

    def refused(self) -> None:
        """Batch answered 429."""
        self.bucket.refused(self._clock())

    def answered(self, tokens: int) -> None:
        """A call that these tokens were spent on has ended."""
        self.bucket.answered(tokens, self._clock())
        self._changed.set()

    def give_back(self, tokens: int) -> None:
        """Return tokens that were not used."""
        self.bucket.give_back(tokens)
        self._changed.set()

    async def spend(self, wanted: int) -> int:
        """Wait until a reasonable part of `wanted` tokens is there, take what there is, at most `wanted`,
        at least one."""
        async with self._turn:
            started = self._clock()
            while (delay := self._delay(wanted)) != 0.0:
                self.waiting = True
                self._changed.clear()
                try:
                    await asyncio.wait_for(self._changed.wait(), delay)
                except TimeoutError:
                    continue
                finally:
                    self.waiting = False
                    self.waited_s += max(0.0, self._clock() - started)
                    started = self._clock()
            return self.bucket.spend(wanted, self._clock())

    def _delay(self, wanted: int) -> float | None:
        return self.bucket.seconds_until(self.bucket.worth_waiting_for(wanted), self._clock())
