"""What a person can do about an error that Kafka's client reports."""

from __future__ import annotations

from confluent_kafka import KafkaError

_REMEDY = "are kafka.brokers and kafka.topics right, reachable, and allowed to this user?"
_REMEDIES = {
    KafkaError.UNKNOWN_TOPIC_OR_PART: "create the topic, or correct kafka.topics; `segbatch check` looks at all of it",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "give this user READ on the topics of kafka.topics",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "give this user READ on the group of kafka.group, or correct it",
    KafkaError._AUTHENTICATION: "correct kafka.sasl_mechanism, kafka.sasl_username and kafka.sasl_password",
    KafkaError._SSL: "correct kafka.security_protocol and kafka.ssl_ca_location",
}


def remedy_of(code: int) -> str:
    """A sentence with the settings to look at."""
    return _REMEDIES.get(code, _REMEDY)
