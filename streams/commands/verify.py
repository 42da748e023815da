"""`segbatch verify`: is what Batch has what the events say?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, cast

import orjson
import typer
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient

from mapping.mapper import compile_event_mapper
from sink.client import Credentials
from sink.exports import ExportClient, ExportError
from streams.backfill.folder import Folder
from streams.backfill.kafka_range import reading_consumer
from streams.backfill.plan import Plan
from streams.backfill.problems import BackfillError
from streams.backfill.progress import Shown, progress_for_people
from streams.backfill.stopping import Stopping
from streams.cluster import SILENT
from streams.commands.backfill.options import DEFAULT_STATE, StandardError, State
from streams.commands.options import EXIT_USAGE, ConfigFile, fail, load_or_exit, mappings_or_exit
from streams.commands.ranges import EARLIEST, From, To, Topics, times_of
from streams.logs import configure_logs
from streams.mapping_settings import mapping_settings
from streams.settings import Loaded, Settings, client_settings
from streams.verify.expected import Ends, Expected, fold_of_backfill, fold_of_topics, plan_of_range
from streams.verify.problems import VerifyError
from streams.verify.report import Found, as_json, in_words, not_delivered
from streams.verify.run import Options, Verification

EXIT_DIFFERENT = 1
EXIT_TROUBLE = EXIT_USAGE
DEFAULT_SETTLE_S = 60.0
DEFAULT_EXPORT_TIMEOUT_S = 3600.0
LOOKUP_S = 15.0
_TO_BATCH = ("batch.rest_api_key", "batch.project_key")
_TO_KAFKA = ("kafka.brokers", "kafka.topics")


def verify(
    from_time: From = EARLIEST,
    to_time: To = None,
    topic: Topics = None,
    backfill: Annotated[
        str | None,
        typer.Option(
            "--backfill", metavar="ID", help="Compare with what a backfill sent, in place of a range."
        ),
    ] = None,
    profiles: Annotated[
        int | None, typer.Option("--profiles", metavar="N", min=1, help="Compare a sample of N profiles.")
    ] = None,
    settle: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="Give Batch this long to apply what was sent last."),
    ] = DEFAULT_SETTLE_S,
    export: Annotated[
        str | None, typer.Option("--export", metavar="ID", help="Use an export that was asked for before.")
    ] = None,
    export_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Give Batch this long to make the export.")
    ] = DEFAULT_EXPORT_TIMEOUT_S,
    values: Annotated[
        bool, typer.Option("--values", help="Show values as well: they are your customers' data.")
    ] = False,
    show: Annotated[int, typer.Option(metavar="N", min=0, help="Differences to list one by one.")] = 20,
    in_json: Annotated[bool, typer.Option("--json", help="The outcome as one JSON object.")] = False,
    state: State = DEFAULT_STATE,
    config: ConfigFile = None,
) -> None:
    """Compare the profiles that Batch exports with what the events say, attribute by attribute. Changes nothing.

    The range is read of the topics, and folded as the workers do. Exit code 0: all equal; 1: there are differences;
    2: it could not be found out; 78: the configuration cannot be used.
    """
    if backfill is not None and (topic or to_time is not None or from_time != EARLIEST):
        fail("verify: --backfill has a range of its own: leave --from, --to and --topic out")
    required = _TO_BATCH if backfill is not None else (*_TO_BATCH, *(_TO_KAFKA[:1] if topic else _TO_KAFKA))
    loaded = load_or_exit(config, required, with_mappings=True)
    configure_logs("text", "warning", cast(Any, StandardError()))
    plan = plan_of_range(topic or loaded.settings.kafka.topics, *times_of("verify", from_time, to_time))
    options = Options(profiles, settle, export_timeout, export)
    try:
        with progress_for_people() as shown:
            found = _found(loaded, options, plan if backfill is None else (Folder(state), backfill), shown)
    except (BackfillError, VerifyError, ExportError) as error:
        fail(f"verify: {error}", EXIT_TROUBLE)
    if in_json:
        typer.echo(orjson.dumps(as_json(found, values=values), option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo("\n".join(in_words(found, shown=show, values=values)))
    raise typer.Exit(0 if found.ok else EXIT_DIFFERENT)


def _found(loaded: Loaded, options: Options, source: Plan | tuple[Folder, str], shown: Shown) -> Found:
    """Fold the source, a range or a backfill, and verify it. Raises BackfillError, VerifyError, ExportError."""
    settings = loaded.settings
    map_live = compile_event_mapper(mapping_settings(settings), mappings_or_exit(settings).mapping_set)
    stopping = Stopping(lambda: False)
    with stopping.on_signals(), _consumer(settings) as consumer:
        fold = (
            fold_of_topics(cast(Consumer, consumer), source, map_live, shown, stopping)
            if isinstance(source, Plan)
            else fold_of_backfill(*source)
        )
        with fold as expected:
            verification = Verification(expected, consumer, map_live, options, shown, stopping)
            return _verified(loaded, verification, shown)


def _verified(loaded: Loaded, verification: Verification, shown: Shown) -> Found:
    settings = loaded.settings
    undelivered = _undelivered(settings, verification.expected)
    if undelivered:
        shown.say(f"{not_delivered(undelivered)} by group {settings.kafka.group}")

    async def run() -> Found:
        batch = settings.batch
        client = ExportClient(
            batch.base_url,
            batch.api_version,
            Credentials(*loaded.credentials()),
            timeout_s=batch.request_timeout_s,
        )
        async with client:
            return await verification.run(client)

    found = asyncio.run(run())
    found.undelivered = undelivered
    return found


@contextmanager
def _consumer(settings: Settings) -> Iterator[Consumer | None]:
    """A consumer if there is a Kafka: a backfill of files needs none."""
    if not settings.kafka.brokers:
        yield None
        return
    with reading_consumer(settings) as consumer:
        yield consumer


def _undelivered(settings: Settings, expected: Expected) -> int:
    """Records of the range that the workers' group has not committed; 0 if the group cannot be looked at."""
    if not settings.kafka.brokers:
        return 0
    admin = AdminClient(dict(client_settings(settings.kafka)), logger=SILENT)
    try:
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(settings.kafka.group)])
        answer = asked[settings.kafka.group].result(LOOKUP_S)
    except (KafkaException, TimeoutError):
        return 0
    committed = {(each.topic, each.partition): each.offset for each in answer.topic_partitions}
    return _behind(expected.ends, committed)


def _behind(ends: Ends, committed: dict[tuple[str, int], int]) -> int:
    return sum(
        max(0, end - committed[topic, partition])
        for topic, offsets in ends.items()
        for partition, end in offsets.items()
        if committed.get((topic, partition), -1) >= 0
    )
