"""Sends the fold to Batch by `mass-update`, with the worker's own delivery, and keeps book of what is done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice, zip_longest
from typing import cast

from mapping.profile import ProfileUpdate
from sink import coalescer
from sink.client import MASS_MAX_UPDATES
from sink.coalescer import MAX_ATTRIBUTES, MAX_EVENTS, Coalescer, PendingUpdate
from sink.delivery import Delivery
from sink.settlement import Refusal
from streams.backfill.folded import Attributes, FoldedProfile, profile_event
from streams.backfill.letters import LetterRecord, Letters, letter_of
from streams.backfill.store import Kept, Store
from streams.backfill.stretches import Stretch, Stretches
from streams.metrics import Metrics
from streams.records import Ending

MASS_RATE_PER_S = 9_900.0
MASS_BURST = 9_900.0
"""Batch, Profile API, "Mass update profile": 10,000 updates a second, no burst. A little below, as clocks differ."""
MOST_WAITING = 2 * MASS_MAX_UPDATES
"""Profiles that are read ahead of the calls."""
SLICE = 500
"""Profiles that are prepared before the event loop gets a turn."""


class Passage:
    """A profile of the fold on its way, until the last of its updates is settled."""

    __slots__ = ("ending", "kept", "left", "reason")

    def __init__(self, kept: Kept, updates: int) -> None:
        self.kept = kept
        self.left = updates
        """Its updates that are not settled yet."""
        self.ending = Ending.SKIPPED
        """The worst of its updates'."""
        self.reason = ""


class FoldedRecord:
    """An update of such a profile. Implements `sink.coalescer.Record`."""

    __slots__ = ("bytes", "index", "late_profiles", "order", "parts", "passage")

    def __init__(self, passage: Passage, index: int) -> None:
        self.passage = passage
        self.index = index
        """Which of the profile's updates it is."""
        self.bytes = len(passage.kept.body)
        self.order = 0
        self.parts = 1
        self.late_profiles: Collection[str] = ()

    def update(self) -> ProfileUpdate:
        """What it says."""
        return updates_to_send(self.passage.kept)[self.index]


