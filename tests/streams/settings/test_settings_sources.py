"""Where settings come from: defaults, file, environment, files of secrets; and which of them wins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.settings import REQUIRED_TO_RUN, ConfigurationError, Loaded, load_settings
from streams.starter import starter_files


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "segbatch.yaml"


def refusal(config: Path | None, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(config, environ or {})
    return str(caught.value)


def from_environment(**environ: str) -> Loaded:
    return load_settings(None, environ)


def test_without_file_and_environment_everything_has_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load_settings(None, {})
    settings = loaded.settings
    assert set(loaded.origins.values()) == {"default"}
    assert (settings.kafka.group, settings.kafka.start, settings.kafka.group_protocol) == (
        "segbatch",
        "earliest",
        "classic",
    )
    assert (settings.kafka.session_timeout_s, settings.kafka.max_poll_interval_s) == (45, 300)
    batch = settings.batch
    assert (batch.base_url, batch.api_version, batch.allow_http) == ("https://api.batch.com", "2.11", False)
    assert (batch.rate_per_s, batch.burst, batch.max_in_flight, batch.request_timeout_s) == (297, 950, 8, 30)
    flush = settings.flush
    assert (flush.linger_ms, flush.max_records, flush.max_bytes) == (100, 200_000, 144 * 1024 * 1024)
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 6066)
    assert (settings.drain_timeout_s, settings.shutdown_timeout_s) == (10, 25)
    assert (settings.late_events, settings.naming, settings.names) == ("dead_letter", "segment", {})
    assert settings.integrations.names == ("Batch (Actions)", "Kafka")
    assert settings.engage.audience_tracks == "membership"


def test_the_file_is_read_with_its_lines(file: Path) -> None:
    write(
        file,
        "kafka:\n  brokers: [a:9092, b]\n  topics: x, y\nbatch:\n  api_version: 2.10\n  allow_http: yes\n",
    )
    loaded = load_settings(file, {})
    assert loaded.settings.kafka.brokers == ("a:9092", "b")
    assert loaded.settings.kafka.topics == ("x", "y")
    assert loaded.settings.batch.api_version == "2.10"
    assert loaded.settings.batch.allow_http is True
    assert loaded.origins["kafka.topics"] == f"file {file}:3"
    assert loaded.origins["web.port"] == "default"


def test_environment_beats_file_and_says_so(file: Path) -> None:
    write(file, "web: {port: 7000, host: 0.0.0.0}\n")
    loaded = load_settings(file, {"SEGBATCH_WEB__PORT": "0"})
    assert (loaded.settings.web.host, loaded.settings.web.port) == ("0.0.0.0", 0)
    assert loaded.origins["web.port"] == "environment SEGBATCH_WEB__PORT"
    assert loaded.origins["web.host"] == f"file {file}:1"


def test_the_file_is_found_by_argument_then_variable_then_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "segbatch.yaml", "naming: snake\nkafka: {group: here}\n")
    named = write(tmp_path / "named.yaml", "kafka: {group: named}\n")
    given = write(tmp_path / "given.yaml", "kafka: {group: given}\n")
    here = load_settings(None, {})
    assert here.settings.kafka.group == "here"
    assert here.origins["naming"] == "file segbatch.yaml:1"
    assert load_settings(None, {"SEGBATCH_CONFIG": str(named)}).settings.kafka.group == "named"
    assert load_settings(given, {"SEGBATCH_CONFIG": str(named)}).settings.kafka.group == "given"


def test_a_named_file_that_is_missing_is_the_only_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(tmp_path / "gone.yaml", {}, require=REQUIRED_TO_RUN)
    assert [problem.message for problem in caught.value.problems] == [
        "cannot be read: No such file or directory"
    ]
    assert "Correct --config or SEGBATCH_CONFIG" in str(caught.value)


def test_lists_maps_and_top_level_keys_in_the_environment() -> None:
    settings = from_environment(
        SEGBATCH_KAFKA__TOPICS="a, b,",
        SEGBATCH_NAMES='{"Some Very Long Audience": "audience_1"}',
        SEGBATCH_DRAIN_TIMEOUT_S="2.5",
        SEGBATCH_KAFKA__LIBRDKAFKA='{"fetch.min.bytes": 5, "socket.keepalive.enable": true}',
        SEGBATCH_INTEGRATIONS__NAMES="Batch (Actions)",
    ).settings
    assert settings.kafka.topics == ("a", "b")
    assert settings.names == {"Some Very Long Audience": "audience_1"}
    assert settings.drain_timeout_s == 2.5
    assert settings.kafka.librdkafka == {"fetch.min.bytes": "5", "socket.keepalive.enable": "true"}
    assert settings.integrations.names == ("Batch (Actions)",)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("YES", True), ("false", False), ("0", False), ("no", False)],
)
def test_booleans_in_the_environment(text: str, value: bool) -> None:
    assert from_environment(SEGBATCH_BATCH__ALLOW_HTTP=text).settings.batch.allow_http is value


def test_times_are_utc_unless_they_say_otherwise() -> None:
    day = from_environment(SEGBATCH_KAFKA__START="2026-01-31").settings.kafka.start
    zoned = from_environment(SEGBATCH_KAFKA__START="2026-01-31T09:00:00+01:00").settings.kafka.start
    assert day == datetime(2026, 1, 31, tzinfo=UTC)
    assert zoned == datetime(2026, 1, 31, 8, tzinfo=UTC)


def test_a_time_in_the_file_needs_no_quotes(file: Path) -> None:
    write(file, "kafka: {start: 2026-01-31T08:00:00Z}\n")
    assert load_settings(file, {}).settings.kafka.start == datetime(2026, 1, 31, 8, tzinfo=UTC)


def test_empty_means_not_set(file: Path) -> None:
    write(file, "kafka:\n  client_id:\n  group: ''\nbatch:\nnaming: ~\n")
    loaded = load_settings(file, {"SEGBATCH_WEB__PORT": "", "SEGBATCH_BATCH__PROJECT_KEY_FILE": ""})
    assert set(loaded.origins.values()) == {"default"}


def test_variables_that_kubernetes_sets_are_ignored() -> None:
    loaded = from_environment(
        SEGBATCH_SERVICE_HOST="10.0.0.1",
        SEGBATCH_SERVICE_PORT_HTTP="6066",
        SEGBATCH_PORT="tcp://10.0.0.1:6066",
        SEGBATCH_PORT_6066_TCP_PROTO="tcp",
        SEGBATCH_WEB_PORT="tcp://10.0.0.1:6066",
        SEGBATCH_WEB_SERVICE_PORT="6066",
        SEGBATCH_TEST_KAFKA="a:9092",
    )
    assert loaded.warnings == ()
    assert "10.0.0.1" not in str(loaded.settings)


def test_an_unknown_variable_with_two_underscores_is_a_problem_that_does_not_tell_its_value() -> None:
    text = refusal(None, {"SEGBATCH_KAFKA__TOPIC": "s3cr3t"})
    assert "SEGBATCH_KAFKA__TOPIC: is not a setting." in text
    assert "Did you mean SEGBATCH_KAFKA__TOPICS?" in text
    assert "s3cr3t" not in text


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SEGBATCH_BATCH_REST_API_KEY", "SEGBATCH_BATCH__REST_API_KEY"),
        ("SEGBATCH_BATCH_REST_API_KEY_FILE", "SEGBATCH_BATCH__REST_API_KEY_FILE"),
        ("SEGBATCH_KAFKA_BROKERS", "SEGBATCH_KAFKA__BROKERS"),
        ("SEGBATCH_WEB_PORT", "SEGBATCH_WEB__PORT"),
        ("SEGBATCH_LATEEVENTS", "SEGBATCH_LATE_EVENTS"),
    ],
)
def test_a_variable_that_lacks_an_underscore_is_a_problem(name: str, meant: str) -> None:
    text = refusal(None, {name: "s3cr3t"})
    assert f"{name}: is not a setting.\n    Write {meant}: two underscores" in text
    assert "s3cr3t" not in text


def test_other_unknown_variables_are_warnings() -> None:
    loaded = from_environment(
        SEGBATCH_BATCH_RESTAPI_KEYS="s3cr3t", SEGBATCH_COLOUR="red", SEGBATCH_CONFIG="", SEGBATCH_SIZE=""
    )
    assert list(map(str, loaded.warnings)) == [
        "SEGBATCH_BATCH_RESTAPI_KEYS: is not a setting.\n    Did you mean SEGBATCH_BATCH__REST_API_KEY?",
        "SEGBATCH_COLOUR: is not a setting.\n    docs/settings.md lists the settings.",
    ]


@pytest.mark.parametrize(
    ("text", "key", "line", "remedy"),
    [
        ("kafka:\n  brokesr: a\n", "kafka.brokesr", 2, "Did you mean kafka.brokers?"),
        ("\nkafak: {brokers: a}\n", "kafak", 2, "Did you mean kafka?"),
        (
            "batch: {rest_api_key_fil: a}\n",
            "batch.rest_api_key_fil",
            1,
            "Did you mean batch.rest_api_key_file?",
        ),
        ("linger_ms: 5\n", "linger_ms", 1, "Did you mean flush.linger_ms?"),
        ("web: {colour: red}\n", "web.colour", 1, "docs/settings.md lists the settings there are."),
    ],
)
def test_an_unknown_key_in_the_file(file: Path, text: str, key: str, line: int, remedy: str) -> None:
    message = refusal(write(file, text))
    assert f"{key} (file {file}:{line}): is not a setting." in message
    assert remedy in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kafka: [a]\n", "kafka (file {file}:1): is a group of settings, not a value."),
        ("kafka:\n  group: [a]\n", "kafka.group (file {file}:2): is a list.\n    Give it a single value."),
        ("kafka:\n  topics: {a: b}\n", "kafka.topics (file {file}:2): is a map."),
        ("names: [a]\n", "names (file {file}:1): is a list.\n    Give it a map of names and values."),
        ("names: {a: [b]}\n", "names (file {file}:1): has an entry that is not a single value."),
        (
            "naming: snake\nnaming: snake\n",
            "naming (file {file}:2): is set twice: it stands in file {file}:1 too.",
        ),
        ("? [a]\n: b\n", "? (file {file}:1): is not a name."),
        ("- a\n", "{file}: is not a map of settings."),
        ("kafka:\n  brokers: [a\n", "{file}:3: is not YAML:"),
        ("kafka: {group: ${GROUP}}\n", "within [ ] and { }, ${…} needs quotes."),
        ("kafka: \x00\n", "{file}: is not YAML: it has a character that is not allowed."),
    ],
)
def test_a_file_of_the_wrong_shape(file: Path, text: str, expected: str) -> None:
    assert expected.replace("{file}", str(file)) in refusal(write(file, text))


def test_a_file_that_is_not_utf8(file: Path) -> None:
    file.write_bytes(b"kafka: \xff\n")
    assert f"{file}: is not UTF-8 text." in refusal(file)


def test_an_empty_file_is_no_problem(file: Path) -> None:
    assert load_settings(write(file, "# nothing yet\n"), {}).settings.kafka.group == "segbatch"


def test_environment_in_the_file(file: Path) -> None:
    write(
        file,
        "kafka:\n  brokers: ${HOST}:${PORT:9092}\n  topics: ['${TOPICS:a}', b]\n  client_id: $${HOST}-$5\n"
        "  librdkafka: {client.rack: '${RACK:eu:1}'}\nweb: {port: '${WEB_PORT:7000}'}\n",
    )
    settings = load_settings(file, {"HOST": "kafka", "WEB_PORT": ""}).settings
    assert settings.kafka.brokers == ("kafka:9092",)
    assert settings.kafka.topics == ("a", "b")
    assert settings.kafka.client_id == "${HOST}-$5"
    assert settings.kafka.librdkafka == {"client.rack": "eu:1"}
    assert settings.web.port == 7000


def test_a_value_from_the_environment_in_the_file_has_both_as_its_origin(file: Path) -> None:
    write(
        file,
        "kafka:\n  brokers: ${HOST}:${PORT:9092}\n  topics: ['${TOPICS:a}']\n  client_id: ${CLIENT:}\n  group: g\n",
    )
    loaded = load_settings(file, {"HOST": "kafka"})
    origins = {key: loaded.origins[f"kafka.{key}"] for key in ("brokers", "topics", "client_id", "group")}
    assert origins == {
        "brokers": f"file {file}:2 (environment HOST)",
        "topics": f"file {file}:3 (its own default: TOPICS not set)",
        "client_id": f"default (CLIENT of file {file}:4 not set)",
        "group": f"file {file}:5",
    }


def test_what_is_missing_is_told_by_the_variable_that_the_file_takes_it_from(file: Path) -> None:
    write(file, starter_files()["segbatch.yaml"])
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {"BATCH_PROJECT_KEY": "p"}, require=REQUIRED_TO_RUN)
    (problem,) = caught.value.problems
    assert str(problem) == (
        f"batch.rest_api_key (file {file}:11): is required, and the file takes it from BATCH_REST_API_KEY, "
        "which is not set.\n    Set the environment variable BATCH_REST_API_KEY, SEGBATCH_BATCH__REST_API_KEY or "
        "SEGBATCH_BATCH__REST_API_KEY_FILE."
    )
    given = {"BATCH_PROJECT_KEY": "p", "SEGBATCH_BATCH__REST_API_KEY": "r"}
    assert load_settings(file, given, require=REQUIRED_TO_RUN).credentials() == ("r", "p")


def test_an_unset_variable_in_the_file(file: Path) -> None:
    message = refusal(write(file, "batch:\n  project_key: ${BATCH_KEY}\n"))
    assert f"batch.project_key (file {file}:2): refers to the environment variable BATCH_KEY" in message
    assert "Set BATCH_KEY, or give a default: ${BATCH_KEY:default}." in message


def test_a_reference_that_cannot_be_read(file: Path) -> None:
    assert "has a ${ that cannot be read" in refusal(write(file, "kafka: {group: '${1x}'}\n"))


def test_secrets_from_files(file: Path, tmp_path: Path) -> None:
    rest = write(tmp_path / "rest", "rest-key\r\n")
    project = write(tmp_path / "project", "project-key\n")
    write(file, f"batch:\n  rest_api_key_file: {rest}\n")
    loaded = load_settings(
        file, {"SEGBATCH_BATCH__PROJECT_KEY_FILE": str(project)}, require=("batch.rest_api_key",)
    )
    assert loaded.credentials() == ("rest-key", "project-key")
    assert loaded.origins["batch.rest_api_key"] == f"file {file}:2 ({rest})"
    assert loaded.origins["batch.project_key"] == f"environment SEGBATCH_BATCH__PROJECT_KEY_FILE ({project})"
    assert set(loaded.secrets()) == {"rest-key", "project-key"}


def test_a_secret_in_the_environment_beats_the_file_of_the_yaml(file: Path, tmp_path: Path) -> None:
    rest = write(tmp_path / "rest", "old")
    write(file, f"batch:\n  rest_api_key_file: {rest}\n")
    loaded = load_settings(file, {"SEGBATCH_BATCH__REST_API_KEY": "new"})
    assert loaded.credentials().rest_api_key == "new"
    assert loaded.reload_secrets().rest_api_key == "new"


def test_only_the_last_line_break_is_taken_off_a_password(tmp_path: Path) -> None:
    password = write(tmp_path / "password", " pass word \n\n")
    loaded = from_environment(SEGBATCH_KAFKA__SASL_PASSWORD_FILE=str(password))
    assert loaded.secrets() == (" pass word \n",)


def test_problems_with_files_of_secrets(file: Path, tmp_path: Path) -> None:
    empty = write(tmp_path / "empty", "\n")
    write(file, f"batch:\n  project_key_file: {empty}\n")
    environ = {
        "SEGBATCH_BATCH__REST_API_KEY_FILE": "/nowhere/key",
        "SEGBATCH_KAFKA__SASL_PASSWORD": "s3cr3t",
        "SEGBATCH_KAFKA__SASL_PASSWORD_FILE": str(empty),
    }
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, environ, require=("batch.rest_api_key", "batch.project_key"))
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "REST_API_KEY_FILE = '/nowhere/key': names a file that cannot be read: No such file" in text
    assert "batch.project_key_file" in text
    assert "names a file that is empty" in text
    assert "is set, and SEGBATCH_KAFKA__SASL_PASSWORD too" in text
    assert "s3cr3t" not in text


def test_a_secret_and_its_file_both_in_the_yaml(file: Path, tmp_path: Path) -> None:
    key = write(tmp_path / "key", "s3cr3t")
    message = refusal(write(file, f"batch:\n  project_key: s3cr3t\n  project_key_file: {key}\n"))
    assert "batch.project_key" in message
    assert f"is set twice: it stands in file {file}:2 too" in message
    assert "s3cr3t" not in message


def test_secrets_are_read_again_from_their_files(tmp_path: Path) -> None:
    key = write(tmp_path / "key", "first")
    loaded = from_environment(SEGBATCH_BATCH__REST_API_KEY_FILE=str(key), SEGBATCH_BATCH__PROJECT_KEY="fixed")
    write(key, "second\n")
    assert loaded.reload_secrets() == ("second", "fixed")
    write(key, "sec ond")
    with pytest.raises(ConfigurationError, match="has a space") as caught:
        loaded.reload_secrets()
    assert "sec ond" not in str(caught.value)
    key.unlink()
    with pytest.raises(ConfigurationError, match="names a file that cannot be read"):
        loaded.reload_secrets()


def test_secrets_do_not_show_in_reprs() -> None:
    loaded = from_environment(SEGBATCH_BATCH__REST_API_KEY="s3cr3t", SEGBATCH_BATCH__PROJECT_KEY="s3cr3t")
    assert "s3cr3t" not in f"{loaded!r} {loaded.credentials()!r} {loaded.settings}"
