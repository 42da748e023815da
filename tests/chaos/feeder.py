"""Produces events at a steady pace, on a thread of its own, and remembers them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.chaos.oracle import LONGEST_GOOD_ID, Kind, Sent, record
from tests.kafka import KafkaCluster

TICK_S = 0.05
FLUSH_S = 120.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is produced: so many events a second, of so many users, of which these shares are bad."""

    per_s: int = 400
    users: int = 1500
    new_users: bool = False
    """Every event is of a user of its own, so that nothing can be merged."""
    identifies: float = 0.4
    refused: float = 0.0
    """Share of events of users that Batch refuses."""
    broken: float = 0.0
    """Share of records that are not JSON."""


class Feeder:
    """The one producer of a run."""

    def __init__(self, kafka: KafkaCluster, topic: str, traffic: Traffic, chances: random.Random) -> None:
        self.sent: list[Sent] = []
        self._topic = topic
        self._traffic = traffic
        self._chances = chances
        # Records of one partition stay in order, whatever happens to the brokers: the oracle relies on it.
        self._producer = kafka.producer(message_timeout_ms=300_000, queue_buffering_max_messages=1_000_000)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Produce until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Produce no more, and wait until Kafka has confirmed what was produced."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._producer.flush(FLUSH_S)

    def send(self, kind: Kind, user: str) -> None:
        """Produce one event now."""
        sent = Sent(len(self.sent), user, kind)
        self.sent.append(sent)
        made = record(sent)

        def confirmed(error: Any, message: Any) -> None:
            if error is None:
                sent.at, sent.partition, sent.offset = time.time(), message.partition(), message.offset()

        self._producer.produce(self._topic, made.value, key=made.key, on_delivery=confirmed)
        self._producer.poll(0)

    def send_all(self, kind: Kind, users: Iterable[str]) -> None:
        """Produce one event of each user, as fast as Kafka takes them, and wait until it has."""
        for user in users:
            self.send(kind, user)
        self._producer.flush(FLUSH_S)

    def _feed(self) -> None:
        started, made = time.monotonic(), 0
        while not self._stopping.wait(TICK_S):
            due = int((time.monotonic() - started) * self._traffic.per_s)
            for _ in range(due - made):
                self._send_any()
            made = due
            self._producer.poll(0)

    def _send_any(self) -> None:
        traffic, draw = self._traffic, self._chances.random
        number = len(self.sent) if traffic.new_users else self._chances.randrange(traffic.users)
        chance = draw()
        if chance < traffic.refused:
            return self.send(Kind.REFUSED, refused_user(number))
        if chance < traffic.refused + traffic.broken:
            return self.send(Kind.BROKEN, user(number))
        return self.send(Kind.IDENTIFY if draw() < traffic.identifies else Kind.TRACK, user(number))


def user(number: int) -> str:
    """A sound user id."""
    return f"user-{number:06}"


def refused_user(number: int) -> str:
    """A user id that the mapping lets pass and the sandbox refuses."""
    return f"refused-{number:06}".ljust(LONGEST_GOOD_ID + 5, "x")
