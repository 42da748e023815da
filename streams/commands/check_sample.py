"""Looks at the newest records of a topic for `segbatch check`. Joins no group and commits nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from mapping.mappings import MappingSet
from mapping.profile import FieldProblem
from mapping.read import read_record
from streams.cluster import SILENT
from streams.commands.findings import Finding, counted
from streams.commands.meaning import Clock, Reader, posted_meaning
from streams.commands.produce import key_of
from streams.mapping_settings import mapping_settings
from streams.settings import Settings, consumer_settings

RECORDS = 200
READ_S = 5.0
_TAIL = -2000
"""librdkafka's OFFSET_TAIL_BASE: an offset of this less n is the nth before the end."""
_MANY_REJECTED = 0.1


@dataclass(slots=True)
class Sample:
    """Counts over some records of a topic."""

    records: int = 0
    keyed: int = 0
    """Records whose key is their userId."""
    keyless: int = 0
    keyed_otherwise: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By outcome and reason."""
    engage: int = 0
    """Records of Segment Engage, which carry `context.personas`."""
    engage_filtered: int = 0
    filtering_names: Counter[str] = field(default_factory=Counter)
    """What else Engage's records that were filtered name as true in `integrations`."""

    def add(self, key: bytes | None, value: bytes | None, read: Reader) -> None:
        """Count one record. A tombstone is counted as the mapping does: skipped."""
        self.records += 1
        if value is None:
            self.outcomes["skipped", "tombstone"] += 1
            return
        found = read(value)
        self.outcomes[found.outcome, found.reason or ""] += 1
        user = key_of(value)
        if isinstance(user, bytes):
            self.keyed += key == user
            self.keyless += key is None
            self.keyed_otherwise += key is not None and key != user
        names = read_record(map_event=_engage_integrations, record=value)
        if isinstance(names, list):
            self.engage += 1
            if found.reason == "filtered_by_integrations":
                self.engage_filtered += 1
                self.filtering_names.update(names)


def _engage_integrations(event: dict[str, Any], _: list[FieldProblem]) -> list[str] | None:
    """The names that are on in `integrations`, `All` apart, if the event is Engage's."""
    context = event.get("context")
    if not isinstance(context, dict) or not isinstance(context.get("personas"), dict):
        return None
    integrations = event.get("integrations")
    if not isinstance(integrations, dict):
        return []
    return [name for name, on in integrations.items() if name != "All" and on is not False]


def sample_findings(
    settings: Settings, mappings: MappingSet | None, topic: str, partitions: int
) -> Iterator[Finding]:
    """What the newest records of the topic say of keys, integrations and outcomes. Takes 6 seconds at most."""
    clock = Clock(time.time() * 1000, settings.late_events)
    read = posted_meaning(mapping_settings(settings), clock, mappings)
    sample = Sample()
    check = f"records {topic}"
    try:
        for message in _newest(settings, topic, partitions):
            sample.add(message.key(), message.value(), read)
    except KafkaException as error:
        reason = error.args[0].str()
        yield Finding(check, "error", f"They cannot be read: {reason}.", "Give this user READ on the topic.")
        return
    if not sample.records:
        message = "There are none to look at, so keys and integrations were not judged."
        yield Finding(check, "warning", message, "Check again when events have come.")
        return
    yield from judge(sample, topic)


def judge(sample: Sample, topic: str) -> Iterator[Finding]:
    """The findings of a sample that has records."""
    yield _keys(sample, f"keys {topic}")
    if sample.engage:
        yield _integrations(sample, f"integrations {topic}")
    yield _outcomes(sample, f"records {topic}")


def _keys(sample: Sample, check: str) -> Finding:
    users = sample.keyed + sample.keyless + sample.keyed_otherwise
    if not users:
        return Finding(
            check, "warning", f"None of the newest {counted(sample.records, 'record')} has a userId."
        )
    of_users = f"of the newest {counted(users, 'record')} with a userId"
    if sample.keyless:
        return Finding(
            check,
            "warning",
            f"{sample.keyless} {of_users} have no key: Kafka keeps no order of a user's events, and two workers may "
            "have one user.",
            "Let the producer set the key to userId (Segment's Kafka destination: Key), or copy the topic with "
            "`segbatch repartition`; docs/keys.md shows both. Until then attributes go by the events' timestamps.",
        )
    if sample.keyed_otherwise:
        return Finding(
            check,
            "warning",
            f"{sample.keyed_otherwise} {of_users} have a key that is not the userId.",
            "That is fine only if all records of a user have the same key; else let the producer set it to userId.",
        )
    return Finding(check, "ok", f"The key is the userId in all {of_users}.")


def _integrations(sample: Sample, check: str) -> Finding:
    share = f"{sample.engage_filtered} of {counted(sample.engage, 'Engage event')}"
    if sample.engage_filtered * 2 <= sample.engage:
        return Finding(check, "ok", f"{share} would be skipped because of `integrations`.")
    named = ", ".join(f"{name!r}" for name, _ in sample.filtering_names.most_common(3))
    seen = f"These are on in them: {named}. " if named else ""
    return Finding(
        check,
        "warning",
        f"{share} would be skipped because of `integrations`. {seen}".rstrip(),
        "Set integrations.names to the name of the destination that carries Engage's events here.",
    )


def _outcomes(sample: Sample, check: str) -> Finding:
    by_outcome: Counter[str] = Counter()
    for (outcome, _), count in sample.outcomes.items():
        by_outcome[outcome] += count
    parts = []
    for outcome in ("mapped", "skipped", "rejected"):
        why = [
            f"{reason} {n}"
            for (kind, reason), n in sample.outcomes.most_common()
            if kind == outcome and reason
        ]
        parts.append(f"{by_outcome[outcome]} {outcome}" + (f" ({', '.join(why)})" if why else ""))
    message = f"Of the newest {sample.records}: {', '.join(parts)}."
    if by_outcome["rejected"] > sample.records * _MANY_REJECTED:
        remedy = "Rejected records become dead letters: is this a topic of Segment events? `segbatch map` shows each."
        if sample.outcomes["rejected", "event_too_old"] * 2 > by_outcome["rejected"]:
            remedy = "Batch takes events of the last 24 hours; late_events says what becomes of older ones."
        return Finding(check, "warning", message, remedy)
    if not by_outcome["mapped"]:
        remedy = "Nothing would reach Batch: is this the right topic, and does integrations.names fit?"
        return Finding(check, "warning", message, remedy)
    return Finding(check, "ok", message)


def _newest(settings: Settings, topic: str, partitions: int) -> list[Message]:
    """The newest records, RECORDS at most, as evenly from the partitions as there are. Raises KafkaException."""
    client: dict[str, Any] = {**consumer_settings(settings.kafka), "auto.offset.reset": "earliest"}
    client.pop("group.instance.id", None)
    each = max(1, RECORDS // partitions)
    read_from = range(min(partitions, RECORDS))
    consumer = Consumer(client, logger=SILENT)
    messages: list[Message] = []
    ended: set[int] = set()
    deadline = time.monotonic() + READ_S
    try:
        consumer.assign([TopicPartition(topic, partition, _TAIL - each) for partition in read_from])
        while len(ended) < len(read_from) and (left := deadline - time.monotonic()) > 0:
            for message in consumer.consume(RECORDS, min(left, 0.2)):
                error = message.error()
                if error is None:
                    messages.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition() or 0)
                elif not error.retriable() and error.code() != KafkaError._ALL_BROKERS_DOWN:
                    raise KafkaException(error)
    finally:
        consumer.close()
    return messages[:RECORDS]
