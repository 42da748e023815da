"""How far the sending is: the profiles in stretches of 10,000 numbers, each with which of them are done.

A stretch is opened before anything of it is sent, and closed when whatever was in flight of it has surely been applied:
`settle_s` after its last answer, and not before the live stream was read to the end that it had then. What the live
stream says of a profile between the two may have been overwritten by our call, and is repaired.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from sink.client import MASS_MAX_UPDATES
from streams.backfill.store import Store

SIZE = MASS_MAX_UPDATES

Ends: TypeAlias = dict[str, dict[int, int]]
"""Offsets by topic and partition."""


@dataclass(slots=True)
class Stretch:
    """Profiles `first` to `last`."""

    number: int
    first: int
    last: int
    done: bytearray
    """A byte a profile: 1 once it needs no more sending."""
    left: int
    opened: bool = False
    """Something of it may have been sent, by this process or an earlier one."""
    taken: bool = False
    """This process has it in hand."""
    settled_at: float | None = None
    """When the last of its profiles was answered, seconds since 1970."""
    closed: Ends | None = None
    """The ends of the live topics when it was closed."""


class Stretches:
    """The stretches of one backfill, in memory and in its state."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all = [_read(*row) for row in store.execute("select * from stretches order by number")]

    def make(self, profiles: int) -> None:
        """Divide so many profiles, once."""
        for number, first in enumerate(range(1, profiles + 1, SIZE)):
            last = min(first + SIZE - 1, profiles)
            self._all.append(Stretch(number, first, last, bytearray(last - first + 1), last - first + 1))
            self._save(self._all[-1])

    def __iter__(self) -> Iterator[Stretch]:
        return iter(self._all)

    def of(self, profile: int) -> Stretch:
        """The stretch of a profile's number."""
        return self._all[(profile - 1) // SIZE]

    @property
    def left(self) -> int:
        """Profiles that still need sending."""
        return sum(stretch.left for stretch in self._all)

    @property
    def open(self) -> list[Stretch]:
        """Stretches of which something may not have been applied yet."""
        return [stretch for stretch in self._all if stretch.opened and stretch.closed is None]

    def next(self) -> Stretch | None:
        """The first that has something to send and is not in hand."""
        return next((stretch for stretch in self._all if stretch.left and not stretch.taken), None)

    def take(self, stretch: Stretch) -> None:
        """Before anything of it is sent."""
        stretch.taken = stretch.opened = True
        self._save(stretch)

    def mark_done(self, profile: int) -> Stretch | None:
        """A profile needs no more sending; its stretch, if that was the last one of it. Not put down until `save`."""
        stretch = self.of(profile)
        if stretch.done[profile - stretch.first]:
            return None
        stretch.done[profile - stretch.first] = 1
        stretch.left -= 1
        if stretch.left:
            return None
        stretch.settled_at = time.time()
        return stretch

    def save(self, stretches: set[int]) -> None:
        """Put these down."""
        for number in stretches:
            self._save(self._all[number])

    def give_up_rest(self) -> None:
        """Nothing more is to be sent: what was opened is settled now."""
        for stretch in self.open:
            stretch.settled_at = stretch.settled_at or time.time()
            self._save(stretch)

    def close(self, stretch: Stretch, ends: Ends) -> None:
        """Everything of it has been applied; the live stream has these ends."""
        stretch.closed = ends
        self._save(stretch)

    def is_exposed(self, profile: int, topic: str, partition: int, offset: int) -> bool:
        """Whether a call of ours may be applied after what the live stream says of the profile at this offset."""
        stretch = self.of(profile)
        if stretch.closed is not None:
            return offset < stretch.closed.get(topic, {}).get(partition, 0)
        return stretch.opened

    def _save(self, stretch: Stretch) -> None:
        self._store.execute(
            "insert or replace into stretches values (?, ?, ?, ?, ?, ?, ?)",
            (
                stretch.number,
                stretch.first,
                stretch.last,
                bytes(stretch.done),
                stretch.opened,
                stretch.settled_at,
                None
                if stretch.closed is None
                else orjson.dumps(stretch.closed, option=orjson.OPT_NON_STR_KEYS),
            ),
        )


def _read(
    number: int,
    first: int,
    last: int,
    done: bytes,
    opened: int,
    settled_at: float | None,
    closed: bytes | None,
) -> Stretch:
    ends: dict[str, dict[str, Any]] | None = None if closed is None else orjson.loads(closed)
    return Stretch(
        number,
        first,
        last,
        bytearray(done),
        done.count(0),
        bool(opened),
        False,
        settled_at,
        None if ends is None else {t: {int(p): o for p, o in at.items()} for t, at in ends.items()},
    )
