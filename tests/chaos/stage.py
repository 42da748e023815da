"""What a scenario works with while it runs."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.commits import read_commits
from tests.chaos.evidence import Window
from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.ground import Ground
from tests.chaos.group import GroupWatch
from tests.integration.local_batch import LocalBatch

if TYPE_CHECKING:
    from tests.chaos.scenario import Size

COMMIT_S = 1.0
"""An accepted event is committed within 100 ms of its answer; a machine that is as busy as this one needs longer."""
IN_FLIGHT_S = 0.5
"""Batch notes when a call began; it may be answered, and its records be done, so much later."""


ACTS = ("kills", "starts", "terminations", "clean bounces", "hard bounces")
"""What a scenario does itself, of all that it must have seen."""
MOST_EXTRA = 3


class Stage:
    """One run: the parts that can be disturbed, and what was noted of it."""

    def __init__(
        self,
        ground: Ground,
        batch: LocalBatch,
        fleet: Fleet,
        feeder: Feeder,
        group: GroupWatch,
        size: Size,
        chances: random.Random,
        seen: Counter[str],
        folder: Path,
    ) -> None:
        self.kafka, self.nodes, self.network = ground.kafka, ground.nodes, ground.network
        self.batch, self.fleet, self.feeder, self.group = batch, fleet, feeder, group
        self.size, self.random, self.seen, self.folder = size, chances, seen, folder
        self.windows: list[Window] = []
        self.trouble: list[str] = []
        """A scenario's own law that was broken, in sentences."""
        self.began_at = 0.0
        """Seconds since 1970."""
        self._ends_at = 0.0
        self._pause = threading.Event()

    def begin(self) -> None:
        """The disturbance begins now."""
        self.began_at = time.time()
        self._ends_at = time.monotonic() + self.size.seconds

    @property
    def over(self) -> bool:
        """Whether the time for the disturbance is up, and enough was done for the run to prove something. A busy
        machine gets more time for that."""
        beyond_s = time.monotonic() - self._ends_at
        return beyond_s >= 0 and (self._enough_done or beyond_s >= MOST_EXTRA * self.size.seconds)

    @property
    def _enough_done(self) -> bool:
        return all(self.seen[act] >= self.size.at_least.get(act, 0) for act in ACTS)

    def pause(self, shortest_s: float, longest_s: float | None = None) -> None:
        """Let it run for so long, or for a time drawn between two."""
        longest = shortest_s if longest_s is None else longest_s
        self._pause.wait(self.random.uniform(shortest_s, longest))

    def note_incident(self, start: float, end: float) -> None:
        """Whatever was accepted meanwhile, or could not be committed before, may come again."""
        self.windows.append(Window(start - COMMIT_S, end, end + COMMIT_S))

    def note_losses(self, since: float) -> None:
        """A worker that hears nothing of the group's coordinator for its session gives up its partitions, and cannot
        commit: what was not committed when the next owner came, since the trouble began, may come again."""
        commits = read_commits(self.kafka, self.group.name)
        for lost in self.fleet.losses():
            self.seen["lost partitions"] += 1
            committed = commits.last_before(lost.partition, lost.heir_at).settled
            end = lost.at + IN_FLIGHT_S
            self.windows.append(Window(since - COMMIT_S, lost.at, end, lost.partition, committed))

    def note_kills(self) -> None:
        """The promise for each kill: what was in flight, and what was accepted and is not in the last confirmed commit,
        which is young but in a rebalance."""
        commits = read_commits(self.kafka, self.group.name)
        for killed in self.fleet.killed:
            oldest = self.group.unsettled_since(killed.at, COMMIT_S)
            for partition in killed.partitions:
                committed = commits.last_before(partition, killed.at).settled
                end = killed.at + IN_FLIGHT_S
                self.windows.append(Window(oldest - COMMIT_S, killed.at, end, partition, committed))
