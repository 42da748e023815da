"""The command line."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from streams.logs import configure_logs, mask_secrets
from streams.settings import REQUIRED_TO_RUN, ConfigurationError, Loaded, load_settings

EXIT_CONFIGURATION = 78

app = typer.Typer(
    name="segbatch",
    help="Segment events from Kafka to Batch profiles: one update a profile, nothing lost.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings file; else SEGBATCH_CONFIG, else ./segbatch.yaml.")
]


def load_or_exit(config: Path | None, require: tuple[str, ...] = ()) -> Loaded:
    """The settings, or exit code 78 with every problem on standard error."""
    try:
        loaded = load_settings(config, os.environ, require=require)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_CONFIGURATION) from None
    mask_secrets(loaded.secrets())
    return loaded


@app.callback()
def segbatch() -> None:
    """Segment events from Kafka to Batch profiles: one update a profile, nothing lost."""


@app.command()
def run(config: ConfigFile = None) -> None:
    """Run the worker until SIGTERM."""
    loaded = load_or_exit(config, REQUIRED_TO_RUN)
    configure_logs(loaded.settings.log.format, loaded.settings.log.level)
    from streams.worker import Worker

    async def work() -> int:
        return await Worker(loaded).run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raise typer.Exit(runner.run(work()))


def main() -> None:
    """The entry point."""
    app()
