"""How much the bench does: `make bench` about 20 minutes of work, `make bench-full` a few hours."""

from __future__ import annotations

from typing import NamedTuple


class Sizes(NamedTuple):
    """Sizes and durations of the measurements."""

    name: str
    events: int
    """Of a drain."""
    users: int
    """Of the workloads under the limit."""
    runs: int
    contenders_limited: bool
    """Whether contenders get both limited workloads; else the first sync only."""
    steady_s: float
    """Of the latency's steady part; the burst is a tenth of it."""
    memory_s: float
    memory_events: int
    """Of the memory's topic: more than the default bounds hold, 200,000."""


SHORT = Sizes("short", 200_000, 6_000, 3, False, 30, 60, 400_000)
FULL = Sizes("full", 1_000_000, 30_000, 3, True, 120, 600, 1_000_000)
TINY = Sizes("tiny", 5_000, 600, 1, False, 3, 5, 5_000)
"""To try the bench itself."""
