"""What the records that were fetched and are not done wait for, partition by partition.

Looked up when somebody asks: it goes over every record in hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from sink.attempts import Stage
from sink.coalescer import Coalescer
from sink.delivery import Delivery
from sink.limiter import Limiter
from streams.dead_letters import DeadLetterWriter
from streams.ledger import Ledger
from streams.records import Record


class Waits(StrEnum):
    """What a record waits for."""

    MAPPING = "mapping"
    TOKENS = "tokens"
    PLACE = "place"
    """Fewer calls under way."""
    EARLIER = "earlier"
    """Another part of its call, which was taken apart."""
    ANSWER = "answer"
    RETRY = "retry"
    BREAKER = "breaker"
    """Batch to take calls again, or the worker to end its standstill."""
    DEAD_LETTER = "dead_letter"


_OF_STAGE = {
    Stage.TOKENS: Waits.TOKENS,
    Stage.PLACE: Waits.PLACE,
    Stage.ANSWER: Waits.ANSWER,
    Stage.RETRY: Waits.RETRY,
    Stage.BATCH: Waits.BREAKER,
}


@dataclass(slots=True)
class Hand:
    """The records in hand of one partition."""

    counts: Counter[Waits] = field(default_factory=Counter)
    """A record that is spread over several updates counts for each."""
    oldest: Record | None = None
    oldest_waits: Waits | None = None

    def add(self, record: Record, waits: Waits) -> None:
        """One more record, or one more part of it."""
        self.counts[waits] += 1
        if self.oldest is None or record.offset < self.oldest.offset:
            self.oldest, self.oldest_waits = record, waits


class InHand:
    """Looks at everything that holds records."""

    def __init__(
        self,
        coalescer: Coalescer,
        limiter: Limiter,
        delivery: Delivery,
        letters: DeadLetterWriter,
        held_back: Callable[[], Iterable[Record]],
    ) -> None:
        """`held_back` gives the first record of each partition that a limit of the dead letters holds back."""
        self._coalescer = coalescer
        self._limiter = limiter
        self._delivery = delivery
        self._letters = letters
        self._held_back = held_back

    def look(self) -> dict[Ledger, Hand]:
        """The hands that are not empty. Records that are in nobody's hands yet, because they are still to be mapped,
        are not in them."""
        hands: dict[Ledger, Hand] = {}
        of_calls = {
            update.custom_id: _OF_STAGE[call.stage]
            for call in self._delivery.calls
            for update in call.updates
        }
        if self._delivery.held or self._delivery.opening is not None:
            ready = Waits.BREAKER
        else:
            short = self._limiter.waiting or self._delivery.reading_first
            ready = Waits.TOKENS if short else Waits.PLACE
        resting = any(call.stage in (Stage.TOKENS, Stage.RETRY, Stage.BATCH) for call in self._delivery.calls)
        other_part = Waits.RETRY if resting else Waits.EARLIER
        profiles_out: set[str] = set()
        for update, is_out in self._coalescer.everything():
            if is_out:
                profiles_out.add(update.custom_id)
            behind = update.custom_id in profiles_out
            waits = of_calls.get(update.custom_id, other_part) if behind else ready
            for record in cast("list[Record]", update.records):
                self._add(hands, record, waits)
        for record in (*self._letters.unconfirmed(), *self._held_back()):
            self._add(hands, record, Waits.DEAD_LETTER)
        return hands

    @staticmethod
    def _add(hands: dict[Ledger, Hand], record: Record, waits: Waits) -> None:
        hand = hands.get(record.ledger)
        if hand is None:
            hand = hands[record.ledger] = Hand()
        hand.add(record, waits)
