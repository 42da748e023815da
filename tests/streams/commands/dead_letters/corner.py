"""A source topic and its dead letters on a real Kafka, without a worker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from confluent_kafka import Message

from sink.settlement import Refusal
from streams.ledger import Ledger
from streams.letter import letter_headers
from streams.records import Headers, Record
from tests.kafka import KafkaCluster
from tests.kafka import Record as ToProduce
from tests.streams.fakes import CREATED, FakeMessage

REFUSED = Refusal("refused_by_batch", "Batch refuses this record on its own.", "400", "Bad ***", 2)


def identify(user: str) -> bytes:
    return json.dumps({"type": "identify", "userId": user, "traits": {"a": 1}}).encode()


class Corner:
    """Letters are written as the worker writes them."""

    def __init__(self, kafka: KafkaCluster, partitions: int = 2) -> None:
        self.kafka = kafka
        self.source = kafka.create_topic(kafka.unique("events"), partitions)
        self.letters = kafka.create_topic(f"{self.source}.dead-letter", partitions)
        self.group = kafka.unique("segbatch")

    @property
    def settings(self) -> dict[str, str]:
        return {
            "SEGBATCH_KAFKA__BROKERS": self.kafka.brokers,
            "SEGBATCH_KAFKA__TOPICS": self.source,
            "SEGBATCH_KAFKA__GROUP": self.group,
        }

    def letter(
        self,
        user: str,
        refusal: Refusal = REFUSED,
        *,
        value: bytes | None = None,
        partition: int = 0,
        offset: int = 0,
        headers: Headers | None = None,
        mappings: Iterable[str] = ("Update Profile",),
        failed_at: str | None = None,
        value_left_out: bool = False,
        **changes: Any,
    ) -> ToProduce:
        content = identify(user) if value is None else value
        message = FakeMessage(content, user.encode(), offset, headers, (CREATED, 1_700_000_000_000))
        record = Record(Ledger(self.source, partition, offset), message, offset)
        written = letter_headers(record, replace(refusal, **changes), mappings, value_left_out=value_left_out)
        if failed_at is not None:
            written = [
                (name, failed_at.encode() if name == "segbatch.failed.at" else kept) for name, kept in written
            ]
        return ToProduce(
            None if value_left_out else content, user.encode(), [(n, v or b"") for n, v in written], partition
        )

    def put(self, *letters: ToProduce) -> None:
        self.kafka.produce(self.letters, letters)

    def replayed(self) -> list[Message]:
        """What lies in the source topic, read committed."""
        return self.kafka.read_all(self.source)

    def replayed_users(self) -> list[str]:
        return sorted((message.key() or b"").decode() for message in self.replayed())


def headers_of(message: Message) -> Mapping[str, bytes | None]:
    return dict(message.headers() or ())
