"""Batch's rate limit: a token bucket (Batch, Profiles API, "Mass update profile", "Rate limit")."""

from __future__ import annotations

import math


class TokenBucket:
    """Holds at most `capacity` tokens and gains `rate` a second. Starts full. A token is a profile update."""

    __slots__ = ("_at", "_level", "capacity", "rate")

    def __init__(self, rate: float, capacity: float, now: float) -> None:
        self.rate = rate
        self.capacity = capacity
        self._level = capacity
        self._at = now

    def take(self, tokens: float, now: float) -> float:
        """Take all the tokens or none. Returns 0.0 if they were taken, else the seconds until there would be
        enough: infinity if there never will be. `now` is in seconds, of any clock that does not go back."""
        self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
        self._at = now
        if tokens <= self._level:
            self._level -= tokens
            return 0.0
        if tokens > self.capacity or self.rate == 0:
            return math.inf
        return (tokens - self._level) / self.rate
