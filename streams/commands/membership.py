"""`segbatch membership`: why is somebody in an audience, or not?"""

from __future__ import annotations

from typing import Annotated, Any, cast

import orjson
import typer

from mapping.mapper import compile_mapper
from streams.backfill.kafka_range import reading_consumer
from streams.backfill.problems import BackfillError
from streams.backfill.progress import progress_for_people
from streams.backfill.stopping import Stopping
from streams.commands.backfill.options import StandardError
from streams.commands.interruption import EXIT_INTERRUPTED
from streams.commands.options import EXIT_FAILED, ConfigFile, fail, load_or_exit, mappings_or_exit
from streams.commands.ranges import EARLIEST, From, To, Topics, times_of
from streams.logs import configure_logs
from streams.mapping_settings import mapping_settings
from streams.membership.reading import Reading, fix_range, narrow
from streams.membership.report import (
    audience_as_json,
    audience_in_words,
    user_as_json,
    user_in_words,
)


def membership(
    user_id: Annotated[str | None, typer.Argument(metavar="[USER_ID]", help="A user, by userId.")] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", metavar="KEY", help="An audience, in place of a user.")
    ] = None,
    from_time: From = EARLIEST,
    to_time: To = None,
    topic: Topics = None,
    all_partitions: Annotated[
        bool,
        typer.Option("--all-partitions", help="Look for a user in all partitions, also of a keyed topic."),
    ] = False,
    in_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    config: ConfigFile = None,
) -> None:
    """Tell what Segment last said of a user's audiences, or of an audience's users, and when. Changes nothing.

    Exit code 0: something was said; 1: nothing, or Kafka cannot be read; 130: interrupted.
    """
    if (user_id is None) == (audience is None):
        fail("membership: name a user, or --audience and its key")
    loaded = load_or_exit(
        config, ("kafka.brokers",) if topic else ("kafka.brokers", "kafka.topics"), with_mappings=True
    )
    settings = loaded.settings
    configure_logs("text", "warning", cast(Any, StandardError()))
    times = times_of("membership", from_time, to_time)
    map_record = compile_mapper(mapping_settings(settings), mappings_or_exit(settings).mapping_set)
    stopping = Stopping(lambda: False)
    try:
        with progress_for_people() as shown, stopping.on_signals(), reading_consumer(settings) as consumer:
            span = fix_range(consumer, topic or settings.kafka.topics, *times)
            if user_id is not None and not all_partitions:
                span = narrow(consumer, span, user_id)
            reading = Reading(consumer, span, map_record, shown, stopping)
            told, lines, said = _answer(reading, user_id, audience or "")
    except BackfillError as error:
        fail(f"membership: {error}", EXIT_FAILED)
    typer.echo(orjson.dumps(told).decode() if in_json else "\n".join(lines))
    raise typer.Exit(EXIT_INTERRUPTED if stopping.interrupted else 0 if said else EXIT_FAILED)


def _answer(reading: Reading, user_id: str | None, audience: str) -> tuple[dict[str, Any], list[str], bool]:
    """The answer as JSON and in words, and whether there is one."""
    if user_id is not None:
        of_user = reading.of_user(user_id)
        complete = not reading.stopped()
        told = user_as_json(user_id, of_user, reading.range, complete)
        return told, list(user_in_words(user_id, of_user, reading.range, complete)), bool(of_user.last)
    found = reading.of_audience(audience)
    complete = not reading.stopped()
    told = audience_as_json(audience, found, reading.range, complete)
    lines = audience_in_words(audience, found, reading.range, complete, reading.audiences)
    return told, list(lines), found.messages > 0
