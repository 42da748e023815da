"""`segbatch run`: the worker as a process."""

from __future__ import annotations

import asyncio
import os
import sys

import structlog
import typer
import uvloop
from confluent_kafka import KafkaException

from streams.commands.interruption import interrupt_leaves_at_once
from streams.commands.options import EXIT_CONFIGURATION, ConfigFile, load_or_exit
from streams.logs import configure_logs
from streams.settings import REQUIRED_TO_RUN, ConfigurationError, above_batch_limits

log = structlog.get_logger("segbatch.settings")


def run(config: ConfigFile = None) -> None:
    """Run the worker until SIGTERM."""
    loaded = load_or_exit(config, REQUIRED_TO_RUN, with_mappings=True)
    configure_logs(loaded.settings.log.format, loaded.settings.log.level)
    for warning in above_batch_limits(loaded):
        log.warning("a setting is above Batch's limit", problem=str(warning))
    with interrupt_leaves_at_once():
        from streams.worker import EXIT_NOT_DRAINED, Worker

    async def work() -> int:
        try:
            worker = Worker(loaded)
        except ConfigurationError as error:
            print(error, file=sys.stderr)
            return EXIT_CONFIGURATION
        return await worker.run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            code = runner.run(work())
        except KafkaException as error:
            print(f"Kafka's client refuses the settings: {error.args[0].str()}", file=sys.stderr)
            raise typer.Exit(EXIT_CONFIGURATION) from None
        if code == EXIT_NOT_DRAINED:
            leave_at_once(code)
    raise typer.Exit(code)


def leave_at_once(code: int) -> None:
    """End the process although a thread may hang in a call to a broker that does not answer."""
    sys.stdout.flush()
    os._exit(code)
