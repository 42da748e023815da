"""JSON lines from a file or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, BinaryIO

import typer

from streams.commands.options import fail

LinesFile = Annotated[
    str, typer.Argument(metavar="[FILE]", help="A file of JSON lines; - or none is standard input.")
]


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file, or standard input for `-`; a terminal is told so. Ends the command with one line if it cannot
    be read."""
    if file == "-":
        if sys.stdin.isatty():
            print("segbatch: waiting for JSON lines on standard input; Ctrl-D ends them", file=sys.stderr)
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(open(file, "rb"))
        except OSError as error:
            fail(f"{file} cannot be read: {error.strerror}")
        yield stream


def say_that_none_came(file: str) -> None:
    """A line on standard error: there was nothing to answer."""
    source = "standard input" if file == "-" else file
    print(f"segbatch: no event came: {source} is empty", file=sys.stderr)


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """The lines that are not blank, unchanged but for the line's end."""
    return (line for _, line in numbered_lines(stream))


def numbered_lines(stream: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The same with their numbers in the file, from 1; blank lines count."""
    for number, line in enumerate(stream, 1):
        if line.strip():
            yield number, line.rstrip(b"\r\n")
