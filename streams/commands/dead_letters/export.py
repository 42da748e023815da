"""`segbatch dead-letters export`: letters with their records as JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import orjson
import typer

from streams.commands.dead_letters.content import with_content
from streams.commands.dead_letters.options import (
    From,
    Mappings,
    Partitions,
    Reasons,
    To,
    Topic,
    User,
    selection,
)
from streams.commands.dead_letters.topics import open_topics
from streams.commands.findings import counted
from streams.commands.options import ConfigFile, fail, load_or_exit


def export(
    reason: Reasons = None,
    from_: From = None,
    to: To = None,
    mapping: Mappings = None,
    partition: Partitions = None,
    user: User = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A new file; else standard output.")
    ] = None,
    topic: Topic = None,
    config: ConfigFile = None,
) -> None:
    """Write letters as JSON lines: what happened, headers, key, and the value as JSON, or as base64 if it is none.

    This is personal data: a file is made readable for you only.
    """
    settings = load_or_exit(config, ("kafka.brokers", "kafka.topics")).settings
    chosen = selection(reason, mapping, partition, from_, to, user)
    count = 0
    with open_topics(settings, topic, chosen.partitions) as topics:
        topics.look(chosen)
        with _target(output) as target:
            for stored in topics.letters(chosen):
                target.write(orjson.dumps(with_content(stored), option=orjson.OPT_APPEND_NEWLINE))
                count += 1
    print(f"{counted(count, 'letter')} exported", file=sys.stderr)


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fail(f"dead-letters export: {output} cannot be written: {error.strerror}")
    with open(descriptor, "wb") as file:
        yield file
