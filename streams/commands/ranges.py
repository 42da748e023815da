"""The range of events that `backfill`, `verify` and `membership` read: options, and what they stand for."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from streams.commands.moments import milliseconds

EARLIEST = "earliest"

From = Annotated[
    str, typer.Option("--from", metavar="TIME", help="Start of the range: ISO 8601, or earliest.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="End of the range, outside of it; else now.")
]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", help="Topic; may be repeated. Else kafka.topics.")
]


class Times(NamedTuple):
    """Milliseconds since 1970. None: the beginning; now."""

    begin: int | None
    end: int | None


def times_of(command: str, from_time: str | None, to_time: str | None) -> Times:
    """The times that the options stand for; ends `command` with a line if one is none."""
    begin = None if from_time is None or from_time == EARLIEST else milliseconds(command, "--from", from_time)
    return Times(begin, None if to_time is None else milliseconds(command, "--to", to_time))
