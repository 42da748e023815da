"""Writes letters back to where their records came from, each once."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from streams.commands.dead_letters.marks import replayed_mark
from streams.commands.dead_letters.originals import Originals
from streams.commands.dead_letters.topics import Place, Stored
from streams.commands.dead_letters.transactions import RecordRefused, Transactions
from streams.letter import Letter
from streams.replay_headers import Replay, ReplayLate, replay_headers

TRANSACTION_TIMEOUT_S = 10.0
"""A transaction holds up the live stream's readers while it is open: it ends in milliseconds, or is aborted soon."""
LARGEST_TRANSACTION = 500
LARGEST_TRANSACTION_BYTES = 8_000_000

LATE_REASON = "event_too_old"
VALUE_GONE = "its value was too large for the dead letters, and its record is gone"
NEVER_A_RECORD = (
    "an update of a backfill that was too large for the dead letters: raise max.message.bytes of their topic, and "
    "bring that user over again"
)


def choose(
    letters: Iterable[Stored], sources: Collection[str], delivered: bool, left_out: Counter[str]
) -> Iterator[Stored]:
    """The letters to replay, of these source topics; the others are counted in `left_out`, by why."""
    for stored in letters:
        if stored.replayed:
            left_out["already replayed"] += 1
        elif stored.letter.delivered and not delivered:
            left_out["delivered (--delivered takes them too)"] += 1
        elif stored.letter.topic not in sources:
            left_out["of a source that is not in kafka.topics"] += 1
        else:
            yield stored


@dataclass(slots=True)
class Replaying:
    """A replay on its way."""

    transactions: Transactions
    originals: Originals
    late: ReplayLate | None
    all_profiles: bool
    """The letter's part is asked of every profile that the record speaks of."""
    rate: float
    """Records a second."""
    asked_to_stop: threading.Event
    report: Callable[[int], None]
    """Takes how many letters have been gone through."""
    written: int = 0
    passed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Letters that cannot be replayed, by why."""

    def run(self, letters: Iterable[Stored]) -> None:
        """Replay these letters, until the end or until it is asked to stop."""
        started = time.monotonic()
        for batch in _batches(letters, self.rate):
            if self.asked_to_stop.is_set():
                return
            self._write(self._with_values(batch))
            self.passed += len(batch)
            self.report(self.passed)
            ahead_s = started + self.written / self.rate - time.monotonic()
            if ahead_s > 0:
                self.asked_to_stop.wait(ahead_s)

    def _write(self, batch: list[tuple[Stored, bytes]]) -> None:
        """One transaction; a batch with a letter that Kafka refuses is taken apart."""
        if not batch:
            return
        try:
            self._write_at_once(batch)
            self.written += len(batch)
        except RecordRefused as refusal:
            if len(batch) == 1:
                self.refused[str(refusal)] += 1
                return
            middle = len(batch) // 2
            self._write(batch[:middle])
            self._write(batch[middle:])

    def _write_at_once(self, batch: list[tuple[Stored, bytes]]) -> None:
        written: dict[Place, list[int]] = defaultdict(list)
        self.transactions.begin()
        for stored, value in batch:
            letter = stored.letter
            headers = [*letter.own, *replay_headers(self._asked(letter))]
            self.transactions.write(letter.topic, letter.partition, stored.message.key(), value, headers)
            written[stored.place].append(stored.offset)
        for place, offsets in written.items():
            mark = replayed_mark(offsets)
            self.transactions.write(*place, mark.key, mark.value, mark.headers)
        self.transactions.commit()

    def _asked(self, letter: Letter) -> Replay:
        return Replay(letter.part, self.late, "" if self.all_profiles else letter.profile)

    def _with_values(self, batch: list[Stored]) -> list[tuple[Stored, bytes]]:
        """The letters with the values of their records; without those whose value Kafka does not have any more."""
        found = []
        for stored in batch:
            letter = stored.letter
            value = stored.message.value()
            if letter.value_left_out and not letter.backfill:
                value = self.originals.value(letter.topic, letter.partition, letter.offset)
            if value is None:
                self.refused[NEVER_A_RECORD if letter.backfill else VALUE_GONE] += 1
            else:
                found.append((stored, value))
        return found


def _batches(letters: Iterable[Stored], rate: float) -> Iterator[list[Stored]]:
    """At most what goes in a second, so that the stream of replayed records is even."""
    most = max(1, min(LARGEST_TRANSACTION, round(rate)))
    batch: list[Stored] = []
    size = 0
    for stored in letters:
        batch.append(stored)
        size += len(stored.message)
        if len(batch) >= most or size >= LARGEST_TRANSACTION_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
