"""The settings as Kafka's clients take them, as people are shown them, and the page of reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from streams.settings import (
    Loaded,
    client_settings,
    consumer_settings,
    load_settings,
    show,
    show_json,
    show_rows,
)
from streams.settings.keys import SETTINGS
from streams.settings.reference import settings_reference

ROOT = Path(__file__).parents[3]


def load(**environ: str) -> Loaded:
    return load_settings(None, {f"SEGBATCH_{name}": value for name, value in environ.items()})


def test_a_plain_client_knows_brokers_and_its_name() -> None:
    kafka = load(KAFKA__BROKERS="a:9092,b:9092").settings.kafka
    assert client_settings(kafka) == {
        "bootstrap.servers": "a:9092,b:9092",
        "client.id": "segbatch",
        "security.protocol": "PLAINTEXT",
    }


def test_a_consumer_of_the_classic_protocol() -> None:
    settings = consumer_settings(load(KAFKA__BROKERS="a", KAFKA__INSTANCE_ID="w-0").settings.kafka)
    assert settings == {
        "bootstrap.servers": "a",
        "client.id": "segbatch",
        "security.protocol": "PLAINTEXT",
        "group.id": "segbatch",
        "group.protocol": "classic",
        "group.instance.id": "w-0",
        "session.timeout.ms": 45000,
        "heartbeat.interval.ms": 3000,
        "max.poll.interval.ms": 300000,
        "partition.assignment.strategy": "cooperative-sticky",
        "queued.max.messages.kbytes": 16384,
        "fetch.queue.backoff.ms": 50,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
    }


def test_a_consumer_of_the_new_protocol_leaves_the_brokers_settings_to_the_broker() -> None:
    settings = consumer_settings(load(KAFKA__GROUP_PROTOCOL="consumer").settings.kafka)
    assert settings["group.protocol"] == "consumer"
    assert {"session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"}.isdisjoint(
        settings
    )


def test_a_short_session_has_a_shorter_heartbeat() -> None:
    settings = consumer_settings(load(KAFKA__SESSION_TIMEOUT_S="6").settings.kafka)
    assert (settings["session.timeout.ms"], settings["heartbeat.interval.ms"]) == (6000, 2000)


def test_librdkafka_settings_go_to_the_clients_that_know_them() -> None:
    kafka = load(
        KAFKA__LIBRDKAFKA='{"partition.assignment.strategy": "range", "queued.max.messages.kbytes": 1024,'
        ' "linger.ms": 50, "socket.keepalive.enable": true}'
    ).settings.kafka
    producer, consumer = client_settings(kafka), consumer_settings(kafka)
    assert producer["linger.ms"] == "50"
    assert "partition.assignment.strategy" not in producer
    assert consumer["partition.assignment.strategy"] == "range"
    assert consumer["queued.max.messages.kbytes"] == "1024"
    assert "linger.ms" not in consumer
    assert producer["socket.keepalive.enable"] == consumer["socket.keepalive.enable"] == "true"


def test_login_and_encryption(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("-")
    kafka = load(
        KAFKA__SECURITY_PROTOCOL="SASL_SSL",
        KAFKA__SASL_MECHANISM="scram-sha-512",
        KAFKA__SASL_USERNAME="me",
        KAFKA__SASL_PASSWORD="s3cr3t",
        KAFKA__SSL_CA_LOCATION=str(ca),
    ).settings.kafka
    assert client_settings(kafka) == {
        "client.id": "segbatch",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "me",
        "sasl.password": "s3cr3t",
        "ssl.ca.location": str(ca),
    }


def test_oauthbearer_uses_the_token_endpoint() -> None:
    settings = client_settings(
        load(
            KAFKA__SECURITY_PROTOCOL="SASL_PLAINTEXT",
            KAFKA__SASL_MECHANISM="OAUTHBEARER",
            KAFKA__SASL_OAUTHBEARER_CLIENT_ID="me",
            KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET="s3cr3t",
            KAFKA__SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL="https://login.example/token",
            KAFKA__SASL_OAUTHBEARER_SCOPE="kafka",
        ).settings.kafka
    )
    assert settings["sasl.oauthbearer.method"] == "oidc"
    assert settings["sasl.oauthbearer.client.id"] == "me"
    assert settings["sasl.oauthbearer.client.secret"] == "s3cr3t"
    assert settings["sasl.oauthbearer.token.endpoint.url"] == "https://login.example/token"
    assert settings["sasl.oauthbearer.scope"] == "kafka"
    assert "sasl.oauthbearer.extensions" not in settings


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_librdkafka_takes_the_settings_without_a_warning(
    protocol: str, capfd: pytest.CaptureFixture[str]
) -> None:
    kafka = load(
        KAFKA__BROKERS="127.0.0.1:1",
        KAFKA__GROUP_PROTOCOL=protocol,
        KAFKA__LIBRDKAFKA='{"fetch.min.bytes": 5, "linger.ms": 50, "client.rack": "a"}',
    ).settings.kafka
    consumer = Consumer(consumer_settings(kafka))
    producer = Producer(client_settings(kafka))
    consumer.close()
    del producer
    assert "CONFWARN" not in capfd.readouterr().err


def test_show_tells_each_value_and_where_it_comes_from() -> None:
    loaded = load(
        KAFKA__TOPICS="a,b",
        KAFKA__START="2026-01-31T08:00:00Z",
        BATCH__REST_API_KEY="s3cr3t",
        BATCH__ALLOW_HTTP="1",
        KAFKA__LIBRDKAFKA='{"ssl.key.pem": "s3cr3t", "fetch.min.bytes": 5}',
    )
    rows = {row.key: (row.value, row.origin) for row in show_rows(loaded)}
    assert list(rows) == list(SETTINGS)
    assert rows["kafka.topics"] == ("a, b", "environment SEGBATCH_KAFKA__TOPICS")
    assert rows["kafka.start"][0] == "2026-01-31T08:00:00+00:00"
    assert rows["batch.rest_api_key"] == ("********", "environment SEGBATCH_BATCH__REST_API_KEY")
    assert rows["batch.project_key"] == ("", "default")
    assert rows["batch.allow_http"][0] == "true"
    assert rows["batch.rate_per_s"] == ("297", "default")
    assert rows["kafka.librdkafka"][0] == '{"ssl.key.pem": "********", "fetch.min.bytes": "5"}'
    assert "s3cr3t" not in show(loaded)


def test_show_is_aligned_text_or_json() -> None:
    loaded = load(WEB__PORT="0")
    lines = show(loaded).splitlines()
    column = lines[0].index("from")
    assert {line[column - 2 : column] for line in lines} == {"  "}
    assert any(
        line.startswith("web.port ") and line.endswith("environment SEGBATCH_WEB__PORT") for line in lines
    )
    assert show_json(loaded)["web.port"] == {"value": "0", "origin": "environment SEGBATCH_WEB__PORT"}


def test_the_page_in_docs_is_up_to_date() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == settings_reference(), "run: python -m streams.settings.reference > docs/settings.md"


def test_the_page_has_every_setting_with_variable_and_meaning() -> None:
    page = settings_reference()
    for setting in SETTINGS.values():
        assert f"| `{setting.key}` | `{setting.environment}`" in page
        assert setting.meaning


def test_every_number_has_a_unit() -> None:
    numbers = [s for s in SETTINGS.values() if type(s.default) in (int, float)]
    assert [s.key for s in numbers if not s.unit] == ["web.port"]
