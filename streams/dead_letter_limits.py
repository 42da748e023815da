"""Halts the worker when too many records become dead letters.

A bad deploy of a producer or of a mapping must not look like success, with the topic emptied into the dead letters. Two
things can refuse a record, the mapping and Batch, at different times: each is judged by its own last records.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sink.settlement import Refusal
from streams.replay_headers import PROFILE_NOT_FOUND

WINDOW = 10_000
"""So many of the last records the ratio is of."""
LEAST_SEEN = 1_000
"""Fewer say nothing."""
UNCOUNTED = frozenset({"event_too_old", "blank_user_id", "junk_user_id", PROFILE_NOT_FOUND})
"""What a first start on an old topic, or a replay, meets in numbers, and what no deploy of a producer has caused."""

Place = tuple[str, int]


class LimitReached(NamedTuple):
    """Why the worker halted."""

    setting: str
    """The limit that was reached."""
    detail: str
    """A sentence for a person, with the reasons of most of the dead letters."""


class _Judge:
    """The records that one of the two has judged last."""

    def __init__(self) -> None:
        self._window: deque[tuple[int, int]] = deque()
        self._seen = 0
        self._refused = 0
        self.runs: dict[Place, int] = {}
        """Records refused in a row, by partition, where there are any."""
        self.reasons: Counter[str] = Counter()

    def add(self, seen: int, refused: int) -> None:
        self._window.append((seen, refused))
        self._seen += seen
        self._refused += refused
        while self._seen - self._window[0][0] >= WINDOW:
            old_seen, old_refused = self._window.popleft()
            self._seen -= old_seen
            self._refused -= old_refused

    @property
    def ratio(self) -> float:
        return self._refused / self._seen if self._seen >= LEAST_SEEN else 0.0


class DeadLetterLimits:
    """Asked before every dead letter; `on_reached` is called once, when the first limit is reached."""

    def __init__(self, max_ratio: float = 0.5, max_consecutive: int = 1000) -> None:
        self.max_ratio = max_ratio
        self.max_consecutive = max_consecutive
        """Both may be set anew: they hold from the next dead letter on."""
        self._mapping = _Judge()
        self._batch = _Judge()
        self.on_reached: Callable[[LimitReached], None] = lambda reached: None
        self.reached: LimitReached | None = None
        """Set from then on: no dead letter may be written until `reset`."""

    def reset(self) -> None:
        """Start anew, as if nothing had been judged."""
        self._mapping, self._batch = _Judge(), _Judge()
        self.reached = None

    def mapped(self, place: Place, count: int) -> None:
        """So many records of a partition, in a row, passed the mapping."""
        if count:
            self._mapping.add(count, 0)
            self._mapping.runs.pop(place, None)

    def accepted(self, count: int) -> None:
        """Batch accepted so many records. Where there are `runs`, `end_runs` has to be told whose."""
        self._batch.add(count, 0)

    @property
    def runs(self) -> bool:
        """Whether Batch refused the last record of some partition."""
        return bool(self._batch.runs)

    def end_runs(self, places: Iterable[Place]) -> None:
        """Batch accepted records of these partitions."""
        for place in places:
            self._batch.runs.pop(place, None)

    def admits(self, place: Place, refusal: Refusal) -> bool:
        """Whether the letter may be written; counts it. A copy of a delivered record always may."""
        if refusal.delivered:
            return True
        if self.reached is not None:
            return False
        judge = self._batch if refusal.attempts or refusal.http_status else self._mapping
        counted = refusal.reason not in UNCOUNTED
        judge.add(1, int(counted))
        if counted:
            judge.reasons[refusal.reason] += 1
            judge.runs[place] = judge.runs.get(place, 0) + 1
            self.reached = self._judged(judge, place)
            if self.reached is not None:
                self.on_reached(self.reached)
        return self.reached is None

    def _judged(self, judge: _Judge, place: Place) -> LimitReached | None:
        reasons = ", ".join(reason for reason, _ in judge.reasons.most_common(3))
        if judge.runs[place] > self.max_consecutive:
            topic, partition = place
            detail = (
                f"more than {self.max_consecutive:,} records in a row of {topic}[{partition}] would become dead "
                f"letters: {reasons}"
            )
            return LimitReached("dead_letter.max_consecutive", detail)
        if judge.ratio > self.max_ratio:
            detail = (
                f"more than {self.max_ratio:.0%} of the last records would become dead letters: {reasons}"
            )
            return LimitReached("dead_letter.max_ratio", detail)
        return None
