"""JSON lines from a file or standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, BinaryIO

import typer

from streams.commands.options import fail

LinesFile = Annotated[
    str, typer.Argument(metavar="[FILE]", help="A file of JSON lines; - or none is standard input.")
]


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file, or standard input for `-`. Ends the command with one line if it cannot be read."""
    if file == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(open(file, "rb"))
        except OSError as error:
            fail(f"{file} cannot be read: {error.strerror}")
        yield stream


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """The lines that are not blank, unchanged but for the line's end."""
    for line in stream:
        if line.strip():
            yield line.rstrip(b"\r\n")
