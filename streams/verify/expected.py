"""What Batch must have: the fold of a range of topics, or of a backfill, on disk."""

from __future__ import annotations

import hashlib
import heapq
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer

from mapping.mapper import MapEvent
from streams.backfill.fold import Fold, merge_parts
from streams.backfill.folded import FoldedProfile
from streams.backfill.folder import Folder
from streams.backfill.kafka_range import begins_and_ends, offsets_at, read_span
from streams.backfill.plan import DEFAULT_MEMORY_MB, TYPES, Plan, read_plan
from streams.backfill.progress import Shown
from streams.backfill.reading import Reading, fix_range
from streams.backfill.selection import Selection, updates_of
from streams.backfill.store import Store
from streams.verify.problems import VerifyError

SLICE = 10_000
MEMORY_BYTES = DEFAULT_MEMORY_MB * 1024 * 1024

Ends = Mapping[str, Mapping[int, int]]
"""Offsets by topic and partition."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The profiles of a range."""

    store: Store
    ends: Ends
    """Where the range ends in the topics that workers deliver: what comes after may have changed Batch."""
    settled_at: float
    """Seconds since 1970: when the last of it was sent, as far as that is known; else 0."""

    def profiles(self) -> Iterator[tuple[str, FoldedProfile]]:
        """Every profile, by custom_id."""
        for first in range(1, self.store.count_profiles() + 1, SLICE):
            for kept in self.store.between(first, first + SLICE - 1):
                yield kept.custom_id, kept.profile()


@contextmanager
def fold_of_topics(
    consumer: Consumer, plan: Plan, map_live: MapEvent, shown: Shown, stopped: Callable[[], bool]
) -> Iterator[Expected]:
    """The fold of the plan's topics, in a folder that is removed afterwards. Raises BackfillError, VerifyError."""
    with tempfile.TemporaryDirectory(prefix="segbatch-verify-") as folder:
        store = Store(Path(folder) / "fold.sqlite")
        try:
            fix_range(consumer, plan, store)
            shown.phase("reading", "events")
            fold = Fold(store, MEMORY_BYTES)
            reading = Reading(
                plan, store, fold, Selection(plan, map_live, map_live, None), _Read(shown), stopped
            )
            finished = reading.run(consumer) and merge_parts(store, MEMORY_BYTES, lambda _: None, stopped)
            if not finished:
                raise VerifyError("interrupted before the range was read")
            yield Expected(store, _ends(store), 0.0)
        finally:
            store.close()


@contextmanager
def fold_of_backfill(folder: Folder, backfill: str) -> Iterator[Expected]:
    """The fold of a backfill that is done, as it was sent. Raises BackfillError, VerifyError."""
    with folder.looked_into(backfill) as store:
        plan, phase = read_plan(store.fact("plan")), store.fact("phase")
        if phase != "done":
            raise VerifyError(f"backfill {backfill} is not done ({phase}): there is nothing to compare yet")
        settled = store.execute("select coalesce(max(settled_at), 0) from stretches").fetchone()[0]
        live = {topic: ends for topic, ends in _ends(store).items() if topic in plan.live_topics}
        yield Expected(store, live, settled)


def plan_of_range(topics: Sequence[str], from_ms: int | None, to_ms: int | None) -> Plan:
    """Everything that workers deliver of these topics in this range."""
    return Plan("verify", time.time(), topics=tuple(topics), from_ms=from_ms, to_ms=to_ms, types=TYPES)


def sample_of(expected: Expected, size: int) -> frozenset[str]:
    """So many of the profiles, chosen by a hash of the custom_id: the same ones each time."""

    def rank(custom_id: str) -> bytes:
        return hashlib.blake2b(custom_id.encode(), digest_size=8).digest()

    return frozenset(heapq.nsmallest(size, (custom_id for custom_id, _ in expected.profiles()), key=rank))


def attribute_names(expected: Expected, chosen: frozenset[str] | None) -> list[str]:
    """Names of all attributes that the profiles have."""
    names: set[str] = set()
    for custom_id, profile in expected.profiles():
        if chosen is None or custom_id in chosen:
            names.update(profile.attributes)
    return sorted(names)


def changed_since(
    consumer: Consumer, ends: Ends, map_live: MapEvent, custom_ids: set[str], stopped: Callable[[], bool]
) -> dict[str, set[str]]:
    """The attributes of these profiles of which the topics say something after `ends`, until now."""
    selection = Selection(plan_of_range((), None, None), map_live, map_live, None)
    changed: dict[str, set[str]] = {}
    for topic, from_offsets in ends.items():
        begins, now = begins_and_ends(consumer, topic)
        positions = {p: max(offset, begins[p]) for p, offset in from_offsets.items() if p in begins}
        for messages in read_span(consumer, topic, positions, {p: now[p] for p in positions}, stopped):
            for message in messages:
                for update in updates_of(selection.of_live(message.value())):
                    if update.custom_id in custom_ids:
                        changed.setdefault(update.custom_id, set()).update(update.attributes)
    return changed


def newer_than(consumer: Consumer, ends: Ends, at_ms: int) -> bool:
    """Whether the range has records of this time or later."""
    for topic, offsets in ends.items():
        begun = offsets_at(consumer, topic, at_ms, otherwise=dict(offsets))
        if any(begun[partition] < offset for partition, offset in offsets.items()):
            return True
    return False


class _Read:
    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def read(self, done: float, events: int) -> None:
        """Pass on how far the reading is."""
        self._shown.at(done, events)


def _ends(store: Store) -> dict[str, dict[int, int]]:
    spans = store.fact("spans", {})
    return {
        topic: {int(partition): end for partition, (_, end) in span.items()} for topic, span in spans.items()
    }
