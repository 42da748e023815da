"""The settings as librdkafka's clients take them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from streams.settings.librdkafka import CONSUMER_ONLY, PRODUCER_ONLY
from streams.settings.model import KafkaSettings

_LOGIN: Mapping[str, tuple[str, ...]] = {
    "PLAIN": ("sasl_username", "sasl_password"),
    "SCRAM-SHA-256": ("sasl_username", "sasl_password"),
    "SCRAM-SHA-512": ("sasl_username", "sasl_password"),
    "OAUTHBEARER": (
        "sasl_oauthbearer_client_id",
        "sasl_oauthbearer_client_secret",
        "sasl_oauthbearer_token_endpoint_url",
        "sasl_oauthbearer_scope",
        "sasl_oauthbearer_extensions",
    ),
}
_TLS = ("ssl_ca_location", "ssl_certificate_location", "ssl_key_location", "ssl_key_password")
_HEARTBEAT_MS = 3000
_PREFETCH_KBYTES = 16384
_FETCH_AGAIN_MS = 50
"""How long librdkafka rests once that much is fetched. By its default of a second, a worker that empties 16 MB sooner
waits for the rest of it with nothing to do."""


def client_settings(kafka: KafkaSettings) -> dict[str, str]:
    """Settings for a producer or an admin client: address, security, and `kafka.librdkafka` without what only
    consumers know."""
    settings = {
        "bootstrap.servers": ",".join(kafka.brokers),
        "client.id": kafka.client_id,
        **_security(kafka),
        **{name: value for name, value in kafka.librdkafka.items() if name not in CONSUMER_ONLY},
    }
    return {name: value for name, value in settings.items() if value}


def consumer_settings(kafka: KafkaSettings) -> dict[str, str | int | bool]:
    """Settings for a consumer of the group.

    It never commits by itself, reads only what is committed, says when a partition's end is reached, and
    reports a missing offset as an error instead of choosing one.
    """
    shared = {name: value for name, value in client_settings(kafka).items() if name not in PRODUCER_ONLY}
    tuning = {name: value for name, value in kafka.librdkafka.items() if name in CONSUMER_ONLY}
    return {
        **shared,
        "queued.max.messages.kbytes": _PREFETCH_KBYTES,
        "fetch.queue.backoff.ms": _FETCH_AGAIN_MS,
        **_membership(kafka),
        **tuning,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
    }


def _membership(kafka: KafkaSettings) -> dict[str, str | int | bool]:
    settings: dict[str, str | int | bool] = {
        "group.id": kafka.group,
        "group.protocol": kafka.group_protocol,
        "max.poll.interval.ms": _milliseconds(kafka.max_poll_interval_s),
    }
    if kafka.instance_id:
        settings["group.instance.id"] = kafka.instance_id
    if kafka.group_protocol == "classic":
        session_ms = _milliseconds(kafka.session_timeout_s)
        settings["session.timeout.ms"] = session_ms
        settings["heartbeat.interval.ms"] = max(1, min(_HEARTBEAT_MS, session_ms // 3))
        settings["partition.assignment.strategy"] = "cooperative-sticky"
    return settings


def _security(kafka: KafkaSettings) -> dict[str, str]:
    settings: dict[str, str] = {"security.protocol": kafka.security_protocol}
    names: tuple[str, ...] = ()
    if kafka.security_protocol.endswith("SSL"):
        names += _TLS
    if kafka.security_protocol.startswith("SASL") and kafka.sasl_mechanism is not None:
        settings["sasl.mechanism"] = kafka.sasl_mechanism
        names += _LOGIN[kafka.sasl_mechanism]
        if kafka.sasl_mechanism == "OAUTHBEARER":
            settings["sasl.oauthbearer.method"] = "oidc"
    return settings | {name.replace("_", "."): _plain(getattr(kafka, name)) for name in names}


def _plain(value: str | SecretStr | None) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value or ""


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
