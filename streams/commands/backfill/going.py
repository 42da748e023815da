"""Goes on with a backfill that is held, to its end, and tells a person of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson
import typer

from mapping.fql import compile_trigger
from mapping.mapper import compile_event_mapper
from streams.backfill.folder import Folder
from streams.backfill.plan import Plan
from streams.backfill.progress import progress_for_people
from streams.backfill.report import dry_run_in_words, in_words, report_of
from streams.backfill.run import CANCELLED, DONE, run_backfill, would_send
from streams.backfill.selection import Selection
from streams.backfill.stopping import Stopping
from streams.backfill.store import Store
from streams.backfill.work import Work
from streams.commands.backfill.options import StandardError
from streams.commands.interruption import EXIT_INTERRUPTED
from streams.commands.options import EXIT_CONFIGURATION, EXIT_FAILED, fail, mappings_or_exit
from streams.logs import configure_logs
from streams.mapping_settings import mapping_settings
from streams.metrics import Metrics
from streams.settings import Loaded, Settings
from streams.web import start_web, why_not_listening


class Going(NamedTuple):
    """How the command tells of itself."""

    metrics_port: int | None
    in_json: bool


def go_on(
    loaded: Loaded,
    plan: Plan,
    folder: Folder,
    store: Store,
    going: Going,
    *,
    dry_run: bool = False,
    cancel: bool = False,
) -> int:
    """The exit code. Raises BackfillError."""
    settings = loaded.settings
    configure_logs("text", "warning", cast(Any, StandardError()))
    stopping = Stopping(lambda: cancel or folder.is_asked_to_cancel(plan.id))
    metrics = Metrics()
    selection = _selection(plan, settings)
    with (
        _metrics_served(settings.web.host, going.metrics_port, metrics) as address,
        progress_for_people() as shown,
        stopping.on_signals(),
    ):
        shown.say(f"backfill {plan.id}" + (f", metrics at {address}/metrics" if address else ""))
        _warn(plan, dry_run, shown.say)
        run_backfill(Work(loaded, plan, folder, store, selection, metrics, shown, stopping), dry_run=dry_run)
    return _told(store, plan, going, dry_run=dry_run, interrupted=stopping.interrupted)


def _selection(plan: Plan, settings: Settings) -> Selection:
    """The range goes by the plan's mappings, and what the live stream says by those of the workers."""
    own = mapping_settings(settings)
    map_live = compile_event_mapper(own, mappings_or_exit(settings).mapping_set)
    map_event = map_live
    if plan.mappings is not None:
        map_event = compile_event_mapper(own, mappings_or_exit(settings, Path(plan.mappings)).mapping_set)
    matches = None if plan.where is None else compile_trigger(plan.where).matches
    return Selection(plan, map_event, map_live, matches)


def _warn(plan: Plan, dry_run: bool, say: Any) -> None:
    if "track" in plan.types:
        say("of track events only those of the last 24 hours are sent; Batch refuses older ones")
    if not plan.live_topics and not dry_run:
        say("kafka.topics is not set: what a live stream says meanwhile is not known, and may be overwritten")


def _told(store: Store, plan: Plan, going: Going, *, dry_run: bool, interrupted: bool) -> int:
    report = report_of(store, plan.id)
    finished = report["phase"] in (DONE, CANCELLED)
    if dry_run and not interrupted:
        report = {**report, "would_send": would_send(store, plan.rate_per_s)}
        finished = True
    if going.in_json:
        typer.echo(orjson.dumps(report).decode())
    else:
        for line in dry_run_in_words(report) if dry_run and finished else in_words(report):
            typer.echo(line)
    if not finished:
        if not dry_run:
            typer.echo(f"stopped; go on with: segbatch backfill --resume {plan.id}", err=True)
        return EXIT_INTERRUPTED
    return EXIT_FAILED if report["phase"] == CANCELLED else 0


@contextmanager
def _metrics_served(host: str, port: int | None, metrics: Metrics) -> Iterator[str]:
    """Serve the worker's pages from a thread of their own; gives their address, or nothing."""
    if port is None:
        yield ""
        return
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="metrics", daemon=True)
    thread.start()

    def on_loop(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    try:
        runner, address = on_loop(start_web(host, port, metrics.registry, dict, dict))
    except OSError as error:
        fail(
            f"backfill: --metrics-port {port} of {host} cannot be had: {why_not_listening(error)}",
            EXIT_CONFIGURATION,
        )
    try:
        yield address
    finally:
        on_loop(runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
