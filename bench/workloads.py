"""The bench's workloads as files: made once, kept in `.bench/workloads`, produced with times of the last full hour."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bench import traffic
from bench.processes import CACHE
from bench.traffic import HOUR, Event
from tests.kafka import KafkaCluster, Record

PARTITIONS = 6
BURST, RATE_PER_S = 1000, 300
"""Batch's limit of profile updates, as documented."""


class Workload(NamedTuple):
    """Events by name. `make` gives the same ones every time."""

    name: str
    make: Callable[[], Iterator[Event]]

    def events(self) -> Iterator[Event]:
        """The events, from the file, which is made if it is not there."""
        with self._file().open("rb") as lines:
            for line in lines:
                user, value = line.rstrip(b"\n").split(b"\t", 1)
                yield Event(user.decode(), value)

    def produce(self, kafka: KafkaCluster) -> str:
        """Produce the events to a topic of their own, keyed by user, and return its name."""
        hour = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:").encode()
        topic = kafka.create_topic(kafka.unique(self.name), PARTITIONS)
        kafka.create_topic(f"{topic}.dead-letter", PARTITIONS)
        kafka.produce(
            topic, (Record(each.value.replace(HOUR, hour), each.user.encode()) for each in self.events())
        )
        return topic

    def _file(self) -> Path:
        # Its name changes with the code that makes it: a file is never out of date.
        code = hashlib.sha256(Path(traffic.__file__).read_bytes()).hexdigest()[:10]
        file = CACHE / "workloads" / f"{self.name}-{code}.tsv"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(".unfinished")
            with unfinished.open("wb") as lines:
                lines.writelines(user.encode() + b"\t" + value + b"\n" for user, value in self.make())
            unfinished.rename(file)
        return file


def drain(events: int) -> Workload:
    """Mixed events of a quarter as many users."""
    return Workload(f"drain-{events}", lambda: traffic.mixed(events, events // 4))


def first_sync(users: int) -> Workload:
    """Five audiences synced for the first time."""
    return Workload(f"first-sync-{users}", lambda: traffic.first_sync(users))


def day(users: int) -> Workload:
    """A day's mixed traffic with repeated identifies."""
    return Workload(f"day-{users}", lambda: traffic.day(users))


class Floor(NamedTuple):
    """The least that a workload can cost: profile updates, and the seconds from the first call to the last."""

    updates: int
    seconds: float


def floor(workload: Workload) -> Floor:
    """What a sender would need that knew all events beforehand, at Batch's documented limit."""
    updates = traffic.spent_at_least(workload.events())
    return Floor(updates, max(0, updates - BURST) / RATE_PER_S)
