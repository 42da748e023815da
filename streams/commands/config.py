"""`segbatch config`: the effective configuration."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from streams.commands.options import ConfigFile, load_or_exit
from streams.settings import show as as_text
from streams.settings import show_json

app = typer.Typer(help="The effective configuration.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """The effective configuration."""


@app.command()
def show(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object: a value and its origin by setting.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Show every setting, its value and where it comes from. Secrets are masked."""
    loaded = load_or_exit(config)
    if as_json:
        typer.echo(orjson.dumps(show_json(loaded), option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(as_text(loaded))
