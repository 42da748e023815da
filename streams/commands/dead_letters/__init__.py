"""`segbatch dead-letters`: look at the records that could not be delivered, send them again, or remove them."""

from __future__ import annotations

import typer

from streams.commands.dead_letters import export, listing, purge, replay, show, stats

__all__ = ["app"]

app = typer.Typer(
    help="Look at the records that could not be delivered, send them again, or remove a user's.",
    no_args_is_help=True,
)
app.command()(stats.stats)
app.command("list")(listing.list_letters)
app.command()(show.show)
app.command()(replay.replay)
app.command()(export.export)
app.command()(purge.purge)
