"""A backfill from where it was left to its end: reading, merging, sending, mending."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvloop
from confluent_kafka import Consumer

from sink.client import MAX_BYTES
from streams.backfill.files import find_files
from streams.backfill.fold import Fold, look_for_cycles_rarely, merge_parts
from streams.backfill.kafka_range import reading_consumer
from streams.backfill.progress import Shown
from streams.backfill.reading import Reading, fix_range
from streams.backfill.sending import MASS_BURST, MASS_RATE_PER_S, count_updates
from streams.backfill.shipping import Shipping
from streams.backfill.store import Store
from streams.backfill.stretches import Stretches
from streams.backfill.work import Work

READING, MERGING, SENDING, DONE, CANCELLED = "reading", "merging", "sending", "done", "cancelled"


def run_backfill(work: Work, *, dry_run: bool = False) -> None:
    """Go on with a backfill until it is done, cancelled, or stopped by a signal; its phase tells which.

    Raises BackfillError for what a person has to mend first.
    """
    store, stopping = work.store, work.stopping
    look_for_cycles_rarely()
    memory_bytes = work.plan.memory_mb * 1024 * 1024
    if store.fact("phase") == READING:
        with _timed(store, READING):
            finished = _read(work, memory_bytes)
        if not finished:
            _end_early(work)
            return
        store.put("phase", MERGING)
    if store.fact("phase") == MERGING:
        with _timed(store, MERGING):
            work.shown.phase("merging", "profiles")
            merged = merge_parts(
                store, memory_bytes, lambda done: work.shown.at(done, store.count_profiles()), stopping
            )
        if not merged:
            _end_early(work)
            return
        with store.begin():
            Stretches(store).make(store.count_profiles())
            store.put("phase", SENDING)
    if dry_run:
        return
    with _timed(store, SENDING), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        finished = runner.run(Shipping(work).run())
    if finished:
        store.put("phase", CANCELLED if stopping.cancelled else DONE)


def would_send(store: Store, rate_per_s: float) -> dict[str, Any]:
    """What a dry run tells of the sending."""
    updates = size = 0
    for first in range(1, store.count_profiles() + 1, 10_000):
        for kept in store.between(first, first + 9_999):
            updates += count_updates(kept.profile())
            size += len(kept.body) + len(kept.custom_id)
    rate = rate_per_s or MASS_RATE_PER_S
    calls = max(-(-updates // int(min(rate, MASS_BURST) or 1)), -(-size // MAX_BYTES))
    return {"updates": updates, "bytes": size, "calls": calls, "seconds": updates / rate, "rate_per_s": rate}


def _read(work: Work, memory_bytes: int) -> bool:
    plan, store = work.plan, work.store
    topics = (*plan.topics, *plan.live_topics)
    work.shown.phase("reading", "events")
    with ExitStack() as stack:
        consumer: Consumer | None = None
        if topics:
            consumer = stack.enter_context(reading_consumer(work.loaded.settings))
        if store.fact("files") is None:
            with store.begin():
                if consumer is not None:
                    fix_range(consumer, plan, store)
                store.put("files", [list(file) for file in find_files(plan.files)])
        reading = Reading(
            plan, store, Fold(store, memory_bytes), work.selection, _Read(work.shown), work.stopping
        )
        return reading.run(consumer)


class _Read:
    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def read(self, done: float, events: int) -> None:
        """Pass on how far the reading is."""
        self._shown.at(done, events)


def _end_early(work: Work) -> None:
    """Nothing was sent yet: a cancelled backfill simply ends."""
    if work.stopping.cancelled:
        work.store.put("phase", CANCELLED)


@contextmanager
def _timed(store: Store, phase: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        seconds = store.fact("seconds", {})
        seconds[phase] = seconds.get(phase, 0.0) + time.monotonic() - started
        store.put("seconds", seconds)
