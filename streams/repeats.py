"""Repeats of events: Segment and producers send some messages twice, and Batch would record them twice.

A window over `messageId`, of this worker and of events only: attributes that come twice do no harm. What it knows of a
partition counts for nothing once the partition was given up: its records are read, and sent, by others then.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from streams.ledger import Ledger

HASH_BITS = (1 << 60) - 1
"""Of an id's hash: a third of the id's memory. Of 200,000 ids two have the same once in 10^7 windows."""
PARTS = 4
"""A generation ends when it holds so large a part of `max_ids`, or lasted a part of `ttl_s`. Generations are forgotten
as a whole: a dict from which single ids are taken out grows."""
PARTS_OF_TIME = 16


class RepeatWindow:
    """Message ids of events that are in flight or were accepted, with the ledgers of their records: of the latest
    `max_ids` (0: of none), and of up to a quarter more, for `ttl_s` seconds, and up to a sixteenth more."""

    def __init__(self, max_ids: int, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_ids = max_ids
        self._ttl_s = ttl_s
        self._clock = clock
        self._now = self._begun = clock()
        self._seen: list[dict[int, Ledger]] = [{}]
        """By the hash of the id: the generations, the newest first."""
        self._ended: list[float] = []
        """When the last of their ids came, of all generations but the newest."""

    def __len__(self) -> int:
        return sum(map(len, self._seen))

    def begin(self) -> None:
        """Records will be looked at, about now: what is too old, or too much, is forgotten."""
        last, self._now = self._now, self._clock()
        newest = self._seen[0]
        is_full = len(newest) * PARTS >= self._max_ids
        if not newest:
            self._begun = self._now
        elif is_full or (self._now - self._begun) * PARTS_OF_TIME >= self._ttl_s:
            self._seen.insert(0, {})
            self._ended.insert(0, last)
            self._begun = self._now
        while self._ended and self._is_over():
            self._seen.pop()
            self._ended.pop()

    def is_repeat(self, message_id: str, ledger: Ledger) -> bool:
        """Whether the event was seen before; remembers it if not."""
        hashed = hash(message_id) & HASH_BITS
        for generation in self._seen:
            known = generation.get(hashed)
            if known is not None and not known.forgotten:
                return True
        if self._max_ids:
            self._seen[0][hashed] = ledger
        return False

    def forget(self, message_id: str) -> None:
        """The event was not accepted after all: if it comes again, it is sent."""
        for generation in self._seen:
            generation.pop(hash(message_id) & HASH_BITS, None)

    def _is_over(self) -> bool:
        """Whether nothing of the earliest generation has to be known any more."""
        enough = len(self) - len(self._seen[-1]) >= self._max_ids
        return enough or self._now - self._ended[-1] >= self._ttl_s
