"""`segbatch backfill list`, `show ID` and `cancel ID`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from streams.backfill.folder import FINISHED, Folder
from streams.backfill.plan import Plan, read_plan
from streams.backfill.problems import BackfillError
from streams.backfill.report import in_words
from streams.commands.backfill.going import Going, go_on
from streams.commands.backfill.options import DEFAULT_STATE, AsJson, Id, State
from streams.commands.options import EXIT_FAILED, ConfigFile, fail, load_or_exit


def list_backfills(state: State = DEFAULT_STATE, in_json: AsJson = False) -> None:
    """List the backfills of the state folder, the latest last."""
    folder = Folder(state)
    found = [{"id": each, **folder.facts(each)} for each in folder.ids()]
    if in_json:
        typer.echo(orjson.dumps(found).decode())
        return
    if not found:
        typer.echo(f"no backfills in {state}")
        return
    table = Table("id", "state", "range", "profiles", "not sent yet", box=None)
    for facts in found:
        counts = (f"{facts['report'][name]:,}" for name in ("profiles", "profiles_left"))
        table.add_row(facts["id"], _state(facts), _range(read_plan(facts["plan"])), *counts)
    Console().print(table)


def show(backfill: Id, state: State = DEFAULT_STATE, in_json: AsJson = False) -> None:
    """Show what a backfill is to do and what it has done."""
    folder = Folder(state)
    try:
        facts = folder.facts(backfill)
    except BackfillError as error:
        fail(f"backfill: {error}", EXIT_FAILED)
    if in_json:
        typer.echo(orjson.dumps(facts).decode())
        return
    plan = read_plan(facts["plan"])
    typer.echo(f"{plan.id}: {_state(facts)}")
    typer.echo(f"  range            {_range(plan)}")
    typer.echo(f"  types            {', '.join(plan.types)}")
    for line in list(in_words(facts["report"]))[1:]:
        typer.echo(line)
    if not facts["running"] and facts["phase"] not in FINISHED:
        typer.echo(f"go on with: segbatch backfill --resume {plan.id}")


def cancel(backfill: Id, state: State = DEFAULT_STATE, config: ConfigFile = None) -> None:
    """End a backfill: nothing more is sent. What was sent stays, and is still put right against the live stream."""
    folder = Folder(state)
    try:
        if folder.facts(backfill)["running"]:
            folder.ask_to_cancel(backfill)
            typer.echo(f"the process that runs {backfill} was asked to end it")
            return
        with folder.resumed(backfill) as (plan, store):
            loaded = load_or_exit(config)
            code = go_on(loaded, plan, folder, store, Going(None, False), cancel=True)
            code = 0 if store.fact("phase") in FINISHED else code
    except BackfillError as error:
        fail(f"backfill: {error}", EXIT_FAILED)
    raise typer.Exit(code)


def _state(facts: dict[str, Any]) -> str:
    if facts["phase"] in FINISHED:
        return str(facts["phase"])
    return f"{facts['phase']}, {'running' if facts['running'] else 'interrupted'}"


def _range(plan: Plan) -> str:
    sources = ", ".join((*plan.files, *(f"topic {topic}" for topic in plan.topics)))
    begin = "" if plan.from_ms is None else f" from {_iso(plan.from_ms)}"
    end = "" if plan.to_ms is None else f" to {_iso(plan.to_ms)}"
    return f"{sources}{begin}{end}"


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
