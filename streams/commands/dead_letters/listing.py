"""`segbatch dead-letters list`: a line for each letter."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import orjson
import typer

from streams.commands.dead_letters.content import part_in_words, summary
from streams.commands.dead_letters.nothing import nothing_found
from streams.commands.dead_letters.options import (
    From,
    Mappings,
    Partitions,
    Reasons,
    Selection,
    To,
    Topic,
    User,
    selection,
)
from streams.commands.dead_letters.topics import Stored, Topics, open_topics
from streams.commands.findings import counted
from streams.commands.options import ConfigFile, load_or_exit

OPEN = "open"


def list_letters(
    reason: Reasons = None,
    from_: From = None,
    to: To = None,
    mapping: Mappings = None,
    partition: Partitions = None,
    user: User = None,
    only_open: Annotated[
        bool, typer.Option("--open", help="With which nothing was done yet: not replayed, no copy.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0: all.")] = 100,
    in_json: Annotated[bool, typer.Option("--json", help="A JSON array, a letter a line.")] = False,
    topic: Topic = None,
    config: ConfigFile = None,
) -> None:
    """List letters by partition and offset: time, reason, part, state. Nothing of the records is shown."""
    settings = load_or_exit(config, ("kafka.brokers", "kafka.topics")).settings
    chosen = selection(reason, mapping, partition, from_, to, user)
    with open_topics(settings, topic, chosen.partitions) as topics:
        topics.look(chosen)
        letters = (each for each in topics.letters(chosen) if not only_open or state(each) == OPEN)
        shown = list(islice(letters, limit or None))
        found = len(shown) + sum(1 for _ in letters)
        nothing = "" if found else _nothing(topics, chosen, only_open)
    if in_json:
        lines = b",\n".join(orjson.dumps(summary(stored)) for stored in shown)
        typer.echo(b"[" + lines + b"]")
    else:
        for text in _aligned([_HEADER, *map(cells, shown)] if shown else []):
            typer.echo(text)
    if nothing:
        print(nothing, file=sys.stderr)
    if found > len(shown):
        print(f"{len(shown):,} of {counted(found, 'letter')} shown: see --limit", file=sys.stderr)


def _nothing(topics: Topics, chosen: Selection, only_open: bool) -> str:
    """Why nothing is listed."""
    if only_open and any(True for _ in topics.letters(chosen)):
        return "none of these letters is open: they were replayed, or are copies of what was delivered"
    return nothing_found(topics, chosen)


_HEADER = ("letter", "failed at", "reason", "part", "state", "HTTP")


def cells(stored: Stored) -> tuple[str, ...]:
    """`events.dead-letter 3:17`, `2026-03-02T09:14:07.512Z`, `refused_by_batch`, `record`, `open`, `400`."""
    topic, partition = stored.place
    letter = stored.letter
    return (
        f"{topic} {partition}:{stored.offset}",
        letter.failed_at,
        letter.reason,
        part_in_words(letter, "one profile"),
        state(stored),
        letter.http_status,
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def state(stored: Stored) -> str:
    """`open`: nothing was done with it yet. `delivered`: a copy of a record that Batch has."""
    if stored.replayed:
        return "replayed"
    return "delivered" if stored.letter.delivered else OPEN
