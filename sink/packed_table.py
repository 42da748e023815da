"""Very many small values by key, in little memory: a dict of as many small objects takes three times as much."""

from __future__ import annotations

from collections import deque
from struct import Struct

ENTRIES_A_SLOT = 4
AGES = 256
HASH = Struct("=q")
HEAD = Struct("=qIB")
"""Of an entry, before its value: the hash of its key, its age, and how long the value is."""


class PackedTable:
    """The latest values, of at most `most` keys, each of at most 255 bytes; it takes about 40 bytes more.

    A key is known by its 64-bit hash alone, which is searched for among the bytes of a slot: that others are the same
    by chance is as unlikely as that two keys have one hash. It belongs to one of many slots, each the entries of a few
    keys, oldest first. An age is so many entries that were added one after another: when there are too many keys,
    those of the earliest age count no more, and leave their slots when something is added there.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._slots = [b""] * max(1, most // ENTRIES_A_SLOT)
        self._most_of_an_age = max(1, most // AGES)
        self._earliest = 0
        self._closed: deque[int] = deque()
        """Keys by age, from the earliest on, but for the newest."""
        self._in_closed = 0
        self._in_newest = 0

    def __len__(self) -> int:
        return self._in_closed + self._in_newest

    def pop(self, key: str) -> bytes | None:
        """Take the key out. Its value, if it was there."""
        hashed = hash(key)
        index = hashed % len(self._slots)
        slot = self._slots[index]
        at = slot.find(HASH.pack(hashed)) if slot else -1
        if at < 0:
            return None
        _, age, length = HEAD.unpack_from(slot, at)
        start = at + HEAD.size
        end = start + length
        self._slots[index] = slot[:at] + slot[end:]
        if age < self._earliest:
            return None
        if age == self._earliest + len(self._closed):
            self._in_newest -= 1
        else:
            self._closed[age - self._earliest] -= 1
            self._in_closed -= 1
        return slot[start:end]

    def add(self, key: str, value: bytes) -> None:
        """Enter a key that is not there."""
        if self._in_newest == self._most_of_an_age:
            self._begin_age()
        hashed = hash(key)
        index = hashed % len(self._slots)
        slot = self._slots[index]
        head = HEAD.pack(hashed, self._earliest + len(self._closed), len(value))
        self._slots[index] = slot[self._dead_bytes(slot) :] + head + value
        self._in_newest += 1

    def _begin_age(self) -> None:
        self._closed.append(self._in_newest)
        self._in_closed += self._in_newest
        self._in_newest = 0
        while self._in_closed + self._most_of_an_age > self._most:
            self._in_closed -= self._closed.popleft()
            self._earliest += 1

    def _dead_bytes(self, slot: bytes) -> int:
        at = 0
        while at < len(slot):
            _, age, length = HEAD.unpack_from(slot, at)
            if age >= self._earliest:
                break
            at += HEAD.size + length
        return at
