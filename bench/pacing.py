"""A steady stream of events, and when Batch took each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from confluent_kafka import KafkaError, Message, Producer

from bench.processes import Sandbox
from tests.kafka import KafkaCluster

USERS = 5_000
LOG_SIZE = 1_000_000
LOGGING = ("--call-log-size", str(LOG_SIZE), "--update-log-size", str(LOG_SIZE))
"""Options of a sandbox that remembers when it took which event."""


def topic_with_append_times(kafka: KafkaCluster, prefix: str) -> str:
    """A topic whose records bear the time when the broker appended them."""
    topic = kafka.create_topic(kafka.unique(prefix), message_timestamp_type="LogAppendTime")
    kafka.create_topic(f"{topic}.dead-letter")
    return topic


class Stream:
    """Events numbered from 0, of users in turn. `appended` has the time of each, seconds since 1970."""

    def __init__(self, kafka: KafkaCluster, topic: str) -> None:
        self._producer: Producer = kafka.producer(linger_ms=0)
        self._topic = topic
        self._next = 0
        self.appended: dict[int, float] = {}

    def send(self, rate_per_s: float, seconds: float, going_on: Callable[[], bool] = lambda: True) -> range:
        """Send so many events a second, evenly, for so long or until `going_on()` is false; their numbers."""
        begun, first = time.monotonic(), self._next
        while going_on() and (passed := time.monotonic() - begun) < seconds:
            while self._next - first < passed * rate_per_s:
                self._send_one()
            self._producer.poll(0)
            time.sleep(0.001)
        self._producer.flush(30)
        return range(first, self._next)

    def _send_one(self) -> None:
        number = self._next
        self._next += 1
        user = f"user-{number % USERS}"
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        event = {
            "type": "track",
            "event": "Product Viewed",
            "userId": user,
            "messageId": f"latency-{number}",
            "timestamp": now,
            "properties": {"number": number, "sku": "SKU-1", "price": 12.5},
        }

        def appended(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.appended[number] = message.timestamp()[1] / 1000

        self._producer.produce(self._topic, orjson.dumps(event), user, on_delivery=appended)


def acceptances(batch: Sandbox) -> dict[int, float]:
    """By number of the event: when the call with it was answered, seconds since 1970; the first call that had it."""
    answered = dict(call_answers(batch))
    taken: dict[int, float] = {}
    for line in batch.get("updates").splitlines():
        update: dict[str, Any] = json.loads(line)
        for event in update["events"]:
            taken.setdefault(event["attributes"]["number"], answered[update["call"]])
    return taken


def call_answers(batch: Sandbox) -> list[tuple[int, float]]:
    """Number and time of answer of each accepted call, in order of arrival."""
    calls = (json.loads(line) for line in batch.get("calls").splitlines())
    return [
        (call["number"], datetime.fromisoformat(call["time"]).timestamp() + call["seconds"])
        for call in calls
        if call["status"] == 202
    ]