class Sending:
    """Implements `sink.settlement.Settlement` for folded profiles, and feeds the coalescer."""

    def __init__(
        self, backfill: str, topic: str, store: Store, stretches: Stretches, metrics: Metrics
    ) -> None:
        self._backfill = backfill
        self._topic = topic
        self._store = store
        self._stretches = stretches
        self._metrics = metrics
        self._coalescer: Coalescer | None = None
        self._moved = asyncio.Event()
        self._unsaved: set[int] = set()
        self.letters: Letters | None = None
        stored = store.fact("sent_counts", {})
        self.updates: int = stored.get("updates", 0)
        self.endings: Counter[str] = Counter(stored.get("endings", {}))
        """Profiles by how they ended; dead letters by reason."""

    async def feed(self, coalescer: Coalescer, delivery: Delivery, stopped: Callable[[], bool]) -> None:
        """Hand the profiles that are left to the delivery, until all are done or `stopped`."""
        self._coalescer = coalescer
        while not stopped() and self._stretches.left:
            stretch = self._stretches.next()
            if stretch is None or coalescer.records >= MOST_WAITING:
                await self._something_moves()
                continue
            self._stretches.take(stretch)
            await self._hand_over(stretch, coalescer, delivery, stopped)

    async def _hand_over(
        self, stretch: Stretch, coalescer: Coalescer, delivery: Delivery, stopped: Callable[[], bool]
    ) -> None:
        now = asyncio.get_running_loop().time
        for first in range(stretch.first, stretch.last + 1, SLICE):
            for kept in self._store.between(first, min(first + SLICE - 1, stretch.last)):
                if stretch.done[kept.number - stretch.first]:
                    continue
                updates = updates_to_send(kept)
                passage = Passage(kept, len(updates))
                for index, update in enumerate(updates):
                    coalescer.add(update, FoldedRecord(passage, index), now())
            delivery.wake()
            await asyncio.sleep(0)
            if stopped():
                return

    async def _something_moves(self) -> None:
        self._moved.clear()
        try:
            await asyncio.wait_for(self._moved.wait(), 0.2)
        except TimeoutError:
            return

    def accepted(self, updates: Sequence[PendingUpdate]) -> None:
        """Batch took these updates."""
        self.updates += len(updates)
        self._metrics.updates_accepted(len(updates))
        for update in updates:
            for record in cast("list[FoldedRecord]", update.records):
                self._settle(record, Ending.ACCEPTED, "")
        self._save()

    def skipped(self, record: coalescer.Record, reason: str) -> None:
        """A part of the profile asks nothing of Batch."""
        self._settle(cast(FoldedRecord, record), Ending.SKIPPED, reason)
        self._save()

    def dead_letter(self, record: coalescer.Record, refusal: Refusal) -> None:
        """A part of the profile cannot be delivered; it is done when the letter is confirmed."""
        if self.letters is None:
            raise RuntimeError("no place for dead letters was given")
        own = cast(FoldedRecord, record)
        letter = letter_of(self._backfill, self._topic, own.update(), own)
        # The letter is an update of one profile: it need not say of which.
        self.letters.write(letter, replace(refusal, profile=""))

    def letter_confirmed(self, letter: LetterRecord, refusal: Refusal) -> None:
        """The letter is safe."""
        record = cast(FoldedRecord, letter.subject)
        if refusal.delivered:
            self._metrics.copies.inc()
            self._settle(record, Ending.ACCEPTED, "")
        else:
            self._settle(record, Ending.DEAD_LETTERED, refusal.reason)
        self._save()

    def is_live(self, record: coalescer.Record) -> bool:
        """Nobody takes profiles from us."""
        return True

    def home(self, update: PendingUpdate) -> int | None:
        """The workers write the same profiles."""
        return None

    def says_again(self, update: PendingUpdate) -> bool:
        """History is said once."""
        return False

    def rebuild(self, record: coalescer.Record, custom_id: str) -> ProfileUpdate:
        """The update, once more."""
        return cast(FoldedRecord, record).update()

    def _settle(self, record: FoldedRecord, ending: Ending, reason: str) -> None:
        passage = record.passage
        if ending >= passage.ending:
            passage.ending, passage.reason = ending, reason
        record.parts -= 1
        if record.parts > 0:
            return
        passage.left -= 1
        if passage.left > 0:
            return
        name = passage.ending.name.lower()
        self.endings[f"{name}:{passage.reason}" if passage.reason else name] += 1
        self._metrics.records_ended(name, passage.reason)
        stretch = self._stretches.of(passage.kept.number)
        self._stretches.mark_done(passage.kept.number)
        self._unsaved.add(stretch.number)

    def _save(self) -> None:
        with self._store.begin():
            self._stretches.save(self._unsaved)
            self._store.put("sent_counts", {"updates": self.updates, "endings": self.endings})
        self._unsaved.clear()
        self._moved.set()


def updates_to_send(kept: Kept) -> list[ProfileUpdate]:
    """The updates of a profile, in order; each fits in one of a call."""
    profile = kept.profile()
    attributes = [piece for step in profile.updates() for piece in _pieces(step)]
    bodies = [profile.events[at : at + MAX_EVENTS] for at in range(0, len(profile.events), MAX_EVENTS)]
    return [
        ProfileUpdate(
            kept.custom_id, its_attributes or {}, tuple(map(profile_event, its_events or ())), (), None
        )
        for its_attributes, its_events in zip_longest(attributes, bodies)
    ]


def _pieces(attributes: Attributes) -> Iterator[Attributes]:
    """At most 50 attributes each; one, that may be empty, of none."""
    if len(attributes) <= MAX_ATTRIBUTES:
        yield attributes
        return
    items = iter(attributes.items())
    while piece := dict(islice(items, MAX_ATTRIBUTES)):
        yield piece


def count_updates(profile: FoldedProfile) -> int:
    """Updates that the profile needs: 50 attributes and 15 events fit in one."""
    attributes = -(-len(profile.attributes) // MAX_ATTRIBUTES)
    events = -(-len(profile.events) // MAX_EVENTS)
    chained = max(map(len, (profile.chains or {}).values()), default=0)
    return max(attributes + chained, events)
