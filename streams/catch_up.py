"""Reading goes before sending for a moment after an assignment, so that what a backlog says of one user meets.

An audience comes user by user, and the next audience after it: five audiences of one user lie far apart in the topic.
What is sent before all was read costs an update for each. While tokens are short, the moment costs nothing: tokens are
saved up meanwhile, as far as the burst allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from streams.ledger import Ledger

ALLOWANCE_PER_S = 0.2
"""How fast the allowance comes back: in a storm of assignments sending rests for a sixth of the time at most."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides whether reading first is of use."""

    tokens: Callable[[], float]
    """Profile updates that could leave now."""
    waiting: Callable[[], int]
    """Profiles that wait."""
    coming: Callable[[], int]
    """Records fetched and not mapped yet."""
    full: Callable[[], bool]
    """Nothing more may be read."""


class CatchUp:
    """Whether sending waits for reading: at most `max_s` seconds, 0 for never."""

    def __init__(
        self, max_s: float, surroundings: Surroundings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_s = max_s
        self._around = surroundings
        self._clock = clock
        self._allowance_s = max_s
        self._running = False
        self._begun = self._ended = clock()
        self._ends: dict[Ledger, int | None] = {}

    def begin(self, ledgers: Iterable[Ledger]) -> bool:
        """These partitions were assigned. Whether their ends are wanted: sending waits until `end_at` told all of them,
        and then until everything before them was read."""
        now = self._clock()
        if not self._running:
            self._allowance_s = min(self._max_s, self._allowance_s + (now - self._ended) * ALLOWANCE_PER_S)
            self._begun = now
            self._running = self._allowance_s > 0
        if self._running:
            self._ends.update(dict.fromkeys(ledgers))
        return self._running

    def end_at(self, ledger: Ledger, offset: int | None) -> None:
        """Where the partition ended when it was assigned; None if that cannot be found out."""
        if ledger in self._ends:
            self._ends[ledger] = ledger.position if offset is None else offset

    @property
    def active(self) -> bool:
        """Whether sending waits now. Once it does not, it does not again until the next assignment."""
        if self._running and not self._goes_on():
            self._running = False
            self._ends.clear()
            self._ended = self._clock()
            self._allowance_s = max(0.0, self._allowance_s - (self._ended - self._begun))
        return self._running

    @property
    def unread(self) -> int:
        """Records that are still to be read, as far as is known."""
        return sum(end - ledger.position for ledger, end in self._to_read() if end is not None)

    def _goes_on(self) -> bool:
        if self._clock() - self._begun >= self._allowance_s or self._around.full():
            return False
        if any(end is None for _, end in self._to_read()):
            return True
        unread = self.unread + self._around.coming()
        return unread > 0 and self._around.tokens() < self._around.waiting() + unread

    def _to_read(self) -> list[tuple[Ledger, int | None]]:
        """The partitions of which more may be read before anything is sent, and their ends."""
        return [
            (ledger, end)
            for ledger, end in self._ends.items()
            if not ledger.forgotten and not ledger.full and (end is None or ledger.position < end)
        ]
