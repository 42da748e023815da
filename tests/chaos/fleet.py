"""The workers of a run: started, stopped and killed, with an account of it."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.chaos.moves import REBALANCED, Loss, held_in_the_end, losses
from tests.integration.workers import Worker, wait_until

READY_S = 90.0


class GivenUp(NamedTuple):
    """When (seconds since 1970), and the partitions that the worker had."""

    at: float
    partitions: frozenset[int]


class Fleet:
    """Starts `segbatch run` processes of one group."""

    def __init__(
        self, settings: Mapping[str, str], folder: Path, seen: Counter[str], chances: random.Random
    ) -> None:
        self._settings = dict(settings)
        self._folder = folder
        self._seen = seen
        self._chances = chances
        self.all: list[Worker] = []
        self.up: list[Worker] = []
        """Those that run and were not asked to stop."""
        self.killed: list[GivenUp] = []
        self._leaving: list[Worker] = []

    def start(self, count: int = 1) -> list[Worker]:
        """Start workers, and do not wait for them."""
        started = [Worker(self._settings, self._folder) for _ in range(count)]
        self.all += started
        self.up += started
        self._seen["starts"] += count
        return started

    def wait_until_ready(self) -> None:
        """Until the group has given every worker its partitions."""
        for worker in self.up:
            worker.wait_for("ready", READY_S)

    def wait_until_shared(self, partitions: int) -> None:
        """Until every worker has its share of so many partitions, and the rebalances of the start are over."""
        wait_until(
            lambda: (
                min(len(held_in_the_end(worker.lines)) for worker in self.up) >= partitions // len(self.up)
            ),
            "every worker has its share",
            READY_S,
        )

    def kill(self, worker: Worker | None = None) -> None:
        """kill -9, of any worker if none is named."""
        worker = worker or self._chances.choice(self.up)
        self.up.remove(worker)
        at = time.time()
        worker.kill()
        self.killed.append(GivenUp(at, held_in_the_end(worker.lines)))
        self._seen["kills"] += 1

    def terminate(self, worker: Worker | None = None) -> Worker:
        """SIGTERM, of any worker if none is named; it is not waited for."""
        worker = worker or self._chances.choice(self.up)
        self.up.remove(worker)
        self._leaving.append(worker)
        worker.terminate()
        self._seen["terminations"] += 1
        return worker

    def stop(self) -> list[str]:
        """Ask all to stop, and wait; what was wrong with the end of any, a sentence each."""
        while self.up:
            self._leaving.append(self.up.pop())
            self._leaving[-1].terminate()
        problems = []
        for worker in self._leaving:
            code = worker.exit_code()
            if code != 0 and not (code == -signal.SIGTERM and not worker.lines):  # it had not begun
                problems.append(f"worker {self.all.index(worker) + 1} ended with {code} after SIGTERM")
        return problems

    def died(self) -> list[str]:
        """Workers that ended though nobody asked them to, a sentence each."""
        return [
            f"worker {self.all.index(worker) + 1} ended by itself with {worker.exit_code()}"
            for worker in self.up
            if not worker.running
        ]

    def count_rebalances(self) -> int:
        """How often any worker was told that its partitions change."""
        return sum(line.get("event") in REBALANCED for worker in self.all for line in worker.lines)

    def ambiguous_answers(self) -> int:
        """Calls that may have been applied though no answer came, by the workers' closing accounts."""
        return sum(worker.summary["ambiguous"] for worker in self.all)

    def losses(self) -> list[Loss]:
        """Whenever a worker lost a partition to the group."""
        return losses([worker.lines for worker in self.all])

    def save_logs(self, folder: Path) -> None:
        """One file for each worker."""
        for number, worker in enumerate(self.all, 1):
            lines = [json.dumps(line) for line in worker.lines] + worker.not_json
            (folder / f"worker-{number}.log").write_text("\n".join(lines))

    def close(self) -> None:
        """End all, whatever became of the run."""
        for worker in self.all:
            worker.close()
