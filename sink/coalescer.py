"""One pending update a profile: records of a user that wait together leave together.

A profile's records merge in the order in which they come. Batch takes at most 50 attributes and 15 events in an
update (Batch, Profile API, "Update"); what does not fit waits in further updates of the same profile, in order.
At most one update of a profile is out at a time, because Batch promises no order between calls; what comes
meanwhile merges behind it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from mapping.profile import ArrayDelta, AttributeValue, ProfileEvent, ProfileUpdate

MAX_ATTRIBUTES = 50
MAX_EVENTS = 15
MAX_ARRAY_ITEMS = 25
PROFILE_OVERHEAD_BYTES = 700
RECORD_OVERHEAD_BYTES = 350


class Record(Protocol):
    """What the sink knows of a Kafka record: how many parts of it are not settled yet, and what it weighs."""

    parts: int
    late_profiles: Collection[str]
    """By custom_id: profiles whose events of it went their own way. They are late, and have a dead letter."""
    order: int
    """Set by the coalescer: its place among all records, in the order in which they came."""

    @property
    def bytes(self) -> int:
        """The record's size in memory, without what the coalescer adds."""
        ...


class PendingUpdate:
    """One update that waits or is out, with the records it stands for."""

    __slots__ = (
        "arrived",
        "attributes",
        "bytes",
        "counted",
        "custom_id",
        "events",
        "known",
        "overflow",
        "records",
    )

    def __init__(self, custom_id: str, arrived: float) -> None:
        self.custom_id = custom_id
        self.arrived = arrived
        """When its first record came, seconds on the loop's clock."""
        self.attributes: dict[str, AttributeValue] = {}
        self.events: list[tuple[ProfileEvent, Record]] = []
        self.records: list[Record] = []
        self.counted = 0
        """Records that the coalescer counted for it."""
        self.bytes = PROFILE_OVERHEAD_BYTES
        self.overflow: list[PendingUpdate] | None = None
        """Further updates of the profile, in order, for what Batch would not take in this one."""
        self.known: Any = None
        """What Batch was known to have of the profile before this; kept by `sink.unchanged`."""


class _Kept(NamedTuple):
    """What waits for a record that is kept while others of its profile are dropped."""

    record: Record
    arrived: float
    names: set[str]
    events: list[ProfileEvent]


def compose(older: AttributeValue, newer: ArrayDelta) -> AttributeValue | None:
    """The one value that says what `older` and then `newer` said; None if one value cannot.

    Batch refuses empty arrays and more than 25 items a side (Batch, Profile API, "String arrays").
    """
    if isinstance(older, ArrayDelta):
        add = dict.fromkeys(item for item in older.add if item not in newer.remove) | dict.fromkeys(newer.add)
        remove = dict.fromkeys(item for item in older.remove if item not in newer.add) | dict.fromkeys(
            newer.remove
        )
        fits = len(add) <= MAX_ARRAY_ITEMS and len(remove) <= MAX_ARRAY_ITEMS
        return ArrayDelta(tuple(add), tuple(remove)) if fits else None
    if isinstance(older, list) or older is None:
        kept = dict.fromkeys(item for item in older or () if item not in newer.remove)
        items = list(kept | dict.fromkeys(newer.add))
        return items if 0 < len(items) <= MAX_ARRAY_ITEMS else None
    return newer


