"""The record that a letter is about, where it lies in its source topic."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from streams.cluster import SILENT
from streams.settings import Settings, consumer_settings

FIND_S = 10.0


class Originals:
    """Looks records up in their source topics. Joins no group and commits nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: Consumer | None = None

    def value(self, topic: str, partition: int, offset: int) -> bytes | None:
        """The value of the record there; None if Kafka does not have it any more."""
        if self._consumer is None:
            client: dict[str, Any] = {
                **consumer_settings(self._settings.kafka),
                "auto.offset.reset": "earliest",
            }
            client.pop("group.instance.id", None)
            self._consumer = Consumer(client, logger=SILENT)
        self._consumer.assign([TopicPartition(topic, partition, offset)])
        message = self._consumer.poll(FIND_S)
        while message is not None and message.error() is not None:
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                return None
            message = self._consumer.poll(FIND_S)
        return message.value() if message is not None and message.offset() == offset else None

    def close(self) -> None:
        """Leave Kafka."""
        if self._consumer is not None:
            self._consumer.close()
