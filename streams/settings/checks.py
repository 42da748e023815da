"""What must hold between settings. All checks run, and all they find is reported."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from streams.settings import librdkafka
from streams.settings.kafka_client import client_settings, consumer_settings
from streams.settings.keys import SETTINGS, value_of
from streams.settings.masking import shown
from streams.settings.model import Settings, dead_letter_topic
from streams.settings.problems import Problem
from streams.settings.values import is_topic_name

_USER_LOGIN = ("kafka.sasl_username", "kafka.sasl_password")
_TOKEN_LOGIN = (
    "kafka.sasl_oauthbearer_client_id",
    "kafka.sasl_oauthbearer_client_secret",
    "kafka.sasl_oauthbearer_token_endpoint_url",
)
_OTHER_TOKEN_SOURCES = frozenset(
    {"sasl.oauthbearer.grant.type", "sasl.oauthbearer.metadata.authentication.type"}
)
"""librdkafka's settings for a token that is got without a client secret."""
_MUTUAL_TLS = ("kafka.ssl_certificate_location", "kafka.ssl_key_location")
_TLS_FILES = ("kafka.ssl_ca_location", *_MUTUAL_TLS)


def _problem(settings: Settings, origins: Mapping[str, str], key: str, message: str, remedy: str) -> Problem:
    value = shown(value_of(settings, key), secret=SETTINGS[key].secret, mask_entries=False)
    return Problem(key, value or None, message, remedy, origins.get(key))


