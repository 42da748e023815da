"""The command line: `run`, and the commands of `streams.commands`."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mapping import preset
from streams.commands import (
    backfill,
    check,
    config,
    dead_letters,
    explain,
    init,
    map_events,
    membership,
    produce,
    repartition,
    run,
    run_cases,
    sandbox,
    status,
    template,
    trigger,
    verify,
)
from streams.demo.command import demo

__all__ = ["app"]

_OF_THE_LIBRARY = "Value error, "


class Commands(TyperGroup):
    """Refuses an option's value without the words that the library that checks it puts first."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was called."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix(_OF_THE_LIBRARY)
            raise


app = typer.Typer(
    name="segbatch",
    cls=Commands,
    help="Segment events from Kafka to Batch profiles: one update a profile, nothing lost.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        form = "pure Python" if (preset.__file__ or "").endswith(".py") else "compiled"
        typer.echo(f"segbatch {metadata.version('segbatch')} ({form})")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Segment events from Kafka to Batch profiles: one update a profile, nothing lost."""


app.command()(demo)
app.command()(run.run)
app.command()(status.status)
app.command()(check.check)
app.command("map")(map_events.map_events)
app.command()(explain.explain)
app.command("test")(run_cases.run_cases)
app.command()(init.init)
app.command()(produce.produce)
app.command()(trigger.trigger)
app.command()(template.template)
app.command()(repartition.repartition)
app.command()(verify.verify)
app.command()(membership.membership)
sandbox.register(app)
app.add_typer(config.app, name="config")
app.add_typer(backfill.app, name="backfill")
app.add_typer(dead_letters.app, name="dead-letters")
