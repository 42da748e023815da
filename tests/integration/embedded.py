"""The embedded Kafka (librdkafka's own, hosted by the tests' process) as a cluster for scenes: no Java, no Docker."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

from streams.demo.embedded import GROUP_STRATEGY
from tests.kafka import KafkaCluster

RANGE = f'{{"partition.assignment.strategy": "{GROUP_STRATEGY}"}}'
"""What a worker on it needs as `kafka.librdkafka`."""


class EmbeddedCluster(KafkaCluster):
    """It does not list all of a group's offsets: they have to be asked for one by one."""

    def committed(self, group: str, topic: str) -> dict[int, int]:
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": group})
        asked = [TopicPartition(topic, partition) for partition in self.partitions(topic)]
        answer = consumer.committed(asked, timeout=10)
        consumer.close()
        return {each.partition: each.offset for each in answer if each.offset >= 0}