def _timeouts(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    kafka = settings.kafka
    poll = shown(kafka.max_poll_interval_s, secret=False, mask_entries=False)
    if settings.drain_timeout_s >= kafka.max_poll_interval_s:
        yield _problem(
            settings,
            origins,
            "drain_timeout_s",
            f"is not below kafka.max_poll_interval_s ({poll}), the longest that a rebalance waits",
            "Lower drain_timeout_s, or raise kafka.max_poll_interval_s.",
        )
    if kafka.group_protocol == "classic" and kafka.session_timeout_s > kafka.max_poll_interval_s:
        yield _problem(
            settings,
            origins,
            "kafka.session_timeout_s",
            f"is above kafka.max_poll_interval_s ({poll})",
            "Lower kafka.session_timeout_s, or raise kafka.max_poll_interval_s.",
        )


def _group_protocol(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    if settings.kafka.group_protocol != "consumer":
        return
    message = "cannot be set with kafka.group_protocol = consumer: the broker has it"
    if "kafka.session_timeout_s" in origins:
        remedy = "Remove it; the broker's setting is group.consumer.session.timeout.ms."
        yield _problem(settings, origins, "kafka.session_timeout_s", message, remedy)
    for name in sorted(librdkafka.CLASSIC_ONLY & settings.kafka.librdkafka.keys()):
        origin = origins.get("kafka.librdkafka")
        yield Problem(f"kafka.librdkafka.{name}", None, message, "Remove it.", origin)


def _https(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    parts = urlsplit(settings.batch.base_url)
    if parts.scheme == "http" and not settings.batch.allow_http and not _is_loopback(parts.hostname or ""):
        yield _problem(
            settings,
            origins,
            "batch.base_url",
            "is http to another machine: the keys would travel unencrypted",
            "Use https, or set batch.allow_http to true if the network between is yours.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _dead_letters(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    topics = settings.kafka.topics
    targets = {dead_letter_topic(settings, topic) for topic in topics}
    for target in sorted(targets & set(topics)):
        yield _problem(
            settings,
            origins,
            "dead_letter.topic",
            f"leads to {target}, which is one of kafka.topics: dead letters would be read again",
            "Choose another topic, or take it out of kafka.topics.",
        )
    for target in sorted(target for target in targets if not is_topic_name(target)):
        yield _problem(
            settings,
            origins,
            "dead_letter.topic",
            f"makes a name that Kafka does not allow: {target!r}",
            "Choose a shorter name: Kafka takes 249 characters.",
        )


def _login(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    kafka = settings.kafka
    if not kafka.security_protocol.startswith("SASL"):
        if kafka.sasl_mechanism is not None:
            yield _problem(
                settings,
                origins,
                "kafka.sasl_mechanism",
                f"has no effect with kafka.security_protocol = {kafka.security_protocol}",
                "Set kafka.security_protocol to SASL_SSL or SASL_PLAINTEXT.",
            )
        return
    if kafka.sasl_mechanism is None:
        yield _problem(
            settings,
            origins,
            "kafka.sasl_mechanism",
            f"is required with kafka.security_protocol = {kafka.security_protocol}",
            "Set it to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.",
        )
        return
    if not _OTHER_TOKEN_SOURCES.isdisjoint(kafka.librdkafka):
        return
    for key in _TOKEN_LOGIN if kafka.sasl_mechanism == "OAUTHBEARER" else _USER_LOGIN:
        if value_of(settings, key) is None:
            message = f"is required with kafka.sasl_mechanism = {kafka.sasl_mechanism}"
            yield _problem(
                settings, origins, key, message, f"Set {SETTINGS[key].environment}, or {key} in the file."
            )


def _encryption(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    kafka = settings.kafka
    for key in _TLS_FILES:
        path = value_of(settings, key)
        if path is None:
            continue
        if not kafka.security_protocol.endswith("SSL"):
            message = f"has no effect with kafka.security_protocol = {kafka.security_protocol}"
            yield _problem(settings, origins, key, message, "Set kafka.security_protocol to SSL or SASL_SSL.")
        elif path != "probe" and not os.access(path, os.R_OK):
            yield _problem(
                settings,
                origins,
                key,
                "is not a file that can be read",
                "Mount it there, or correct the path.",
            )
    missing = [key for key in _MUTUAL_TLS if value_of(settings, key) is None]
    if len(missing) == 1:
        yield _problem(
            settings,
            origins,
            missing[0],
            "is not set: mutual TLS needs a certificate and its key",
            "Set kafka.ssl_certificate_location and kafka.ssl_key_location, or neither.",
        )


def _librdkafka(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    yield from librdkafka.refusals(settings.kafka.librdkafka, origins.get("kafka.librdkafka", "default"))


def _together(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    """What only shows when clients are made of all settings."""
    kafka = settings.kafka
    if kafka.sasl_mechanism == "OAUTHBEARER" or not kafka.librdkafka:
        return
    producer: dict[str, str | int | bool] = {
        "enable.idempotence": True,
        "acks": "all",
        **client_settings(kafka),
    }
    refusal = librdkafka.refusal_together(consumer_settings(kafka), producer)
    if refusal:
        message = f"makes no client that librdkafka would accept: {refusal}"
        remedy = "Correct these settings together."
        yield Problem("kafka.librdkafka", None, message, remedy, origins.get("kafka.librdkafka"))


def mappings_file(settings: Settings, origins: Mapping[str, str]) -> Iterator[Problem]:
    """Whether the file that `mappings` names can be read; what is in it is not looked at."""
    if settings.mappings is None:
        return
    try:
        Path(settings.mappings).open("rb").close()
    except OSError as error:
        yield _problem(
            settings,
            origins,
            "mappings",
            f"names a file that cannot be read: {error.strerror or 'error'}",
            "Correct the path, or the file's rights; without `mappings` the preset is in force.",
        )


_Check: TypeAlias = Callable[[Settings, Mapping[str, str]], Iterator[Problem]]

_CHECKS: tuple[tuple[_Check, frozenset[str]], ...] = (
    (_timeouts, frozenset({"drain_timeout_s", "kafka.max_poll_interval_s", "kafka.session_timeout_s"})),
    (_group_protocol, frozenset({"kafka.group_protocol"})),
    (_https, frozenset({"batch.base_url", "batch.allow_http"})),
    (_dead_letters, frozenset({"dead_letter.topic", "kafka.topics"})),
    (_login, frozenset({"kafka.security_protocol", "kafka.sasl_mechanism", *_USER_LOGIN, *_TOKEN_LOGIN})),
    (_encryption, frozenset({"kafka.security_protocol", *_TLS_FILES})),
    (_librdkafka, frozenset({"kafka.librdkafka"})),
)
"""Each check with the settings it compares."""


def cross_problems(settings: Settings, origins: Mapping[str, str], invalid: Collection[str]) -> list[Problem]:
    """What is wrong between the settings.

    Args:
        settings: the settings, with defaults in place of what is invalid.
        origins: the keys that somebody gave, and where.
        invalid: keys already known to be wrong; checks that would compare them are left out.
    """
    checks = [check for check, compared in _CHECKS if compared.isdisjoint(invalid)]
    found = [problem for check in checks for problem in check(settings, origins)]
    return found if found or invalid else list(_together(settings, origins))
