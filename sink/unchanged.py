"""What Batch last accepted from us: attributes that would only say it again are not sent.

Known for the latest profiles, in memory, as hashes. It is forgotten whenever it might not be so any more: before a call
leaves, and when the partition that brings the profile's records is given up. To send too much does no harm.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from struct import Struct
from typing import NamedTuple

import orjson

from mapping.profile import ArrayDelta, AttributeValue
from sink.client import PartialError
from sink.coalescer import PendingUpdate
from sink.encoding import bare_name
from sink.packed_table import PackedTable
from sink.settlement import Settlement

UNCHANGED = "unchanged"
CONSENTS = ("$email_marketing", "$sms_marketing")
"""Attributes that people change in Batch itself, by unsubscribing: always sent."""
MOST_VALUES = 15
"""Known of a profile, 10 bytes each; one of which more would have to be known is not remembered."""
DOUBT_S = 300.0
"""A call that was cut may be applied so long after: what Batch holds then is not known."""
REMEMBERED_PER_S = 2_000
REMEMBERED_AT_ONCE = 10_000
"""Updates that are remembered. Batch takes 300 a second; where any number is taken there is nothing to save, and to
compare and remember them all would cost a tenth of the CPU."""
MOST_SHAPES = 10_000
NAMES = 0xFFFF
ALWAYS_SENT = 0
PLAIN = frozenset({str, bool})
"""Types whose hash tells values apart; the hashes of -1 and -2, and those of 1, 1.0 and True, are alike."""

HEAD_BYTES = 8
VALUE_BYTES = 10


class Known(NamedTuple):
    """What is known of one profile."""

    home: int
    """See `sink.settlement.Settlement`."""
    since: int
    """In which second the oldest of it was accepted."""
    values: dict[int, int]
    """By 16 bits of the hash of an attribute's name: 64 bits of the hash of its name, form and value."""


