"""What may happen with every record is logged as a sample: at most one line of each reason in ten seconds."""

from __future__ import annotations

import time
from collections import Counter

SAMPLE_EVERY_S = 10.0


class Samples:
    """Says when a line is due."""

    def __init__(self) -> None:
        self._sampled: dict[str, float] = {}
        self._since_sample: Counter[str] = Counter()

    def add(self, reason: str) -> int:
        """One more. If a line of this reason is due, how many there were since the last; else 0."""
        self._since_sample[reason] += 1
        now = time.monotonic()
        if now - self._sampled.get(reason, -SAMPLE_EVERY_S) < SAMPLE_EVERY_S:
            return 0
        self._sampled[reason] = now
        return self._since_sample.pop(reason)
