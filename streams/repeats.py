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
GENERATIONS = 4
"""Parts of the window that are forgotten as a whole: a dict from which single ids are taken out grows."""


class RepeatWindow:
    """Message ids of events that are in flight or were accepted, with the ledgers of their records: of the latest
    `max_ids` (0: of none) for `ttl_s` seconds, or of up to a quarter fewer or less."""

    def __init__(self, max_ids: int, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_ids = max_ids
        self._ttl_s = ttl_s
        self._clock = clock
        self._begun = [clock()]
        self._seen: list[dict[int, Ledger]] = [{}]
        """By the hash of the id: the generations, the newest first."""

    def __len__(self) -> int:
        return sum(map(len, self._seen))

    def begin(self) -> None:
        """Records will be looked at, about now: what is too old, or too much, is forgotten."""
        now = self._clock()
        newest = self._seen[0]
        if not newest:
            self._begun[0] = now
        elif (
            len(newest) * GENERATIONS >= self._max_ids or (now - self._begun[0]) * GENERATIONS >= self._ttl_s
        ):
            self._begun.insert(0, now)
            self._seen.insert(0, {})
        while len(self) > self._max_ids or now - self._begun[-1] >= self._ttl_s:
            self._begun.pop()
            self._seen.pop()

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
