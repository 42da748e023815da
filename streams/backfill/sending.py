"""Sends the fold to Batch by `mass-update`, with the worker's own delivery, and keeps book of what is done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import cast

from mapping.profile import ProfileUpdate
from sink import coalescer
from sink.client import MASS_MAX_UPDATES
from sink.coalescer import Coalescer, PendingUpdate
from sink.delivery import Delivery
from sink.settlement import Refusal
from streams.backfill.folded import FoldedProfile, profile_event
from streams.backfill.letters import LetterRecord, Letters, letter_value
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


class FoldedRecord:
    """A profile of the fold on its way. Implements `sink.coalescer.Record`."""

    __slots__ = ("bytes", "ending", "kept", "late_profiles", "order", "parts", "reason")

    def __init__(self, kept: Kept, updates: int) -> None:
        self.kept = kept
        self.bytes = len(kept.body)
        self.order = 0
        self.parts = updates
        self.late_profiles: Collection[str] = ()
        self.ending = Ending.SKIPPED
        self.reason = ""


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
                updates = _updates(kept)
                record = FoldedRecord(kept, len(updates))
                for update in updates:
                    coalescer.add(update, record, now())
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
        value = letter_value(self._backfill, own.kept.custom_id, own.kept.profile())
        letter = LetterRecord(self._backfill, self._topic, own.kept.custom_id, value, own)
        self.letters.write(letter, refusal)

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

    def home(self, update: PendingUpdate) -> object | None:
        """The workers write the same profiles."""
        return None

    def says_again(self, update: PendingUpdate) -> bool:
        """History is said once."""
        return False

    def rebuild(self, record: coalescer.Record, custom_id: str) -> ProfileUpdate:
        """What the profile says, once more: its first update, which nothing but one with deltas has others than."""
        return _updates(cast(FoldedRecord, record).kept)[0]

    def _settle(self, record: FoldedRecord, ending: Ending, reason: str) -> None:
        record.parts -= 1
        if ending >= record.ending:
            record.ending, record.reason = ending, reason
        if record.parts > 0:
            return
        name = record.ending.name.lower()
        self.endings[f"{name}:{record.reason}" if record.reason else name] += 1
        self._metrics.records_ended(name, record.reason)
        stretch = self._stretches.of(record.kept.number)
        self._stretches.mark_done(record.kept.number)
        self._unsaved.add(stretch.number)

    def _save(self) -> None:
        with self._store.begin():
            self._stretches.save(self._unsaved)
            self._store.put("sent_counts", {"updates": self.updates, "endings": self.endings})
        self._unsaved.clear()
        self._moved.set()


def _updates(kept: Kept) -> list[ProfileUpdate]:
    profile: FoldedProfile = kept.profile()
    steps = list(profile.updates())
    updates = [ProfileUpdate(kept.custom_id, attributes, (), (), None) for attributes in steps]
    if profile.events:
        updates[0] = updates[0]._replace(events=tuple(map(profile_event, profile.events)))
    return updates


def count_updates(profile: FoldedProfile) -> int:
    """Updates that the profile needs: 50 attributes and 15 events fit in one."""
    attributes = -(-len(profile.attributes) // coalescer.MAX_ATTRIBUTES)
    events = -(-len(profile.events) // coalescer.MAX_EVENTS)
    return max(attributes, events) + max(map(len, (profile.chains or {}).values()), default=0)
