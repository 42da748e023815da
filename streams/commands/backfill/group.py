"""The command group: `segbatch backfill [FILES]` starts one, `list`, `show` and `cancel` are about those there are."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from streams.commands.backfill import ask, start

START = "start"


class StartsByDefault(TyperGroup):
    """What is not one of the group's commands is the start of a backfill."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Click's own, after the name of the hidden command was put in front."""
        if not args or args[0] not in self.commands:
            args = [START, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=StartsByDefault,
    help="Bring history over: fold it to one update a profile, and send that beside the live stream.",
    add_completion=False,
)
app.command(START, hidden=True)(start.start)
app.command("list")(ask.list_backfills)
app.command("show")(ask.show)
app.command("cancel")(ask.cancel)
