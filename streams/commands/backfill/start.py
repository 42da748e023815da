"""`segbatch backfill [FILES]`: starts a backfill, or goes on with one."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from mapping.fql import FqlError, compile_trigger
from streams.backfill.folder import Folder, new_id
from streams.backfill.plan import (
    DEFAULT_MEMORY_MB,
    DEFAULT_SETTLE_S,
    DEFAULT_TYPES,
    TYPES,
    Plan,
)
from streams.backfill.problems import BackfillError, KafkaUnreached
from streams.commands.backfill.going import Going, go_on
from streams.commands.backfill.options import DEFAULT_STATE, AsJson, MetricsPort, State
from streams.commands.backfill.range_options import (
    DryRun,
    Files,
    LimitRate,
    Memory,
    Resume,
    Settle,
    Since,
    Sources,
    Topics,
    Types,
    Until,
    Where,
)
from streams.commands.options import (
    EXIT_FAILED,
    ConfigFile,
    MappingsFile,
    fail,
    load_or_exit,
    mappings_or_exit,
)
from streams.commands.ranges import times_of
from streams.settings import Loaded

COMMON_TYPES = ",".join(DEFAULT_TYPES)


def start(
    files: Files = None,
    since: Since = None,
    until: Until = None,
    topic: Topics = None,
    source: Sources = None,
    where: Where = None,
    types: Types = COMMON_TYPES,
    mappings: MappingsFile = None,
    dry_run: DryRun = False,
    resume: Resume = None,
    limit_rate: LimitRate = None,
    settle: Settle = DEFAULT_SETTLE_S,
    memory: Memory = DEFAULT_MEMORY_MB,
    state: State = DEFAULT_STATE,
    metrics_port: MetricsPort = None,
    in_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Bring history over: fold it to one update a profile, and send that beside the live stream.

    Reads files and topics, keeps the last value of each attribute of each profile, and posts them to Batch's
    mass-update, with what the live stream says meanwhile in its right. Ctrl-C stops it; --resume goes on.

    segbatch backfill list, show ID and cancel ID are about the backfills of the state folder.
    """
    folder = Folder(state)
    going = Going(metrics_port, in_json)
    try:
        if resume is not None:
            _refuse_with_resume(files, since, until, topic, source, where, mappings, limit_rate, dry_run)
            with folder.resumed(resume) as (plan, store):
                code = go_on(_loaded(config, plan), plan, folder, store, going)
        else:
            loaded = load_or_exit(config, with_mappings=True)
            plan = _plan(loaded, files, since, until, topic, source, where, types)
            plan = replace(plan, mappings=None if mappings is None else str(mappings.absolute()))
            mappings_or_exit(loaded.settings, mappings, warn=True)
            plan = _with_sending(plan, limit_rate, settle, memory)
            loaded = _loaded(config, plan, dry_run=dry_run)
            code = _dry_run(loaded, plan, going) if dry_run else _new(loaded, plan, folder, going)
    except KafkaUnreached as error:
        fail(f"backfill: {error}{'' if topic or not files else _FILES_ALONE}", EXIT_FAILED)
    except BackfillError as error:
        fail(f"backfill: {error}", EXIT_FAILED)
    raise typer.Exit(code)


_FILES_ALONE = (
    "\nFiles alone need no Kafka while there is no live stream: "
    "take kafka.brokers and kafka.topics out of the settings"
)


def _new(loaded: Loaded, plan: Plan, folder: Folder, going: Going) -> int:
    with folder.made(plan) as store:
        return go_on(loaded, plan, folder, store, going)


def _dry_run(loaded: Loaded, plan: Plan, going: Going) -> int:
    with TemporaryDirectory(prefix="segbatch-") as place:
        folder = Folder(Path(place))
        with folder.made(plan) as store:
            return go_on(loaded, plan, folder, store, going, dry_run=True)


def _loaded(config: Path | None, plan: Plan, *, dry_run: bool = False) -> Loaded:
    """The settings, with those that this plan needs."""
    needed = () if dry_run else ("batch.rest_api_key", "batch.project_key")
    required = (*needed, "kafka.brokers") if plan.topics else needed
    return load_or_exit(config, required, with_mappings=True)


def _plan(
    loaded: Loaded,
    files: list[str] | None,
    since: str | None,
    until: str | None,
    topics: list[str] | None,
    sources: list[str] | None,
    where: str | None,
    types: str,
) -> Plan:
    kafka = loaded.settings.kafka
    history = tuple(topics or ()) or (() if files else kafka.topics)
    if not files and not history:
        fail("backfill: name files, or a topic with --topic")
    if history and since is None:
        fail("backfill: a topic needs --from, a time or `earliest`")
    wanted = tuple(dict.fromkeys(each.strip() for each in types.split(",") if each.strip()))
    if not wanted or not set(wanted) <= set(TYPES):
        fail(f"backfill: --types {types!r}: the types are {', '.join(TYPES)}")
    if where is not None:
        try:
            compile_trigger(where)
        except FqlError as error:
            fail(f"backfill: --where: {error}")
    begin, end = times_of("backfill", since, until)
    if begin is not None and end is not None and begin >= end:
        fail("backfill: --from is not before --to")
    now = time.time()
    return Plan(
        id=new_id(now),
        made_at=now,
        files=tuple(files or ()),
        topics=history,
        live_topics=kafka.topics if kafka.brokers else (),
        from_ms=begin,
        to_ms=end,
        types=wanted,
        sources=tuple(sources or ()),
        where=where,
    )


def _with_sending(plan: Plan, limit_rate: float | None, settle: float, memory: int) -> Plan:
    return replace(plan, rate_per_s=limit_rate or 0.0, settle_s=settle, memory_mb=memory)


def _refuse_with_resume(*given: object) -> None:
    if any(given):
        fail("backfill: --resume goes on with the range it was started with; leave the other options out")
