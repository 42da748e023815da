"""Looks at Kafka for `segbatch check`: brokers, topics, rights. Writes, commits and creates nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient

from streams.cluster import RIGHTS_S, SILENT, creates_topics, reach_remedy
from streams.commands.findings import Finding, counted
from streams.settings import Settings, client_settings, dead_letter_topic

REACH_S = 8.0
_MISSING = "It does not exist, or this user may not see it."


class Topic(NamedTuple):
    """A topic as the cluster shows it to us."""

    partitions: int
    """0 if it does not exist, or is hidden from us."""
    rights: frozenset[AclOperation] | None
    """What we may do with it; None if the cluster does not tell."""
    refusal: str = ""
    """The name of Kafka's error, such as `TOPIC_AUTHORIZATION_FAILED`."""

    def refuses(self, operation: AclOperation) -> bool:
        """Whether the cluster says that we may not."""
        forbidden = self.rights is not None and operation not in self.rights
        return forbidden or "AUTHORIZATION" in self.refusal


class Cluster(NamedTuple):
    """What was found of the topics that the settings name."""

    topics: Mapping[str, Topic]
    findings: tuple[Finding, ...]


def look_at_cluster(settings: Settings) -> Cluster:
    """Reaches the brokers and describes the source and dead-letter topics. Takes 12 seconds at most."""
    kafka = settings.kafka
    letters = {topic: dead_letter_topic(settings, topic) for topic in kafka.topics}
    addresses = ", ".join(kafka.brokers)
    reasons: list[str] = []
    admin: AdminClient | None = None
    try:
        client: dict[str, Any] = {**client_settings(kafka)}
        admin = AdminClient({**client, "error_cb": lambda error: reasons.append(error.str())}, logger=SILENT)
        metadata = admin.list_topics(timeout=REACH_S)
    except KafkaException as error:
        if admin is not None:
            admin.poll(0)
        reason = reasons[0] if reasons else error.args[0].str()
        unreached = Finding(
            "kafka", "error", f"No broker answers at {addresses}: {reason}.", reach_remedy(reason)
        )
        return Cluster({}, (unreached,))
    sizes = {name: len(topic.partitions) for name, topic in metadata.topics.items()}
    topics = _described(admin, {*letters, *letters.values()}, sizes)
    missing = [name for name in letters.values() if not topics[name].partitions]
    made_on_write = bool(missing) and creates_topics(admin, next(iter(metadata.brokers), 0))
    reached = Finding(
        "kafka", "ok", f"{counted(len(metadata.brokers), 'broker')} reached through {addresses}."
    )
    findings = (
        reached,
        *_group_findings(admin, kafka.group),
        *_source_findings(topics, letters),
        *_letter_findings(topics, letters, made_on_write),
    )
    return Cluster(topics, findings)


def _described(admin: AdminClient, names: Iterable[str], sizes: Mapping[str, int]) -> dict[str, Topic]:
    """The topics with our rights. Asking for rights creates no topic; a cluster may not answer it."""
    collection = TopicCollection(sorted(names))
    asked = admin.describe_topics(collection, include_authorized_operations=True, request_timeout=RIGHTS_S)
    topics = {}
    for name, future in asked.items():
        refusal = ""
        rights: frozenset[AclOperation] | None = None
        partitions = sizes.get(name, 0)
        try:
            found = future.result(RIGHTS_S * 2)
            partitions = len(found.partitions)
            rights = None if found.authorized_operations is None else frozenset(found.authorized_operations)
        except KafkaException as error:
            code = error.args[0].code()
            unanswered = code in (KafkaError._TIMED_OUT, KafkaError._UNSUPPORTED_FEATURE)
            refusal = "" if unanswered else error.args[0].name()
        topics[name] = Topic(partitions, rights, refusal)
    return topics


def _group_findings(admin: AdminClient, group: str) -> Iterator[Finding]:
    asked = admin.describe_consumer_groups(
        [group], include_authorized_operations=True, request_timeout=RIGHTS_S
    )
    try:
        rights = asked[group].result(RIGHTS_S * 2).authorized_operations
        refused = rights is not None and AclOperation.READ not in rights
    except KafkaException as error:
        refused = error.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    if refused:
        remedy = "Give this user READ on the consumer group, or set kafka.group to one that it may use."
        yield Finding(f"group {group}", "error", "We may not read as this consumer group.", remedy)


def _source_findings(topics: Mapping[str, Topic], letters: Mapping[str, str]) -> Iterator[Finding]:
    for name in letters:
        topic, check = topics[name], f"topic {name}"
        if topic.refuses(AclOperation.READ):
            yield Finding(check, "error", "We may not read it.", "Give this user READ on the topic.")
        elif not topic.partitions:
            yield Finding(check, "error", _MISSING, "Create it, or correct kafka.topics.")
        else:
            yield Finding(check, "ok", f"It has {counted(topic.partitions, 'partition')}.")


def _letter_findings(
    topics: Mapping[str, Topic], letters: Mapping[str, str], made_on_write: bool
) -> Iterator[Finding]:
    for name in dict.fromkeys(letters.values()):
        needed = max(topics[source].partitions for source, target in letters.items() if target == name)
        yield _letter_finding(f"dead letters {name}", topics[name], needed, made_on_write)


def _letter_finding(check: str, topic: Topic, needed: int, made_on_write: bool) -> Finding:
    partitions = counted(topic.partitions, "partition")
    if topic.refuses(AclOperation.WRITE):
        remedy = "Give this user WRITE on the topic: a record that cannot be delivered waits for it."
        return Finding(check, "error", "We may not write it.", remedy)
    if not topic.partitions:
        create = (
            f"Create it with {counted(needed, 'partition') if needed else 'as many partitions as its source'}"
        )
        if made_on_write:
            message = "It does not exist; the brokers would make it at the first letter, with their default settings."
            return Finding(check, "warning", message, f"{create}.")
        return Finding(check, "error", _MISSING, f"{create}, or set dead_letter.topic to one that exists.")
    if topic.partitions < needed:
        remedy = "Give it as many, so that a letter lies in the partition of its record's number."
        return Finding(check, "warning", f"It has {partitions}, its source {needed}.", remedy)
    if topic.rights is None:
        return Finding(
            check, "ok", f"It has {partitions}; the cluster does not tell whether we may write it."
        )
    return Finding(check, "ok", f"It has {partitions}, and we may write it.")


def rate_findings(settings: Settings, topics: Mapping[str, Topic]) -> Iterator[Finding]:
    """How rate and workers divide over the partitions, and what several topics mean for order."""
    sources = settings.kafka.topics
    total = sum(topics[name].partitions for name in sources if name in topics)
    if total:
        batch = settings.batch
        yield Finding(
            "rate",
            "ok",
            f"{counted(total, 'partition')} in all: each carries {batch.rate_per_s / total:.4g} profile updates a "
            f"second of {batch.rate_per_s:g}, and {batch.burst / total:.4g} of the burst of {batch.burst:g}. At most "
            f"{counted(total, 'worker')} can share the work.",
        )
    if len(sources) > 1:
        yield Finding(
            "order",
            "warning",
            "Order, and one request in flight for a profile, hold within a topic; across topics only within a worker.",
            "Bring the events of a user into one topic, or run one worker.",
        )
