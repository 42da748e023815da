"""Repeats of events: Segment and producers send some messages twice, and Batch would record them twice.

A window over `messageId`, of this worker and of events only: attributes that come twice do no harm. What it knows of a
partition counts for nothing once the partition was given up: its records are read, and sent, by others then.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from streams.ledger import Ledger


class RepeatWindow:
    """Message ids of events that are in flight or were accepted, with the ledgers of their records."""

    def __init__(self, max_ids: int, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_ids = max_ids
        self._ttl_s = ttl_s
        self._clock = clock
        self._seen: dict[str, Ledger] = {}
        self._newest: list[str] = []
        self._groups: deque[tuple[float, list[str]]] = deque()
        """The ids in the order in which they came, by the moment at which their group was begun; the newest is not
        among them."""
        self._begun = 0.0

    def __len__(self) -> int:
        return len(self._seen)

    def begin(self) -> None:
        """Records will be looked at, about now: what is too old, or too much, is forgotten."""
        now = self._clock()
        if self._newest:
            self._groups.append((self._begun, self._newest))
            self._newest = []
        self._begun = now
        while self._groups and (len(self._seen) > self._max_ids or now - self._groups[0][0] >= self._ttl_s):
            for message_id in self._groups.popleft()[1]:
                self._seen.pop(message_id, None)

    def is_repeat(self, message_id: str, ledger: Ledger) -> bool:
        """Whether the event was seen before; remembers it if not."""
        known = self._seen.get(message_id)
        if known is not None and not known.forgotten:
            return True
        if self._max_ids:
            self._seen[message_id] = ledger
            self._newest.append(message_id)
        return False

    def forget(self, message_id: str) -> None:
        """The event was not accepted after all: if it comes again, it is sent."""
        self._seen.pop(message_id, None)
