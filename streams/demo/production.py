"""Sends the traffic to Kafka at a steady pace, and folds what Batch must hold in the end."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from streams.cluster import SILENT
from streams.dead_letters import PRODUCER
from streams.demo.expected import ExpectedState
from streams.demo.traffic import generate

TICK_S = 0.02
CONFIRMED_WITHIN_S = 30.0


class Production(threading.Thread):
    """Produces `events` records about `users` people over `seconds`, then ends.

    `expected` is the fold of what was produced, complete when the thread has ended. `failure` says why it ended
    before its time.
    """

    def __init__(
        self, brokers: str, topic: str, *, events: int, seconds: float, users: int, seed: int
    ) -> None:
        super().__init__(name="production", daemon=True)
        self.events = events
        self.produced = 0
        self.expected = ExpectedState()
        self.failure: str | None = None
        self._topic = topic
        self._seconds = seconds
        self._users, self._seed = users, seed
        self._cancelled = threading.Event()
        settings: dict[str, Any] = {**PRODUCER, "bootstrap.servers": brokers, "linger.ms": 50}
        self._producer = Producer(settings, logger=SILENT)

    def cancel(self) -> None:
        """End early, and wait until it has."""
        self._cancelled.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        try:
            self._produce()
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"

    def _produce(self) -> None:
        started = time.monotonic()
        records = generate(self.events, users=self._users, seed=self._seed, now=datetime.now(UTC))
        for number, record in enumerate(records):
            due = started + self._seconds * number / self.events
            while (early := due - time.monotonic()) > 0:
                if self._cancelled.wait(max(early, TICK_S)):
                    return
                self._producer.poll(0)
            self._send(record.key, record.value)
            self.expected.add(record)
            self.produced += 1
        left = self._producer.flush(CONFIRMED_WITHIN_S)
        if left and self.failure is None:
            self.failure = f"Kafka has not confirmed {left:,} records after {CONFIRMED_WITHIN_S:.0f} s"

    def _send(self, key: bytes | None, value: bytes | None) -> None:
        while not self._cancelled.is_set():
            try:
                self._producer.produce(self._topic, value, key=key, on_delivery=self._confirmed)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _confirmed(self, error: KafkaError | None, _: Message) -> None:
        if error is not None and self.failure is None:
            self.failure = f"Kafka refused a record: {error.str()}"
