"""Options that the commands share, and how texts of the command line become values."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_STATE = Path(".segbatch")

State = Annotated[
    Path, typer.Option("--state", metavar="DIR", help="Folder in which backfills keep their state.")
]
Id = Annotated[str, typer.Argument(metavar="ID", help="The backfill's id, as `list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(metavar="PORT", help="Serve /metrics on this port of web.host while it runs; 0 takes any."),
]


class StandardError(io.TextIOBase):
    """What standard error is at the moment: a progress bar puts itself in its place."""

    def write(self, text: str) -> int:
        """Write to it."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush it."""
        sys.stderr.flush()

    def isatty(self) -> bool:
        """Log lines are plain text beside a bar."""
        return sys.stderr.isatty()
