"""Which librdkafka settings are ours, and which belong to consumers or producers only.

The names are those of librdkafka's CONFIGURATION.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, KafkaException, Producer

from streams.cluster import SILENT
from streams.settings.masking import masked_map
from streams.settings.problems import Problem

_FIXED = "Remove it: segbatch's promise not to lose or repeat records rests on its value."
_SEE_NAMES = "See librdkafka's CONFIGURATION.md for names and values."

OWNED: Mapping[str, str] = {
    "bootstrap.servers": "kafka.brokers",
    "metadata.broker.list": "kafka.brokers",
    "group.id": "kafka.group",
    "group.instance.id": "kafka.instance_id",
    "group.protocol": "kafka.group_protocol",
    "session.timeout.ms": "kafka.session_timeout_s",
    "max.poll.interval.ms": "kafka.max_poll_interval_s",
    "auto.offset.reset": "kafka.start",
    "client.id": "kafka.client_id",
    "security.protocol": "kafka.security_protocol",
    "sasl.mechanism": "kafka.sasl_mechanism",
    "sasl.mechanisms": "kafka.sasl_mechanism",
    "sasl.username": "kafka.sasl_username",
    "sasl.password": "kafka.sasl_password",
    "sasl.oauthbearer.client.id": "kafka.sasl_oauthbearer_client_id",
    "sasl.oauthbearer.client.credentials.client.id": "kafka.sasl_oauthbearer_client_id",
    "sasl.oauthbearer.client.secret": "kafka.sasl_oauthbearer_client_secret",
    "sasl.oauthbearer.client.credentials.client.secret": "kafka.sasl_oauthbearer_client_secret",
    "sasl.oauthbearer.token.endpoint.url": "kafka.sasl_oauthbearer_token_endpoint_url",
    "sasl.oauthbearer.scope": "kafka.sasl_oauthbearer_scope",
    "sasl.oauthbearer.extensions": "kafka.sasl_oauthbearer_extensions",
    "ssl.ca.location": "kafka.ssl_ca_location",
    "ssl.certificate.location": "kafka.ssl_certificate_location",
    "ssl.key.location": "kafka.ssl_key_location",
    "ssl.key.password": "kafka.ssl_key_password",
}
"""librdkafka's name → the setting of ours to use instead."""

FIXED: Mapping[str, str] = {
    "enable.auto.commit": "false",
    "auto.commit.enable": "false",
    "enable.auto.offset.store": "false",
    "enable.partition.eof": "true",
    "isolation.level": "read_committed",
    "offset.store.method": "broker",
    "group.protocol.type": "consumer",
    "sasl.oauthbearer.method": "oidc",
    "enable.idempotence": "true",
    "acks": "all",
    "request.required.acks": "all",
    "partitioner": "murmur2_random",
    "transactional.id": "none",
    "default.topic.config": "none",
    "logger": "segbatch's log",
}
"""librdkafka's name → the value that segbatch gives it and nobody changes."""

CLASSIC_ONLY = frozenset({"heartbeat.interval.ms", "partition.assignment.strategy"})
"""Refused by librdkafka with `group.protocol=consumer`: the broker has them."""

CONSUMER_ONLY = CLASSIC_ONLY | {
    "auto.commit.interval.ms",
    "check.crcs",
    "consume.callback.max.messages",
    "coordinator.query.interval.ms",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.remote.assignor",
    "max.partition.fetch.bytes",
    "queued.max.messages.kbytes",
    "queued.min.messages",
}
PRODUCER_ONLY = frozenset(
    {
        "batch.num.messages",
        "batch.size",
        "compression.codec",
        "compression.level",
        "compression.type",
        "delivery.report.only.error",
        "delivery.timeout.ms",
        "enable.gapless.guarantee",
        "linger.ms",
        "message.send.max.retries",
        "message.timeout.ms",
        "queue.buffering.backpressure.threshold",
        "queue.buffering.max.kbytes",
        "queue.buffering.max.messages",
        "queue.buffering.max.ms",
        "queuing.strategy",
        "request.timeout.ms",
        "retries",
        "sticky.partitioning.linger.ms",
        "transaction.timeout.ms",
    }
)


def refusals(entries: Mapping[str, str], origin: str) -> Iterator[Problem]:
    """What is wrong with the entries of `kafka.librdkafka`: ours, or refused by librdkafka itself."""
    for name, value in masked_map(entries).items():
        key = f"kafka.librdkafka.{name}"
        if name in OWNED:
            yield Problem(
                key, value, "is a setting that segbatch owns", f"Use {OWNED[name]} instead.", origin
            )
        elif name in FIXED:
            yield Problem(key, value, f"is fixed by segbatch: {FIXED[name]}", _FIXED, origin)
        elif name.endswith("_cb"):
            yield Problem(key, value, "is a callback, not a setting", "Remove it.", origin)
        elif (refusal := _refusal(name, entries[name])) is not None:
            yield Problem(key, value, refusal, _SEE_NAMES, origin)


def refusal_together(
    consumer: Mapping[str, str | int | bool], producer: Mapping[str, str | int | bool]
) -> str:
    """What librdkafka says against the settings of a consumer or a producer as a whole; empty if nothing. The clients
    have no brokers and fetch no token, so that they connect nowhere."""
    for make, settings in ((Consumer, consumer), (Producer, producer)):
        try:
            make({name: value for name, value in settings.items() if _is_offline(name)}, logger=SILENT)
        except KafkaException as error:
            return str(error.args[0].str()).rpartition("Failed to create ")[2].partition(": ")[2]
    return ""


def _is_offline(name: str) -> bool:
    return name != "bootstrap.servers" and not name.startswith(("test.mock.", "sasl.oauthbearer."))


def _refusal(name: str, value: str) -> str | None:
    """What librdkafka says against one setting. The client has no brokers, so that it connects nowhere."""
    if name.startswith("test.mock."):
        return None
    try:
        Consumer({"group.id": "segbatch", name: value}, logger=SILENT)
    except KafkaException as error:
        return _reason(error.args[0].str())
    return None


def _reason(text: str) -> str | None:
    if text.startswith("Failed to create"):
        return None  # what is wrong lies in the combination: the client that is made of all settings tells it
    if text.startswith("No such configuration property"):
        return "is unknown to librdkafka"
    if "outside allowed range" in text:
        return f"is outside the range {text.rpartition(' ')[2].strip()}"
    if text.startswith(("Property", "Internal property")) or "callable" in text:
        return "is nothing that can be set as text"
    if text.startswith("dlopen"):
        return "names a library that cannot be loaded"
    return "has a value that librdkafka does not take"
