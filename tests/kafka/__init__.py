"""A real Apache Kafka for tests, benches and scripts.

    from tests.kafka import real_kafka

    with real_kafka() as kafka:
        topic = kafka.create_topic(kafka.unique("events"))
        kafka.produce(topic, [Record(b"{}", key=b"user-1")])

Under pytest, take the fixture `kafka` instead: one broker for the whole session. `python -m tests.kafka`
starts a broker, prints its address and runs until it is interrupted.
"""

from tests.kafka.broker import Broker, KafkaUnavailable
from tests.kafka.cluster import KafkaCluster, Record
from tests.kafka.find import real_kafka

__all__ = ["Broker", "KafkaCluster", "KafkaUnavailable", "Record", "real_kafka"]