class Coalescer:
    """The pending updates of one worker. Used from one thread; nothing here waits."""

    def __init__(self) -> None:
        self._waiting: dict[str, PendingUpdate] = {}
        self._fresh: deque[PendingUpdate] = deque()
        self._returned: list[tuple[float, int, PendingUpdate]] = []
        """Those that could not leave while an earlier one of their profile was out, in a heap by when they came."""
        self._out: dict[str, PendingUpdate] = {}
        self._order = 0
        self.records = 0
        """Records that wait or are out; one that is spread over several updates counts for each."""
        self.bytes = 0
        """Estimated memory of the updates that wait or are out."""

    @property
    def ready(self) -> int:
        """Profiles that could leave now."""
        return len(self._fresh) + len(self._returned)

    @property
    def out(self) -> int:
        """Profiles that have an update out."""
        return len(self._out)

    @property
    def profiles(self) -> int:
        """Profiles with something waiting, whether or not an update of theirs is out."""
        return len(self._waiting)

    @property
    def oldest_ready(self) -> float | None:
        """When the oldest of the profiles that could leave came; None if there is none."""
        heads = [self._fresh[0].arrived] if self._fresh else []
        heads += [self._returned[0][0]] if self._returned else []
        return min(heads, default=None)

    @property
    def oldest(self) -> float | None:
        """When the oldest of all updates came, those out included."""
        out = min((update.arrived for update in self._out.values()), default=None)
        ready = self.oldest_ready
        if out is None or ready is None:
            return ready if out is None else out
        return min(out, ready)

    def everything(self) -> Iterator[tuple[PendingUpdate, bool]]:
        """All updates, and whether each is out: first those that are, then those that wait."""
        for update in self._out.values():
            yield update, True
        for update in self._waiting.values():
            yield update, False
            for following in update.overflow or ():
                yield following, False

    def add(self, update: ProfileUpdate, record: Record, now: float) -> None:
        """Merge what a record says into its profile's pending update, which takes over `update.attributes`. Adds
        to `record.parts` when the record has to be spread over several updates."""
        custom_id = update.custom_id
        pending = self._waiting.get(custom_id)
        if pending is None:
            pending = self._waiting[custom_id] = PendingUpdate(custom_id, now)
            self.bytes += PROFILE_OVERHEAD_BYTES
            if custom_id not in self._out:
                self._fresh.append(pending)
            if len(update.attributes) <= MAX_ATTRIBUTES and len(update.events) <= MAX_EVENTS:
                pending.attributes = update.attributes
                self._enter(pending, update.events, record)
                return
        elif pending.overflow is None and self._merge_whole(pending, update, record):
            return
        self._spread(pending, update, record, now)

    def take(self, limit: int) -> list[PendingUpdate]:
        """The oldest updates, at most `limit`, one a profile: none is overtaken by one that came later. They are out
        until `settle`."""
        taken: list[PendingUpdate] = []
        fresh, returned = self._fresh, self._returned
        while len(taken) < limit and (fresh or returned):
            if not returned or (fresh and fresh[0].arrived <= returned[0][0]):
                update = fresh.popleft()
            else:
                _, _, update = heapq.heappop(returned)
            self._take_out(update)
            taken.append(update)
        return taken

    def settle(self, updates: Iterable[PendingUpdate]) -> None:
        """Updates that were out are done with: what waited behind them may leave."""
        out, waiting = self._out, self._waiting
        for update in updates:
            custom_id = update.custom_id
            del out[custom_id]
            behind = waiting.get(custom_id)
            if behind is not None:
                self._order += 1
                heapq.heappush(self._returned, (behind.arrived, self._order, behind))
            self.records -= update.counted
            self.bytes -= update.bytes

    def forget(
        self, is_kept: Callable[[Record], bool], rebuild: Callable[[Record, str], ProfileUpdate], now: float
    ) -> None:
        """Drop what waits for records that are not kept. An update that stands for kept records as well is
        rebuilt from those, since what was merged cannot be taken apart; what left earlier is not repeated."""
        kept: dict[tuple[str, int], _Kept] = {}
        dropped: set[str] = set()
        for update in list(self._waiting.values()):
            chain = [update, *(update.overflow or ())]
            if all(is_kept(record) for part in chain for record in part.records):
                continue
            dropped.add(update.custom_id)
            for part in chain:
                self.records -= part.counted
                self.bytes -= part.bytes
                for record in filter(is_kept, part.records):
                    place = (update.custom_id, id(record))
                    if place in kept:
                        record.parts -= 1
                    mine = kept.setdefault(place, _Kept(record, update.arrived, set(), []))
                    mine.names.update(part.attributes)
                    mine.events.extend(event for event, owner in part.events if owner is record)
        for custom_id in dropped:
            del self._waiting[custom_id]
        self._fresh = deque(update for update in self._fresh if update.custom_id not in dropped)
        self._returned = [entry for entry in self._returned if entry[2].custom_id not in dropped]
        heapq.heapify(self._returned)
        for (custom_id, _), mine in sorted(kept.items(), key=lambda item: item[1].record.order):
            record, arrived, names, events = mine
            whole = rebuild(record, custom_id)
            attributes = {name: value for name, value in whole.attributes.items() if name in names}
            rest = whole._replace(attributes=attributes, events=tuple(events))
            self.add(rest, record, min(arrived, now))
        self._fresh = deque(sorted(self._fresh, key=lambda update: update.arrived))

    def _merge_whole(self, pending: PendingUpdate, update: ProfileUpdate, record: Record) -> bool:
        events = pending.events
        if len(events) + len(update.events) > MAX_EVENTS:
            return False
        attributes = pending.attributes
        new = update.attributes
        if (
            len(attributes) + len(new) > MAX_ATTRIBUTES
            and len(attributes.keys() | new.keys()) > MAX_ATTRIBUTES
        ):
            return False
        for value in new.values():
            if type(value) is ArrayDelta:
                return self._merge_deltas(pending, update, record)
        attributes.update(new)
        self._enter(pending, update.events, record)
        return True

    def _merge_deltas(self, pending: PendingUpdate, update: ProfileUpdate, record: Record) -> bool:
        merged: dict[str, AttributeValue] = {}
        for name, value in update.attributes.items():
            if isinstance(value, ArrayDelta) and name in pending.attributes:
                composed = compose(pending.attributes[name], value)
                if composed is None:
                    return False
                value = composed
            merged[name] = value
        pending.attributes.update(merged)
        self._enter(pending, update.events, record)
        return True

    def _enter(self, pending: PendingUpdate, events: Iterable[ProfileEvent], record: Record) -> None:
        weight = RECORD_OVERHEAD_BYTES + record.bytes
        for event in events:
            pending.events.append((event, record))
            weight += len(event.body)
        self._order += 1
        record.order = self._order
        pending.records.append(record)
        pending.counted += 1
        pending.bytes += weight
        self.bytes += weight
        self.records += 1

    def _spread(self, head: PendingUpdate, update: ProfileUpdate, record: Record, now: float) -> None:
        """Place each event and attribute in the first update of the chain that may hold it: events never go
        before an earlier event, nor an attribute's newer value before its older one."""
        if head.overflow is None:
            head.overflow = []
        chain = [head, *head.overflow]
        events: list[list[ProfileEvent]] = [[] for _ in chain]
        touched: set[int] = set()

        def room(index: int) -> int:
            if index == len(chain):
                chain.append(PendingUpdate(update.custom_id, now))
                events.append([])
                self.bytes += PROFILE_OVERHEAD_BYTES
            return index

        at = max((i for i, part in enumerate(chain) if part.events), default=0)
        for event in update.events:
            while len(chain[at].events) + len(events[at]) >= MAX_EVENTS:
                at = room(at + 1)
            events[at].append(event)
            touched.add(at)
        for name, value in update.attributes.items():
            at = _place(chain, name, value)
            part = chain[room(at)]
            part.attributes[name] = _merged(part, name, value)
            touched.add(at)
        head.overflow = chain[1:] or None
        touched = touched or {0}
        for index in sorted(touched):
            self._enter(chain[index], events[index], record)
        record.parts += len(touched) - 1

    def _take_out(self, update: PendingUpdate) -> None:
        custom_id = update.custom_id
        self._out[custom_id] = update
        overflow = update.overflow
        if overflow is None:
            del self._waiting[custom_id]
            return
        following = overflow[0]
        following.overflow = overflow[1:] or None
        update.overflow = None
        self._waiting[custom_id] = following


def _place(chain: Sequence[PendingUpdate], name: str, value: AttributeValue) -> int:
    """Where in the chain an attribute goes; len(chain) stands for a new update at its end."""
    last_used = 0
    for index in range(len(chain) - 1, -1, -1):
        attributes = chain[index].attributes
        if name in attributes:
            composable = not isinstance(value, ArrayDelta) or compose(attributes[name], value) is not None
            return index if composable else _with_room(chain, index + 1)
        if attributes and not last_used:
            last_used = index
    return _with_room(chain, last_used)


def _with_room(chain: Sequence[PendingUpdate], start: int) -> int:
    for index in range(start, len(chain)):
        if len(chain[index].attributes) < MAX_ATTRIBUTES:
            return index
    return len(chain)


def _merged(part: PendingUpdate, name: str, value: AttributeValue) -> AttributeValue:
    if isinstance(value, ArrayDelta) and name in part.attributes:
        return compose(part.attributes[name], value)
    return value
