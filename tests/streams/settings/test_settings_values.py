"""What a value may be, and what the user reads if it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.settings import REQUIRED_TO_RUN, ConfigurationError, Settings, dead_letter_topic, load_settings


def refusal(**environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(None, {f"SEGBATCH_{name}": value for name, value in environ.items()})
    assert len(caught.value.problems) == 1
    return str(caught.value)


def accepted(**environ: str) -> Settings:
    return load_settings(None, {f"SEGBATCH_{name}": value for name, value in environ.items()}).settings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "FLUSH__MAX_RECORDS",
            "many",
            "is not a whole number.\n    Write a whole number of records, such as 200000.",
        ),
        ("FLUSH__MAX_RECORDS", "1.5", "is not a whole number"),
        ("FLUSH__MAX_RECORDS", "0", "must be at least 1"),
        ("FLUSH__LINGER_MS", "soon", "is not a number.\n    Write a number of milliseconds, such as 100."),
        ("FLUSH__LINGER_MS", "-1", "must be at least 0"),
        ("BATCH__RATE_PER_S", "0", "must be greater than 0"),
        ("BATCH__BURST", "nan", "is not a finite number"),
        ("BATCH__BURST", "inf", "is not a finite number"),
        ("BATCH__MAX_IN_FLIGHT", "-3", "must be at least 1"),
        ("DEAD_LETTER__MAX_RATIO", "50", "must be at most 1.\n    Write a number, such as the default, 0.5."),
        ("BATCH__REQUEST_TIMEOUT_S", "0", "must be greater than 0.\n    Write a number of seconds, such as"),
        ("BATCH__ALLOW_HTTP", "maybe", "is neither true nor false.\n    Write true or false."),
        ("BATCH__API_VERSION", "v2", "has a form that is not allowed.\n    Write it like the default, 2.11."),
        ("WEB__PORT", "65536", "must be at most 65535"),
        ("WEB__PORT", "-1", "must be at least 0"),
        ("SHUTDOWN_TIMEOUT_S", "0", "must be greater than 0"),
        ("EVENT_ATTRIBUTE_LIMIT", "0", "must be at least 1"),
        ("NAMING", "camel", "is not one of segment, snake.\n    Choose segment or snake."),
        ("LATE_EVENTS", "keep", "is not one of dead_letter, send_without_time, skip"),
        ("ENGAGE__AUDIENCE_TRACKS", "none", "is not one of membership, event, both"),
        ("LOG__LEVEL", "loud", "is not one of debug, info, warning, error"),
        ("LOG__FORMAT", "xml", "is not one of auto, json, text"),
        ("KAFKA__GROUP_PROTOCOL", "new", "is not one of classic, consumer"),
        ("KAFKA__SECURITY_PROTOCOL", "TLS", "is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        ("KAFKA__SASL_MECHANISM", "MD5", "is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"),
        ("KAFKA__START", "yesterday", "is neither earliest, latest nor a time"),
        ("KAFKA__BROKERS", "kafka://a:9092", "is a URL, not the address of a broker"),
        ("KAFKA__BROKERS", "a:9092,b:99999", "has an address that cannot be read: 'b:99999'"),
        ("KAFKA__BROKERS", "a b", "has an address that cannot be read: 'a b'"),
        ("KAFKA__TOPICS", "a,b,a", "names a topic twice: a"),
        ("KAFKA__TOPICS", "^a.*", "has a name that Kafka does not allow: '^a.*'"),
        ("DEAD_LETTER__TOPIC", "<source>.dead", "is not the name of a topic"),
        ("NAMES", "short", "is not a JSON object"),
        ("NAMES", "[1]", "is JSON, but not an object"),
        ("NAMES", '{"a": "\\ud800"}', "has a character that is not allowed"),
        (
            "KAFKA__LIBRDKAFKA",
            '{"client.rack": "\\ud800"}',
            "has a character that is not allowed",
        ),
        ("NAMES", '{"a": {"b": 1}}', "has an entry that is not a single value: 'a'"),
        (
            "NAMES",
            '{"First Name": "First Name"}',
            "gives 'First Name' a name that Batch does not take: 'First Name'",
        ),
        ("BATCH__BASE_URL", "api.batch.com", "is not a web address"),
        ("BATCH__BASE_URL", "https://api.batch.com:x", "is not a web address"),
        ("BATCH__BASE_URL", "https://api.batch.com/2.11", "ends in an API version, 2.11"),
        (
            "BATCH__BASE_URL",
            "https://api.batch.com/2.11/",
            "Take /2.11 off: the version is batch.api_version.",
        ),
        ("BATCH__BASE_URL", "https://api.batch.com?x=1", "has a query or a fragment"),
        (
            "BATCH__BASE_URL",
            "http://batch.example",
            "is http to another machine: the keys would travel unencrypted",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_key_its_origin_and_what_to_do(
    name: str, value: str, expected: str
) -> None:
    text = refusal(**{name: value})
    key = name.lower().replace("__", ".")
    assert f"{key} = {value!r}" in text or key in ("names", "kafka.librdkafka")
    assert f"(environment SEGBATCH_{name}): " in text
    assert expected in text
    assert text.rstrip().endswith((".", "?"))


def test_a_value_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "segbatch.yaml"
    file.write_text("web:\n  host: ::1\n  port: http\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {})
    assert f"web.port = 'http' (file {file}:3): is not a whole number." in str(caught.value)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "segbatch.yaml"
    file.write_text(
        "kafka:\n  topisc: a\n  start: never\nflush:\n  linger_ms: ${NO_SUCH}\ndrain_timeout_s: 300\n"
    )
    environ = {"SEGBATCH_WEB__PORT": "http", "SEGBATCH_BATCH__BASE_URL": "http://batch.example"}
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, environ, require=REQUIRED_TO_RUN)
    text = str(caught.value)
    assert text.startswith("The configuration has 10 problems:")
    assert {problem.key for problem in caught.value.problems} == {
        "kafka.topisc",
        "kafka.start",
        "flush.linger_ms",
        "drain_timeout_s",
        "web.port",
        "batch.base_url",
        *REQUIRED_TO_RUN,
    }
    assert all(problem.key in text and problem.remedy in text for problem in caught.value.problems)


def test_what_is_required_and_missing() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(None, {"SEGBATCH_KAFKA__BROKERS": "a"}, require=REQUIRED_TO_RUN)
    text = str(caught.value)
    assert "kafka.brokers" not in text
    assert (
        "kafka.topics: is required and not set.\n    Set SEGBATCH_KAFKA__TOPICS, or kafka.topics in" in text
    )
    assert (
        "Set SEGBATCH_BATCH__REST_API_KEY, SEGBATCH_BATCH__REST_API_KEY_FILE, or batch.rest_api_key in"
        in text
    )


def missing_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(None, {}, require=["kafka.topics"])
    return str(caught.value)


def test_where_a_settings_file_was_looked_for_is_told_when_required_settings_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"There is no segbatch.yaml in {tmp_path};" in missing_in(tmp_path, monkeypatch)
    (tmp_path / "segbatch.yml").touch()
    assert f"There is a segbatch.yml in {tmp_path}, but segbatch.yaml is read: rename it" in missing_in(
        tmp_path, monkeypatch
    )
    (tmp_path / "segbatch.yaml").touch()
    assert "segbatch.yml" not in missing_in(tmp_path, monkeypatch)


def test_one_problem_is_not_told_as_several() -> None:
    assert refusal(WEB__PORT="x").startswith("The configuration has 1 problem:")


def test_a_key_with_a_space_is_refused_without_telling_it() -> None:
    text = refusal(BATCH__REST_API_KEY="s3cr3t key")
    assert "batch.rest_api_key = '********'" in text
    assert "has a space, a line break or a character that no key has" in text
    assert "s3cr3t" not in text


def test_a_login_in_the_address_is_refused_without_telling_it() -> None:
    text = refusal(BATCH__BASE_URL="https://me:s3cr3t@api.batch.com")
    assert "carries a login" in text
    assert "s3cr3t" not in text


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:80", "https://proxy.example/batch/"]
)
def test_addresses_that_need_no_leave(url: str) -> None:
    assert accepted(BATCH__BASE_URL=url).batch.base_url == url.rstrip("/")


def test_http_elsewhere_is_allowed_on_request() -> None:
    settings = accepted(BATCH__BASE_URL="http://sandbox:8080", BATCH__ALLOW_HTTP="true")
    assert settings.batch.base_url == "http://sandbox:8080"


def test_rates_beyond_those_of_batch_are_allowed() -> None:
    settings = accepted(BATCH__RATE_PER_S="1e6", BATCH__BURST="0.5")
    assert (settings.batch.rate_per_s, settings.batch.burst) == (1_000_000, 0.5)


def test_words_are_read_in_any_case() -> None:
    settings = accepted(
        KAFKA__START="Latest",
        KAFKA__GROUP_PROTOCOL="CONSUMER",
        KAFKA__SECURITY_PROTOCOL="ssl",
        LOG__LEVEL="DEBUG",
    )
    assert (settings.kafka.start, settings.kafka.group_protocol) == ("latest", "consumer")
    assert (settings.kafka.security_protocol, settings.log.level) == ("SSL", "debug")


def test_the_dead_letter_topic_follows_the_source_topic_or_is_one_for_all() -> None:
    assert dead_letter_topic(accepted(), "events") == "events.dead-letter"
    fixed = accepted(KAFKA__TOPICS="a,b", DEAD_LETTER__TOPIC="dead")
    assert {dead_letter_topic(fixed, topic) for topic in fixed.kafka.topics} == {"dead"}


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        accepted().web.port = 1


def test_a_value_that_is_no_text_is_refused(tmp_path: Path) -> None:
    assert "has a character that is not allowed" in refusal(KAFKA__CLIENT_ID="\udcff")
    file = tmp_path / "segbatch.yaml"
    file.write_text('kafka: {group: "\\uD800", librdkafka: {client.rack: "\\0"}}\n')
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {})
    assert [problem.key for problem in caught.value.problems] == ["kafka.group", "kafka.librdkafka"]
    assert str(caught.value).encode()
