"""Every setting: its type, default, unit and meaning. The page in docs/ and the messages come from here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from streams.settings import values

TextList = Annotated[tuple[str, ...], BeforeValidator(values.split_list)]
TextMap = Annotated[dict[str, str], BeforeValidator(values.read_map)]
Names = Annotated[TextMap, AfterValidator(values.batch_names)]
Brokers = Annotated[TextList, AfterValidator(values.broker_addresses)]
Topics = Annotated[TextList, AfterValidator(values.topic_names)]
StartPoint = Annotated[Literal["earliest", "latest"] | datetime, BeforeValidator(values.start_point)]
HeaderSecret = Annotated[SecretStr | None, AfterValidator(values.header_secret)]
GroupProtocol = Annotated[Literal["classic", "consumer"], BeforeValidator(values.lower)]
SecurityProtocol = Annotated[
    Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], BeforeValidator(values.upper)
]
SaslMechanism = Annotated[
    Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None, BeforeValidator(values.upper)
]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(values.lower)]


def _setting(default: Any, meaning: str, *, unit: str = "", **limits: Any) -> Any:
    return Field(
        default, description=meaning, json_schema_extra={"unit": unit}, validate_default=False, **limits
    )


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class KafkaSettings(_Section):
    """Where the events are read, and as whom."""

    brokers: Brokers = _setting((), "Addresses (host:port) of some of the brokers.")
    topics: Topics = _setting((), "Topics with Segment events.")
    group: str = _setting(
        "segbatch", "Consumer group. Workers of one group share the topics' partitions.", min_length=1
    )
    start: StartPoint = _setting(
        "earliest",
        "Where a group begins in a partition without a committed offset: `earliest`, `latest`, or an ISO "
        "8601 time (UTC if it names no zone).",
    )
    session_timeout_s: float = _setting(
        45,
        "How long a worker may be silent before its partitions are given to others. Only with the classic "
        "group protocol: with `consumer` the broker has this setting.",
        unit="seconds",
        gt=0,
        le=3600,
    )
    max_poll_interval_s: float = _setting(
        300,
        "How long a worker may go without asking for records before it loses its partitions; also the "
        "longest that a rebalance waits for it.",
        unit="seconds",
        gt=0,
        le=86400,
    )
    group_protocol: GroupProtocol = _setting(
        "classic", "`classic`, or `consumer` (KIP-848, brokers from 4.0): how the group shares partitions."
    )
    client_id: str = _setting(
        "segbatch", "The name under which brokers log and meter this client.", min_length=1
    )
    instance_id: str | None = _setting(
        None,
        "Static membership: a name of its own for each worker, so that a restart within the session moves no "
        "partition.",
    )
    security_protocol: SecurityProtocol = _setting(
        "PLAINTEXT", "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`: encryption and login."
    )
    sasl_mechanism: SaslMechanism = _setting(
        None, "`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER` (with an OIDC token endpoint)."
    )
    sasl_username: str | None = _setting(None, "User of PLAIN and SCRAM.")
    sasl_password: SecretStr | None = _setting(None, "Password of PLAIN and SCRAM.")
    sasl_oauthbearer_client_id: str | None = _setting(
        None, "Client id at the token endpoint, for OAUTHBEARER."
    )
    sasl_oauthbearer_client_secret: SecretStr | None = _setting(None, "Client secret, for OAUTHBEARER.")
    sasl_oauthbearer_token_endpoint_url: str | None = _setting(
        None, "Address where the token is fetched, for OAUTHBEARER."
    )
    sasl_oauthbearer_scope: str | None = _setting(
        None, "Scope that is asked of the token endpoint, for OAUTHBEARER."
    )
    sasl_oauthbearer_extensions: str | None = _setting(
        None, "SASL extensions for the broker, for OAUTHBEARER: `name=value`, comma-separated."
    )
    ssl_ca_location: str | None = _setting(
        None,
        "File or directory of the CA certificates (PEM) to check brokers with; the system's if not set.",
    )
    ssl_certificate_location: str | None = _setting(
        None, "File of the client's certificate (PEM), for mutual TLS."
    )
    ssl_key_location: str | None = _setting(None, "File of the client's private key (PEM), for mutual TLS.")
    ssl_key_password: SecretStr | None = _setting(None, "Passphrase of the private key.")
    librdkafka: TextMap = _setting(
        {},
        "Any other setting of librdkafka, by its own name: a map in the file, a JSON object in the "
        "environment. Those that segbatch owns are refused.",
    )


class BatchSettings(_Section):
    """Where the profile updates are sent, and how fast."""

    rest_api_key: HeaderSecret = _setting(None, "The REST API key of the project.")
    project_key: HeaderSecret = _setting(None, "The project key.")
    base_url: Annotated[str, AfterValidator(values.base_url)] = _setting(
        "https://api.batch.com",
        "Batch's address, without version. https, unless loopback or `batch.allow_http`.",
    )
    api_version: str = _setting("2.11", "The version segment of Batch's addresses.", pattern=r"^\d+(\.\d+)*$")
    allow_http: bool = _setting(
        False, "Allows http to hosts that are not loopback: the keys travel unencrypted."
    )
    rate_per_s: float = _setting(
        297,
        "Profile updates that all workers of the group send together. Batch allows a project 300.",
        unit="profile updates a second",
        gt=0,
    )
    burst: float = _setting(
        950,
        "Profile updates that may leave at once after a pause, of all workers together. Batch allows 1,000.",
        unit="profile updates",
        gt=0,
    )
    max_in_flight: int = _setting(8, "Calls that a worker keeps open to Batch at once.", unit="calls", ge=1)
    request_timeout_s: float = _setting(
        30, "How long a call may take before it is tried again.", unit="seconds", gt=0
    )


class FlushSettings(_Section):
    """When updates that wait and merge are sent."""

    linger_ms: float = _setting(
        100,
        "How long the oldest update waits for others before a call leaves. An update that is alone, while none is out, "
        "leaves at once.",
        unit="milliseconds",
        ge=0,
    )
    catch_up_max_s: float = _setting(
        10,
        "How long sending waits at most, after partitions were assigned, until their backlog was read, so that what it "
        "says of one user leaves together. Only while Batch's rate is the limit, and until the bounds below. 0: never.",
        unit="seconds",
        ge=0,
        le=600,
    )
    max_records: int = _setting(
        200_000,
        "Records that a worker holds at once, waiting or in flight; then it pauses reading.",
        unit="records",
        ge=1,
    )
    max_bytes: int = _setting(
        144 * 1024 * 1024,
        "Memory of the updates that wait in a worker, an estimate; then it pauses reading.",
        unit="bytes",
        ge=1,
    )


class DeadLetterSettings(_Section):
    """Where records go that cannot be delivered."""

    topic: Annotated[str, AfterValidator(values.dead_letter_template)] = _setting(
        "<topic>.dead-letter",
        "Topic of the dead letters. `<topic>` stands for the source topic; without it all share one topic.",
    )
    max_ratio: float = _setting(
        0.5,
        "The worker halts when more than this part of the last 10,000 records (at least 1,000) would become dead "
        "letters. Late events and records with a blank or junk user id do not count. 1: never. SIGHUP "
        "applies a change.",
        unit="share",
        gt=0,
        le=1,
    )
    max_consecutive: int = _setting(
        1000,
        "The worker halts when more records in a row of one partition would become dead letters; the same do not "
        "count. SIGHUP applies a change.",
        unit="records",
        ge=1,
    )


class DeliverySettings(_Section):
    """Whether updates are sent, and what becomes of those that Batch keeps failing on."""

    enabled: bool = _setting(
        True,
        "`false` pauses the worker: it reads nothing and sends nothing, and stays in the group. SIGHUP applies a "
        "change.",
    )
    poison_after_s: float = _setting(
        3600,
        "A single update that Batch answers with 500 for so long, while others pass, becomes a dead letter.",
        unit="seconds",
        gt=0,
    )
    give_up_after_s: float | None = _setting(
        None,
        "How long an update is tried while Batch answers 429 or 5xx, or does not answer; then its records "
        "become dead letters. Not set: for as long as it takes, since the topic is the buffer.",
        unit="seconds",
        gt=0,
    )
    breaker_failures: int = _setting(
        5,
        "After so many failing calls in a row nothing is sent but probes, every 1 s to 30 s, until Batch takes "
        "one of them.",
        unit="calls",
        ge=1,
    )


class DedupSettings(_Section):
    """How events that come twice are known."""

    max_ids: int = _setting(
        200_000,
        "Message ids of events that a worker remembers, and up to a quarter more: an event with one of them is "
        "skipped (`duplicate`). 0 turns this off.",
        unit="ids",
        ge=0,
    )
    ttl_s: float = _setting(3600, "How long it remembers them.", unit="seconds", gt=0)


class UnchangedSettings(_Section):
    """What is not sent because Batch has it."""

    suppress: bool = _setting(
        True,
        "Attributes that would only repeat what Batch last accepted from this worker are not sent; a record with "
        "nothing else is skipped (`unchanged`). `false` if others write the same attributes in Batch "
        "(docs/operations.md).",
    )
    ttl_s: float = _setting(
        21_600,
        "For how long: an attribute that is repeated later is sent again.",
        unit="seconds",
        gt=0,
    )
    max_profiles: int = _setting(
        200_000,
        "Profiles of which a worker remembers it, those used last; about 0.11 KB of memory each.",
        unit="profiles",
        ge=1,
    )


class WebSettings(_Section):
    """The worker's own web pages: /livez, /readyz, /metrics."""

    host: str = _setting("127.0.0.1", "Address that it listens on; 0.0.0.0 in a container.", min_length=1)
    port: int = _setting(6066, "Port that it listens on; 0 takes any that is free.", ge=0, le=65535)


