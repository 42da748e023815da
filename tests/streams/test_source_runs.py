"""A fetch is taken apart by topic, partition and error."""

from __future__ import annotations

from confluent_kafka import KafkaError, Message

from streams.source import _runs


def test_an_error_beside_records_of_its_partition_is_a_run_of_its_own() -> None:
    end = KafkaError(KafkaError._PARTITION_EOF)
    messages = [
        Message(topic="t", partition=0, offset=1, value=b"a"),
        Message(topic="t", partition=0, offset=2, value=b"b"),
        Message(topic="t", partition=0, offset=3, error=end),
        Message(topic="t", partition=1, offset=7, error=end),
        Message(topic="t", partition=1, offset=7, value=b"c"),
    ]
    found = [(origin, [message.offset() for message in run]) for origin, run in _runs(messages)]
    eof = KafkaError._PARTITION_EOF
    assert found == [
        (("t", 0, None), [1, 2]),
        (("t", 0, eof), [3]),
        (("t", 1, eof), [7]),
        (("t", 1, None), [7]),
    ]
