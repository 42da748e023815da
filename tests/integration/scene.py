"""What an end-to-end test works with: source topic, dead-letter topic, group, local Batch, workers, and what was
produced."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Message

from streams.demo.comparison import examine
from streams.demo.expected import ExpectedState, fold
from streams.demo.records import Produced
from streams.demo.traffic import generate
from tests.integration.local_batch import LocalBatch
from tests.integration.workers import Worker, wait_until
from tests.kafka import KafkaCluster, Record

REST_API_KEY = "rest-key-of-the-tests"
PROJECT_KEY = "project-of-the-tests"


class Scene:
    """One test's own corner of a Kafka, with a Batch of its own."""

    def __init__(self, kafka: KafkaCluster, batch: LocalBatch, directory: Path) -> None:
        self.kafka = kafka
        self.batch = batch
        self.topic = kafka.unique("events")
        self.dead_letter_topic = f"{self.topic}.dead-letter"
        self.group = kafka.unique("segbatch")
        self.produced: list[Produced] = []
        self.workers: list[Worker] = []
        self.directory = directory

    def create_topics(self, partitions: int = 6) -> Scene:
        self.kafka.create_topic(self.topic, partitions)
        self.kafka.create_topic(self.dead_letter_topic, partitions)
        return self

    def settings(self, **more: str) -> dict[str, str]:
        """A worker's settings; `more` are named as in the environment, without `SEGBATCH_`."""
        return {
            "KAFKA__BROKERS": self.kafka.brokers,
            "KAFKA__TOPICS": self.topic,
            "KAFKA__GROUP": self.group,
            "BATCH__REST_API_KEY": REST_API_KEY,
            "BATCH__PROJECT_KEY": PROJECT_KEY,
            "BATCH__BASE_URL": self.batch.url,
            **more,
        }

    def worker(self, **more: str) -> Worker:
        """Start a worker, and do not wait for it."""
        return self.start(self.settings(**more))

    def start(self, settings: dict[str, str]) -> Worker:
        """Start a worker with exactly these settings."""
        worker = Worker(settings, self.directory)
        self.workers.append(worker)
        return worker

    def produce(self, records: Iterable[Produced], **producer: Any) -> None:
        """Produce and remember."""
        made = list(records)
        self.kafka.produce(self.topic, [Record(each.value, each.key) for each in made], **producer)
        self.produced += made

    def produce_steadily(self, records: Sequence[Produced], seconds: float) -> threading.Thread:
        """Produce over so many seconds, on a thread that the caller joins."""
        self.produced += records
        thread = threading.Thread(target=self._trickle, args=(records, seconds), daemon=True)
        thread.start()
        return thread

    def _trickle(self, records: Sequence[Produced], seconds: float) -> None:
        producer = self.kafka.producer()
        pause = threading.Event()
        ticks = max(1, round(seconds * 10))
        for tick in range(ticks):
            for each in records[len(records) * tick // ticks : len(records) * (tick + 1) // ticks]:
                producer.produce(self.topic, each.value, key=each.key)
            producer.poll(0)
            pause.wait(0.1)
        producer.flush(30)

    def lag(self) -> int:
        """What the group has not committed, as another client sees it."""
        return self.kafka.lag(self.group, self.topic)

    def wait_until_drained(self, timeout_s: float = 50.0) -> None:
        """Until every partition is committed to its end."""
        wait_until(
            lambda: self.kafka.committed(self.group, self.topic) and self.lag() == 0, "lag 0", timeout_s
        )
        committed, ends = (
            {partition: offset for partition, offset in offsets.items() if offset}
            for offsets in (
                self.kafka.committed(self.group, self.topic),
                self.kafka.end_offsets(self.topic),
            )
        )
        assert committed == ends

    def dead_letters(self) -> list[Message]:
        return self.kafka.read_all(self.dead_letter_topic)

    @property
    def expected(self) -> ExpectedState:
        """What Batch must hold of everything produced."""
        return fold(each.expectation for each in self.produced)

    def differences(self) -> list[str]:
        """Between what Batch must hold and what it holds; nothing may be missing, changed or repeated."""
        return examine(self.expected, self.batch.profiles()).differences

    def repeats(self) -> int:
        """How many events came again after a kill. Whatever else is different is an AssertionError."""
        found = examine(self.expected, self.batch.profiles(), allow_repeats=True)
        assert found.differences == []
        return found.repeats

    def faults_of_the_client(self) -> dict[str, int]:
        """What Batch saw that no client should do; {} if all is well."""
        stats = self.batch.stats()
        seen = {"refused_429": stats["refused_429"], **stats["violations"]}
        return {name: count for name, count in seen.items() if count}

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
            print(f"--- worker\n{worker.log()}")
        self.batch.close()


def traffic(count: int, users: int, seed: int = 1) -> list[Produced]:
    """Realistic records, one in a hundred of them flawed, that happened in the last hour."""
    return list(generate(count, users=users, seed=seed, now=datetime.now(UTC)))


def identify(user: str, at: str | None = None, **traits: Any) -> bytes:
    """A sound identify, of the time `at` (ISO 8601) if given."""
    event = {"type": "identify", "userId": user, "messageId": f"m-{user}", "traits": traits}
    return json.dumps(event | ({"timestamp": at} if at else {})).encode()


def header(message: Message, name: str) -> str | None:
    """A header's text; None if the message does not have it."""
    return next((value.decode() for key, value in message.headers() or () if key == name), None)


def numbered(count: int) -> Iterator[tuple[str, int]]:
    """`user-0`, 0 and so on."""
    return ((f"user-{number}", number) for number in range(count))
