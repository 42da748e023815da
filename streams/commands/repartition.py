"""`segbatch repartition`: a topic without keys copied to one that keeps each user's records in order."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from streams.commands.options import EXIT_CONFIGURATION, ConfigFile, load_or_exit
from streams.commands.run import leave_at_once
from streams.logs import configure_logs
from streams.repartition.process import EXIT_DRAINED, Job, Repartition
from streams.settings.values import TOPIC_PLACEHOLDER, is_topic_name

DEFAULT_TARGET = f"{TOPIC_PLACEHOLDER}.keyed"


def repartition(
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="TOPIC", help="Topic without keys; may be repeated. Else kafka.topics."
        ),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            metavar="TOPIC", help="Topic with keys; <topic> in it stands for the source topic. It must exist."
        ),
    ] = DEFAULT_TARGET,
    group: Annotated[
        str | None, typer.Option(help="Consumer group; else that of kafka.group, with -repartition.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Copy a topic without keys to one whose key is the userId, exactly once, until SIGTERM.

    Each record goes over unchanged, in a Kafka transaction with its offset; without a userId the key is the
    anonymousId. As many processes as the source has partitions may share the work.
    """
    loaded = load_or_exit(config, ("kafka.brokers",) if source else ("kafka.brokers", "kafka.topics"))
    settings = loaded.settings
    job = Job(tuple(source or settings.kafka.topics), target, group or f"{settings.kafka.group}-repartition")
    if problems := _problems(job):
        print("\n".join(problems), file=sys.stderr)
        raise typer.Exit(EXIT_CONFIGURATION)
    configure_logs(settings.log.format, settings.log.level)
    code = asyncio.run(Repartition(settings, job).run())
    if code != EXIT_DRAINED:
        leave_at_once(code)
    raise typer.Exit(code)


def _problems(job: Job) -> list[str]:
    """What cannot work, each with what to do."""
    problems = [
        f"--source: {topic!r} is not a name that Kafka allows for a topic. Correct it."
        for topic in job.sources
        if not is_topic_name(topic)
    ]
    targets = [job.target_of(topic) for topic in job.sources]
    problems += [
        f"--target: {topic!r} is not a name that Kafka allows for a topic. Correct it."
        for topic in dict.fromkeys(targets)
        if not is_topic_name(topic)
    ]
    problems += [
        f"--target: {topic} is read as well: records would be copied for ever. Choose another topic."
        for topic in dict.fromkeys(targets)
        if topic in job.sources
    ]
    return problems
