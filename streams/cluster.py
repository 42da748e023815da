"""What several parts ask of a Kafka cluster, and what is said when it does not answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

SILENT = logging.Logger("librdkafka", logging.CRITICAL + 1)
"""librdkafka's own lines would hide what is said, which is the same."""
RIGHTS_S = 3.0
_UNREACHED = (
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError._RESOLVE,
    KafkaError._SSL,
    KafkaError._AUTHENTICATION,
)


def is_unreached(error: KafkaError) -> bool:
    """Whether the error says that no broker answered, rather than that one refused."""
    return error.code() in _UNREACHED


def unreached(brokers: Iterable[str], reason: str) -> str:
    """A sentence, and what to do: `no broker answers at a:9092: …. Correct kafka.brokers …`."""
    return f"no broker answers at {', '.join(brokers)}: {reason.rstrip('.')}. {reach_remedy(reason)}"


def reach_remedy(reason: str) -> str:
    """Which settings to look at when no broker answers. `reason` is what Kafka's client says."""
    if "SASL" in reason or "uthenticat" in reason:
        return "Correct kafka.sasl_mechanism, kafka.sasl_username and kafka.sasl_password."
    if "SSL" in reason or "certificate" in reason:
        return "Correct kafka.security_protocol and kafka.ssl_ca_location."
    return "Correct kafka.brokers and kafka.security_protocol; can this machine reach those ports?"


def creates_topics(admin: AdminClient, broker: int) -> bool:
    """Whether brokers make a topic at its first record; no, if they do not tell."""
    resource = ConfigResource(ConfigResource.Type.BROKER, str(broker))
    try:
        found = admin.describe_configs([resource], request_timeout=RIGHTS_S)[resource].result(RIGHTS_S * 2)
    except KafkaException:
        return False
    setting = found.get("auto.create.topics.enable")
    return setting is not None and setting.value == "true"
