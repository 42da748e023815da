"""Very many small values by key, in little memory: a dict of as many small objects takes four times as much."""

from __future__ import annotations

from collections import deque
from struct import Struct

ENTRIES_A_SLOT = 4
AGES = 256
HASH = Struct("=q")
REST = Struct("=IB")
"""Of an entry, between the hash of its key and its value: its age, and how long the value is."""
HEAD_BYTES = HASH.size + REST.size


class PackedTable:
    """The latest values, of at most `most` keys, each of at most 255 bytes; it takes about 25 bytes more.

    A key is known by its 64-bit hash alone. It belongs to one of many slots, each the entries of a few keys, oldest
    first. An age is so many entries that were added one after another: when there are too many keys, those of the
    earliest age count no more, and leave their slots when something is added there.
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

    def get(self, key: str) -> bytes | None:
        """The value of the key."""
        hashed = hash(key)
        return self._value(self._slots[hashed % len(self._slots)], HASH.pack(hashed))

    def pop(self, key: str) -> bytes | None:
        """Take the key out. Its value, if it was there."""
        hashed = hash(key)
        index = hashed % len(self._slots)
        slot = self._slots[index]
        at = slot.find(HASH.pack(hashed)) if slot else -1
        if at < 0:
            return None
        age, length = REST.unpack_from(slot, at + HASH.size)
        end = at + HEAD_BYTES + length
        self._slots[index] = slot[:at] + slot[end:]
        if age < self._earliest:
            return None
        if age == self._earliest + len(self._closed):
            self._in_newest -= 1
        else:
            self._closed[age - self._earliest] -= 1
            self._in_closed -= 1
        return slot[at + HEAD_BYTES : end]

    def setdefault(self, key: str, value: bytes) -> bytes | None:
        """The value of the key; None if there was none, and now it is this."""
        if self._in_newest == self._most_of_an_age:
            self._begin_age()
        hashed = hash(key)
        index = hashed % len(self._slots)
        slot, packed = self._slots[index], HASH.pack(hashed)
        if slot:
            known = self._value(slot, packed)
            if known is not None:
                return known
            slot = slot[self._dead_bytes(slot) :]
        rest = REST.pack(self._earliest + len(self._closed), len(value))
        self._slots[index] = slot + packed + rest + value
        self._in_newest += 1
        return None

    def _value(self, slot: bytes, packed: bytes) -> bytes | None:
        at = slot.find(packed)
        if at < 0:
            return None
        age, length = REST.unpack_from(slot, at + HASH.size)
        start = at + HEAD_BYTES
        return slot[start : start + length] if age >= self._earliest else None

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
            age, length = REST.unpack_from(slot, at + HASH.size)
            if age >= self._earliest:
                break
            at += HEAD_BYTES + length
        return at
