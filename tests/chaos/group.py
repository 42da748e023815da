"""Watches the consumer group from outside: when was it rebalancing?"""

from __future__ import annotations

import threading
import time

from confluent_kafka import KafkaException

from tests.kafka import KafkaCluster

EVERY_S = 0.1


class GroupWatch:
    """Asks the group's coordinator for its state all the time."""

    def __init__(self, kafka: KafkaCluster, group: str) -> None:
        self._kafka, self.name = kafka, group
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.unsettled: list[tuple[float, float]] = []
        """From when to when it was not stable, or could not be asked (seconds since 1970)."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def unsettled_since(self, at: float, margin_s: float) -> float:
        """When the rebalance began that went on at `at`, or had ended less than `margin_s` before; else `at`."""
        since = at
        for start, end in reversed(self.unsettled):
            if start <= since <= end + margin_s:
                since = start
        return since

    def _watch(self) -> None:
        stable_at = time.time()
        unstable = False
        while not self._stopping.wait(EVERY_S):
            try:
                stable = self._kafka.group_state(self.name) == "STABLE"
            except (KafkaException, TimeoutError):
                stable = False
            now = time.time()
            if not stable and not unstable:
                self.unsettled.append((stable_at, now))
            elif not stable or unstable:
                self.unsettled[-1] = (self.unsettled[-1][0], now)
            if stable:
                stable_at = now
            unstable = not stable
