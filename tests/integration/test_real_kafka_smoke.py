"""The Kafka that other tests rely on does what its helpers say."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

from tests.kafka import KafkaCluster, Record


def _commit(kafka: KafkaCluster, group: str, topic: str, partition: int, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": kafka.brokers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    consumer.close()


def test_records_come_back_as_they_were_produced(kafka: KafkaCluster) -> None:
    topic = kafka.create_topic(kafka.unique("smoke"), partitions=2)
    record = Record(
        b'{"a": 1}', key=b"user", headers=[("h", b"v")], partition=1, timestamp_ms=1_700_000_000_000
    )

    assert kafka.produce(topic, [record, Record(None, key=b"gone", partition=0)]) == 2

    tombstone, message = kafka.read_all(topic)
    assert (tombstone.value(), tombstone.key()) == (None, b"gone")
    assert (message.value(), message.key(), message.headers()) == (b'{"a": 1}', b"user", [("h", b"v")])
    assert message.partition() == 1
    assert message.timestamp()[1] == 1_700_000_000_000


def test_lag_counts_what_a_group_has_not_committed(kafka: KafkaCluster) -> None:
    topic = kafka.create_topic(kafka.unique("smoke"), partitions=2)
    group = kafka.unique("group")
    kafka.produce(topic, [Record(b"x", partition=0)] * 5 + [Record(b"x", partition=1)] * 3)

    assert kafka.end_offsets(topic) == {0: 5, 1: 3}
    assert kafka.committed(group, topic) == {}
    assert kafka.lag(group, topic) == 8

    _commit(kafka, group, topic, partition=0, offset=4)

    assert kafka.committed(group, topic) == {0: 4}
    assert kafka.lag(group, topic) == 4


def test_aborted_transactions_leave_offsets_but_no_records(kafka: KafkaCluster) -> None:
    topic = kafka.create_topic(kafka.unique("smoke"), partitions=1)
    kafka.produce_transaction(topic, [Record(b"kept")])
    kafka.produce_transaction(topic, [Record(b"aborted")], commit=False)

    assert [message.value() for message in kafka.read_all(topic)] == [b"kept"]
    assert kafka.end_offsets(topic) == {0: 4}


def test_assignments_show_who_has_which_partition_in_both_protocols(kafka: KafkaCluster) -> None:
    topic = kafka.create_topic(kafka.unique("smoke"), partitions=3)
    everything = frozenset((topic, partition) for partition in range(3))
    for protocol in ("classic", "consumer"):
        group = kafka.unique("group")
        kafka.produce(topic, [Record(b"x")])
        consumer = Consumer(
            {
                "bootstrap.servers": kafka.brokers,
                "group.id": group,
                "group.protocol": protocol,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe([topic])
        assert consumer.consume(1, timeout=30), f"the {protocol} group received nothing"

        assert list(kafka.assignments(group).values()) == [everything]

        consumer.close()
        assert kafka.assignments(group) == {}


def test_a_killed_broker_comes_back_with_its_records(kafka: KafkaCluster) -> None:
    topic = kafka.create_topic(kafka.unique("smoke"), partitions=1)
    kafka.produce(topic, [Record(b"before")])
    if kafka.owned:
        kafka.kill()
        kafka.start()

    kafka.produce(topic, [Record(b"after")])

    assert [message.value() for message in kafka.read_all(topic)] == [b"before", b"after"]
