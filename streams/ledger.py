"""Which records of one partition are done, and what may be committed.

One ledger a partition and assignment, on the event loop only. A chunk is entered when it is fetched; nothing but the
end of a record (accepted, skipped, dead-lettered) completes it. What may be committed is the first record not done, or
the fetch position when all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from streams.commit_metadata import DONE, ROOM_OFFSETS

OPEN = 0
UNSEEN = 2
LARGEST_FETCH = 2000
FULL_WINDOW = ROOM_OFFSETS - LARGEST_FETCH - 200
"""Offsets beyond the commit point at which a partition reads no further; the rest is room for what a fetch brings."""

_ASSIGNMENTS = count()


class Committable(NamedTuple):
    """What a commit would say: the next offset to read, and which offsets from there on are done already."""

    offset: int
    done: bytes


class Ledger:
    """The records of one partition during one assignment."""

    __slots__ = (
        "_start",
        "_states",
        "assignment",
        "committed",
        "entered",
        "forgotten",
        "open",
        "partition",
        "position",
        "sending",
        "topic",
    )

    def __init__(
        self, topic: str, partition: int, start: int, done: bytes = b"", *, committed: bool = True
    ) -> None:
        """`start` is the offset that is fetched first; `done` says which offsets from there on were done by an
        earlier owner; `committed` whether the group has committed `start`."""
        self.topic = topic
        self.partition = partition
        self.assignment = next(_ASSIGNMENTS)
        """Its number: no other ledger of this process has it, before or after."""
        self._start = start
        self._states = bytearray(done).replace(bytes((OPEN,)), bytes((UNSEEN,)))
        self.position = start
        """The next offset to be fetched."""
        self.entered = 0
        """Records fetched, in all."""
        self.open = 0
        """Records fetched and not done."""
        self.sending = True
        """False once the partition is being revoked: nothing new is sent for it."""
        self.forgotten = False
        """True once the partition is no longer ours: completions count for nothing."""
        self.committed: Committable | None = Committable(start, bytes(done)) if committed else None
        """What the group is known to have committed."""

    @property
    def completed(self) -> int:
        """Records done, in all."""
        return self.entered - self.open

    @property
    def window(self) -> int:
        """Offsets between the commit point and the fetch position."""
        return self.position - self.first_open()

    @property
    def full(self) -> bool:
        """Whether reading further could leave more done records beyond the commit than its metadata holds."""
        return len(self._states) > FULL_WINDOW and self.window > FULL_WINDOW

    def enter(self, offsets: Sequence[int]) -> list[int] | None:
        """Enter fetched records by their ascending offsets. None if all of them are new; else the indexes of
        those that are: the others are in flight or done, and are not handed on."""
        first, last = offsets[0], offsets[-1]
        end = self._start + len(self._states)
        if first == self.position == end and last - first + 1 == len(offsets):
            self._states += bytes(len(offsets))
            self.position = last + 1
            self.open += len(offsets)
            self.entered += len(offsets)
            return None
        fresh = [index for index, offset in enumerate(offsets) if self._enter_one(offset)]
        self.open += len(fresh)
        self.entered += len(fresh)
        return None if len(fresh) == len(offsets) else fresh

    def advance(self, position: int) -> None:
        """The fetch position passed offsets that hold no record: transaction markers, compacted records."""
        self.position = max(self.position, min(position, self._start))
        while self.position < position:
            index = self.position - self._start
            if index >= len(self._states):
                self._states += bytes((DONE,)) * (position - self.position)
                self.position = position
            else:
                if self._states[index] == UNSEEN:
                    self._states[index] = DONE
                self.position += 1

    def complete(self, offset: int) -> None:
        """A record is done. Counts for nothing once the partition is forgotten."""
        index = offset - self._start
        if not self.forgotten and 0 <= index < len(self._states) and self._states[index] == OPEN:
            self._states[index] = DONE
            self.open -= 1

    def first_open(self) -> int:
        """The first offset that is not done: what may be committed."""
        states = self._states
        first = states.find(OPEN)
        unseen = states.find(UNSEEN, 0, first if first >= 0 else len(states))
        ends = [index for index in (first, unseen) if index >= 0]
        return self._start + (min(ends) if ends else len(states))

    def committable(self) -> Committable | None:
        """What to commit, if it differs from what is committed."""
        offset = self.first_open()
        del self._states[: offset - self._start]
        self._start = offset
        states = self._states
        done = states[: states.rfind(DONE) + 1].replace(bytes((UNSEEN,)), bytes((OPEN,)))
        state = Committable(offset, bytes(done))
        return None if state == self.committed else state

    def _enter_one(self, offset: int) -> bool:
        if offset < self.position:
            return False
        self.advance(offset)
        index = offset - self._start
        self.position = offset + 1
        if index < 0:
            return False
        if index < len(self._states):
            if self._states[index] == DONE:
                return False
            self._states[index] = OPEN
        else:
            self._states.append(OPEN)
        return True
