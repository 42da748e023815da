"""What must hold between settings, and which settings of librdkafka are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.settings import ConfigurationError, load_settings
from streams.settings.librdkafka import FIXED, OWNED


def problems(**environ: str) -> list[str]:
    try:
        load_settings(None, {f"SEGBATCH_{name}": value for name, value in environ.items()})
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


def librdkafka(**others: str) -> list[str]:
    entries = others.pop("entries")
    return problems(KAFKA__LIBRDKAFKA=entries, **others)


@pytest.mark.parametrize("drain", ["300", "301"])
def test_draining_must_end_before_the_poll_interval(drain: str) -> None:
    (text,) = problems(DRAIN_TIMEOUT_S=drain)
    assert f"drain_timeout_s = '{drain}'" in text
    assert "is not below kafka.max_poll_interval_s (300)" in text
    assert "Lower drain_timeout_s, or raise kafka.max_poll_interval_s." in text


def test_a_drain_timeout_below_the_poll_interval_is_right() -> None:
    assert problems(DRAIN_TIMEOUT_S="299") == []


def test_the_session_must_not_outlast_the_poll_interval() -> None:
    (text,) = problems(KAFKA__MAX_POLL_INTERVAL_S="30")
    assert "kafka.session_timeout_s = '45': is above kafka.max_poll_interval_s (30)" in text
    assert problems(KAFKA__MAX_POLL_INTERVAL_S="30", KAFKA__GROUP_PROTOCOL="consumer") == []


@pytest.mark.parametrize("seconds", ["10", "45"])
def test_the_session_timeout_is_the_brokers_with_the_consumer_protocol(seconds: str) -> None:
    (text,) = problems(KAFKA__GROUP_PROTOCOL="consumer", KAFKA__SESSION_TIMEOUT_S=seconds)
    assert "kafka.session_timeout_s" in text
    assert "cannot be set with kafka.group_protocol = consumer: the broker has it" in text


def test_the_consumer_protocol_takes_no_strategy() -> None:
    entries = '{"partition.assignment.strategy": "range"}'
    (text,) = librdkafka(entries=entries, KAFKA__GROUP_PROTOCOL="consumer")
    assert "kafka.librdkafka.partition.assignment.strategy" in text
    assert librdkafka(entries=entries) == []


def test_dead_letters_must_not_be_read_again() -> None:
    (text,) = problems(KAFKA__TOPICS="a,a.dead-letter")
    assert "leads to a.dead-letter, which is one of kafka.topics: dead letters would be read again" in text
    (text,) = problems(KAFKA__TOPICS="a,b", DEAD_LETTER__TOPIC="b")
    assert "dead_letter.topic = 'b'" in text


def test_a_dead_letter_topic_that_gets_too_long() -> None:
    (text,) = problems(KAFKA__TOPICS="t" * 249)
    assert "makes a name that Kafka does not allow" in text


def test_sasl_needs_its_mechanism_and_login() -> None:
    (text,) = problems(KAFKA__SECURITY_PROTOCOL="SASL_SSL")
    assert "kafka.sasl_mechanism: is required with kafka.security_protocol = SASL_SSL" in text
    first, second = problems(KAFKA__SECURITY_PROTOCOL="SASL_SSL", KAFKA__SASL_MECHANISM="SCRAM-SHA-512")
    assert "kafka.sasl_username: is required with kafka.sasl_mechanism = SCRAM-SHA-512" in first
    assert "Set SEGBATCH_KAFKA__SASL_PASSWORD, or kafka.sasl_password in the file." in second


def test_oauthbearer_needs_its_endpoint() -> None:
    texts = problems(
        KAFKA__SECURITY_PROTOCOL="SASL_SSL",
        KAFKA__SASL_MECHANISM="OAUTHBEARER",
        KAFKA__SASL_OAUTHBEARER_CLIENT_ID="me",
    )
    assert len(texts) == 2
    assert "kafka.sasl_oauthbearer_client_secret: is required" in texts[0]
    assert "kafka.sasl_oauthbearer_token_endpoint_url: is required" in texts[1]


def test_oauthbearer_by_other_means_than_a_client_secret() -> None:
    entries = '{"sasl.oauthbearer.metadata.authentication.type": "azure_imds"}'
    others = {"KAFKA__SECURITY_PROTOCOL": "SASL_SSL", "KAFKA__SASL_MECHANISM": "OAUTHBEARER"}
    assert librdkafka(entries=entries, **others) == []


def test_a_login_that_would_not_be_used() -> None:
    (text,) = problems(KAFKA__SASL_MECHANISM="PLAIN")
    assert "has no effect with kafka.security_protocol = PLAINTEXT" in text


def test_files_of_tls(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    (text,) = problems(KAFKA__SECURITY_PROTOCOL="SSL", KAFKA__SSL_CA_LOCATION=str(ca))
    assert f"kafka.ssl_ca_location = '{ca}'" in text
    assert "is not a file that can be read" in text
    ca.write_text("-")
    assert problems(KAFKA__SECURITY_PROTOCOL="SSL", KAFKA__SSL_CA_LOCATION=str(ca)) == []
    (text,) = problems(KAFKA__SSL_CA_LOCATION=str(ca))
    assert "has no effect with kafka.security_protocol = PLAINTEXT" in text
    (text,) = problems(KAFKA__SECURITY_PROTOCOL="SSL", KAFKA__SSL_KEY_LOCATION=str(ca))
    assert "kafka.ssl_certificate_location: is not set: mutual TLS needs a certificate and its key" in text


def test_no_follow_up_of_a_value_that_is_wrong_already() -> None:
    (text,) = problems(KAFKA__MAX_POLL_INTERVAL_S="long", DRAIN_TIMEOUT_S="400")
    assert "kafka.max_poll_interval_s = 'long'" in text


@pytest.mark.parametrize(("name", "setting"), sorted(OWNED.items()))
def test_librdkafka_settings_with_a_setting_of_their_own(name: str, setting: str) -> None:
    (text,) = librdkafka(entries=json.dumps({name: "x"}))
    assert f"kafka.librdkafka.{name}" in text
    assert f"is a setting that segbatch owns.\n    Use {setting} instead." in text


@pytest.mark.parametrize("name", sorted(FIXED))
def test_librdkafka_settings_that_are_fixed(name: str) -> None:
    (text,) = librdkafka(entries=json.dumps({name: "x"}))
    assert f"is fixed by segbatch: {FIXED[name]}" in text


def test_librdkafka_settings_that_librdkafka_does_not_take() -> None:
    entries = {
        "fetch.min.byte": "1",
        "fetch.min.bytes": "-5",
        "compression.type": "zip",
        "socket.timeout.ms": "soon",
        "error_cb": "x",
        "interceptors": "x",
        "plugin.library.paths": "/nowhere/plugin",
    }
    texts = "\n".join(librdkafka(entries=json.dumps(entries)))
    assert "kafka.librdkafka.fetch.min.byte = '1'" in texts
    assert "is unknown to librdkafka" in texts
    assert "is outside the range 0..2147483647" in texts
    assert texts.count("has a value that librdkafka does not take") == 2
    assert "is a callback, not a setting" in texts
    assert "is nothing that can be set as text" in texts
    assert "names a library that cannot be loaded" in texts


def test_secrets_among_the_librdkafka_settings_are_not_told() -> None:
    (text,) = librdkafka(entries='{"sasl.password": "s3cr3t"}')
    assert "s3cr3t" not in text


def test_librdkafka_settings_that_are_free() -> None:
    entries = {
        "partition.assignment.strategy": "range",
        "test.mock.num.brokers": 1,
        "fetch.min.bytes": "5",
        "queued.max.messages.kbytes": 1024,
        "linger.ms": 5,
        "debug": "cgrp",
        "socket.keepalive.enable": True,
    }
    assert librdkafka(entries=json.dumps(entries)) == []


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"fetch.max.bytes": "2000"}, "fetch.max.bytes"),
        ({"max.in.flight": "100"}, "max.in.flight"),
        ({"message.timeout.ms": "1", "linger.ms": "50"}, "message.timeout.ms"),
    ],
)
def test_settings_of_librdkafka_that_are_refused_only_together_are_told(
    entries: dict[str, str], named: str
) -> None:
    (text,) = librdkafka(entries=json.dumps(entries), KAFKA__BROKERS="a:9092")
    assert text.startswith("kafka.librdkafka")
    assert named in text
    assert librdkafka(entries='{"fetch.wait.max.ms": "100"}', KAFKA__BROKERS="a:9092") == []


def test_a_mappings_file_that_is_not_there_is_told_beside_the_others(tmp_path: Path) -> None:
    file = tmp_path / "segbatch.yaml"
    file.write_text("naming: camel\nmappings: nope.yaml\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {}, with_mappings=True)
    naming, mappings = map(str, caught.value.problems)
    assert "naming = 'camel'" in naming
    assert mappings.startswith(
        f"mappings = 'nope.yaml' (file {file}:2): names a file that cannot be read: No such file or directory.\n"
    )


def test_a_command_that_reads_no_mappings_does_without_their_file() -> None:
    assert problems(MAPPINGS="nope.yaml") == []