class LastAccepted:
    """What Batch last accepted, of at most `max_profiles` profiles (0: of none), for `ttl_s` seconds."""

    def __init__(
        self, max_profiles: int = 0, ttl_s: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_profiles = max_profiles
        self._ttl_s = ttl_s
        self._clock = clock
        self._budget = float(REMEMBERED_AT_ONCE)
        self._budgeted_at = clock()
        self._known = PackedTable(max_profiles)
        """By custom_id."""
        self._doubted: dict[str, float] = {}
        self._doubts: deque[tuple[float, str]] = deque()
        self._shapes: dict[tuple[str, ...], list[int]] = {}
        """The hashes of names by the names: many updates have the same."""

    def __len__(self) -> int:
        return len(self._known)

    def before_call(
        self, updates: Sequence[PendingUpdate], settlement: Settlement
    ) -> tuple[list[PendingUpdate], list[PendingUpdate]]:
        """Leave out what Batch has, and forget what is known of the profiles, until `accepted`. The updates that have
        something to say, and those that have nothing: their records are settled as `unchanged`."""
        sendable: list[PendingUpdate] = []
        unchanged: list[PendingUpdate] = []
        worthwhile = self._is_worthwhile(len(updates), self._clock())
        for update in updates:
            packed = self._known.pop(update.custom_id)
            if packed is not None and worthwhile:
                self._leave_out(update, _unpacked(packed), settlement)
                if not update.attributes and not update.events:
                    self._known.add(update.custom_id, packed)
                    settle_unchanged(update, settlement)
                    unchanged.append(update)
                    continue
            sendable.append(update)
        return sendable, unchanged

    def accepted(
        self, updates: Sequence[PendingUpdate], errors: Iterable[PartialError], settlement: Settlement
    ) -> None:
        """Batch took these updates, but for the fields that `errors` name."""
        now = self._clock()
        if not self._max_profiles or not self._is_worthwhile(len(updates), now):
            return
        refused: dict[int, set[str]] = {}
        for error in errors:
            if not 0 <= error.bulk_index < len(updates):
                return
            if error.attribute is not None:
                refused.setdefault(error.bulk_index, set()).add(bare_name(error.attribute))
        self._end_doubts(now)
        for index, update in enumerate(updates):
            home = settlement.home(update)
            if home is not None and update.custom_id not in self._doubted:
                self._enter(update, home, refused.get(index, ()), now)
        self._budget -= len(updates)

    def doubt(self, updates: Iterable[PendingUpdate]) -> None:
        """A call with these updates was cut: it may be applied at any time within `DOUBT_S`."""
        if self._max_profiles:
            until = self._clock() + DOUBT_S
            for update in updates:
                self._doubted[update.custom_id] = until
                self._doubts.append((until, update.custom_id))

    def _is_worthwhile(self, updates: int, now: float) -> bool:
        """Whether so few updates were accepted of late that tokens may be the limit."""
        self._budget = min(REMEMBERED_AT_ONCE, self._budget + (now - self._budgeted_at) * REMEMBERED_PER_S)
        self._budgeted_at = now
        return self._budget >= updates

    def _end_doubts(self, now: float) -> None:
        while self._doubts and self._doubts[0][0] <= now:
            until, custom_id = self._doubts.popleft()
            if self._doubted.get(custom_id) == until:
                del self._doubted[custom_id]

    def _leave_out(self, update: PendingUpdate, known: Known, settlement: Settlement) -> None:
        """Take from the update what Batch has, if that is known for sure."""
        if known.since <= self._clock() - self._ttl_s or settlement.home(update) != known.home:
            return
        update.known = known
        if settlement.says_again(update):
            return
        has, attributes = known.values, update.attributes
        new = {
            name: attributes[name]
            for name, hashed in zip(attributes, _hashes(attributes), strict=True)
            if hashed == ALWAYS_SENT or has.get(hash(name) & NAMES) != hashed
        }
        if len(new) < len(attributes):
            update.attributes = new

    def _enter(self, update: PendingUpdate, home: int, refused: Collection[str], now: float) -> None:
        known: Known | None = update.known
        names, hashes = self._names(update.attributes), _hashes(update.attributes)
        if known is not None or refused or ALWAYS_SENT in hashes:
            has = {} if known is None else dict(known.values)
            for attribute, name, hashed in zip(update.attributes, names, hashes, strict=True):
                if hashed == ALWAYS_SENT or attribute in refused:
                    has.pop(name, None)
                else:
                    has[name] = hashed
            names, hashes = list(has), list(has.values())
        if 0 < len(hashes) <= MOST_VALUES:
            since = int(now) if known is None else known.since
            self._known.pop(update.custom_id)
            self._known.add(update.custom_id, _layout(len(hashes)).pack(home, since, *hashes, *names))

    def _names(self, attributes: Mapping[str, AttributeValue]) -> list[int]:
        shape = tuple(attributes)
        names = self._shapes.get(shape)
        if names is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            names = self._shapes[shape] = [hash(name) & NAMES for name in shape]
        return names


def settle_unchanged(update: PendingUpdate, settlement: Settlement) -> None:
    """Nothing is left of the update that Batch does not have."""
    for record in update.records:
        settlement.skipped(record, UNCHANGED)


@cache
def _layout(values: int) -> Struct:
    """Of what is known of a profile: home, since, and so many values and names."""
    return Struct(f"=II{values}q{values}H")


def _unpacked(packed: bytes) -> Known:
    values = (len(packed) - HEAD_BYTES) // VALUE_BYTES
    home, since, *rest = _layout(values).unpack(packed)
    return Known(home, since, dict(zip(rest[values:], rest[:values], strict=True)))


def _hashes(attributes: Mapping[str, AttributeValue]) -> list[int]:
    """Of name, form and value of each; `ALWAYS_SENT` where one is deleted, an array changed, a consent set."""
    hashes = [hash(item) if type(item[1]) in PLAIN else _hash(*item) for item in attributes.items()]
    for consent in CONSENTS:
        if consent in attributes:
            hashes[list(attributes).index(consent)] = ALWAYS_SENT
    return hashes


def _hash(name: str, value: AttributeValue) -> int:
    if value is None or isinstance(value, ArrayDelta):
        return ALWAYS_SENT
    return hash((name, type(value), value if isinstance(value, str) else orjson.dumps(value)))
