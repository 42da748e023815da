"""What the tests of commands share."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition

Segbatch = Callable[..., Any]
"""Runs a command in the test's process: `segbatch("map", input=..., SEGBATCH_NAMING="snake")`."""
Start = Callable[..., "subprocess.Popen[str]"]
"""Starts a command as a process of its own."""


class EmbeddedKafka:
    """librdkafka's cluster in this process: a topic exists from its first use, with 4 partitions."""

    def __init__(self) -> None:
        self.producer = Producer(
            {"test.mock.num.brokers": 1, "bootstrap.servers": "", "log_level": 0, "linger.ms": 0}
        )
        broker = next(iter(self.producer.list_topics(timeout=10).brokers.values()))
        self.brokers = f"{broker.host}:{broker.port}"

    def records(self, topic: str) -> list[Message]:
        """Everything in the topic, by partition, then offset."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": "test",
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(4)])
        found: list[Message] = []
        ended = 0
        while ended < 4:
            for message in consumer.consume(1000, 0.2):
                error = message.error()
                if error is None:
                    found.append(message)
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    ended += 1
        consumer.close()
        return sorted(found, key=lambda message: (message.partition(), message.offset()))


def json_lines(*events: Any) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)