class IntegrationsSettings(_Section):
    """How Segment's `integrations` object is obeyed."""

    names: TextList = _setting(
        ("Batch (Actions)", "Kafka"),
        "Names under which `integrations` may mean us: the first present decides, `All` only if none is.",
    )


class ConsentSettings(_Section):
    """How Segment's consent object is obeyed."""

    required_categories: TextList = _setting(
        (),
        "Consent categories that an event's consent object must all have as true. Events without a consent "
        "object are sent.",
    )


class EngageSettings(_Section):
    """How Segment Engage's events are read."""

    audience_tracks: Literal["membership", "event", "both"] = _setting(
        "membership",
        "What an `Audience Entered` or `Audience Exited` track becomes: the `membership` attribute, an "
        "`event`, or `both`.",
    )


class LogSettings(_Section):
    """What is logged, and how."""

    format: Literal["auto", "json", "text"] = _setting(
        "auto", "`json` lines, `text`, or `auto`: text on a terminal and JSON elsewhere."
    )
    level: LogLevel = _setting("info", "The least important level that is logged: `debug` to `error`.")


class Settings(_Section):
    """The settings of segbatch."""

    kafka: KafkaSettings = KafkaSettings()
    batch: BatchSettings = BatchSettings()
    flush: FlushSettings = FlushSettings()
    dead_letter: DeadLetterSettings = DeadLetterSettings()
    delivery: DeliverySettings = DeliverySettings()
    dedup: DedupSettings = DedupSettings()
    unchanged: UnchangedSettings = UnchangedSettings()
    web: WebSettings = WebSettings()
    drain_timeout_s: float = _setting(
        10,
        "How long a worker waits for requests in flight when partitions are taken from it. Below "
        "`kafka.max_poll_interval_s`.",
        unit="seconds",
        gt=0,
    )
    shutdown_timeout_s: float = _setting(
        25,
        "How long a worker that is asked to stop waits for requests in flight and commits; then it exits "
        "with 3. Kubernetes gives 30 seconds.",
        unit="seconds",
        gt=0,
    )
    watchdog_s: float = _setting(
        600,
        "`/livez` fails when no record of a partition was completed for so long while none of its records waits "
        "for tokens, a retry, Batch to take calls again, or dead letters.",
        unit="seconds",
        gt=0,
    )
    late_events: Literal["dead_letter", "send_without_time", "skip"] = _setting(
        "dead_letter",
        "What becomes of an event older than the 24 hours that Batch takes: `dead_letter`, "
        "`send_without_time` (Batch dates it at its arrival) or `skip`. Attributes go in any case.",
    )
    event_attribute_limit: int = _setting(
        20,
        "Attributes of an event that are sent; further ones are left out and reported.",
        unit="attributes",
        ge=1,
    )
    naming: Literal["segment", "snake"] = _setting(
        "segment",
        "How names are folded: `segment` as Segment's connector does (`firstName` → `firstname`), or `snake` "
        "(`firstName` → `first_name`).",
    )
    names: Names = _setting(
        {},
        "Names of your choice: a map from a trait, property or event as Segment has it to the name in Batch.",
    )
    mappings: str | None = _setting(
        None,
        "File of your mappings and destination filters; `mappings.yaml` in the working directory if it is there, "
        "else the preset Update Profile alone.",
        min_length=1,
    )
    integrations: IntegrationsSettings = IntegrationsSettings()
    consent: ConsentSettings = ConsentSettings()
    engage: EngageSettings = EngageSettings()
    log: LogSettings = LogSettings()


def dead_letter_topic(settings: Settings, topic: str) -> str:
    """The topic that the dead letters of `topic` go to."""
    return settings.dead_letter.topic.replace(values.TOPIC_PLACEHOLDER, topic)
