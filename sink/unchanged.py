"""What Batch last accepted from us: attributes that would only say it again are not sent.

Known for the latest profiles, in memory, as hashes. It is forgotten whenever it might not be so any more: before a call
leaves, and when the partition that brings the profile's records is given up. To send too much does no harm.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import orjson

from mapping.profile import ArrayDelta, AttributeValue
from sink.client import PartialError
from sink.coalescer import PendingUpdate
from sink.encoding import bare_name
from sink.settlement import Settlement

UNCHANGED = "unchanged"
CONSENTS = ("$email_marketing", "$sms_marketing")
"""Attributes that people change in Batch itself, by unsubscribing: always sent."""
LONGEST_BYTES = 150
"""Of what is known of a profile; one of which more would have to be known is not remembered."""
DOUBT_S = 300.0
"""A call that was cut may be applied so long after: what Batch holds then is not known."""
EVICTED_AT_ONCE = 64
"""Part of the profiles that is forgotten when they are too many: to look for the oldest one by one is slow."""
REMEMBERED_PER_S = 2_000
REMEMBERED_AT_ONCE = 10_000
"""Updates that are remembered. Batch takes 300 a second; where any number is taken there is nothing to save, and to
compare and remember them all would cost a tenth of the CPU."""
MOST_SHAPES = 10_000
NAMES = 0xFFFF
ALWAYS_SENT = 0
PLAIN = frozenset({str, bool})
"""Types whose hash tells values apart; the hashes of -1 and -2, and those of 1, 1.0 and True, are alike."""

Known: TypeAlias = tuple[object, float, bytes, bytes]
"""What is known of one profile: its home (see `sink.settlement.Settlement`), when the oldest of it was accepted, and of
each attribute 16 bits of its name's hash, and 64 bits of the hash of name, form and value."""


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
        self._known: dict[str, Known] = {}
        """By custom_id; those that were sent or left out last are at the end."""
        self._doubted: dict[str, float] = {}
        self._doubts: deque[tuple[float, str]] = deque()
        self._shapes: dict[tuple[str, ...], bytes] = {}
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
            known = self._known.pop(update.custom_id, None)
            if known is not None and worthwhile:
                self._leave_out(update, known, settlement)
                if not update.attributes and not update.events:
                    self._known[update.custom_id] = known
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
        self._evict()

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

    def _evict(self) -> None:
        excess = len(self._known) - self._max_profiles
        if excess > 0:
            for custom_id in list(islice(self._known, excess + self._max_profiles // EVICTED_AT_ONCE)):
                del self._known[custom_id]

    def _leave_out(self, update: PendingUpdate, known: Known, settlement: Settlement) -> None:
        """Take from the update what Batch has, if that is known for sure."""
        home, since, _, _ = known
        if since <= self._clock() - self._ttl_s or settlement.home(update) is not home:
            return
        update.known = known
        if settlement.says_again(update):
            return
        has, attributes = _by_name(known), update.attributes
        new = {
            name: attributes[name]
            for name, hashed in zip(attributes, _hashes(attributes), strict=True)
            if hashed == ALWAYS_SENT or has.get(hash(name) & NAMES) != hashed
        }
        if len(new) < len(attributes):
            update.attributes = new

    def _enter(self, update: PendingUpdate, home: object, refused: Collection[str], now: float) -> None:
        known: Known | None = update.known
        hashes = _hashes(update.attributes)
        if known is None and not refused and ALWAYS_SENT not in hashes:
            since, names, packed = now, self._names(update.attributes), array("q", hashes).tobytes()
        else:
            since, names, packed = _merged(known, update.attributes, hashes, refused, now)
        if packed and len(names) + len(packed) <= LONGEST_BYTES:
            self._known[update.custom_id] = (home, since, names, packed)

    def _names(self, attributes: Mapping[str, AttributeValue]) -> bytes:
        shape = tuple(attributes)
        names = self._shapes.get(shape)
        if names is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            names = self._shapes[shape] = array("H", [hash(name) & NAMES for name in shape]).tobytes()
        return names


def settle_unchanged(update: PendingUpdate, settlement: Settlement) -> None:
    """Nothing is left of the update that Batch does not have."""
    for record in update.records:
        settlement.skipped(record, UNCHANGED)


def _by_name(known: Known) -> dict[int, int]:
    return dict(zip(array("H", known[2]), array("q", known[3]), strict=True))


def _merged(
    known: Known | None,
    attributes: Iterable[str],
    hashes: Iterable[int],
    refused: Collection[str],
    now: float,
) -> tuple[float, bytes, bytes]:
    """What is known after the attributes were accepted, but for those that were refused, and since when."""
    has = {} if known is None else _by_name(known)
    for name, hashed in zip(attributes, hashes, strict=True):
        if hashed == ALWAYS_SENT or name in refused:
            has.pop(hash(name) & NAMES, None)
        else:
            has[hash(name) & NAMES] = hashed
    return now if known is None else known[1], array("H", has).tobytes(), array("q", has.values()).tobytes()


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
