"""Notices a partition that makes no progress although nothing explains it: a bug, or a call that never ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from sink.delivery import Delivery
from streams.in_hand import Hand, InHand, Waits
from streams.ledger import Ledger

LONGEST_PAUSE_S = 5.0
EXPLAINED = frozenset({Waits.TOKENS, Waits.RETRY, Waits.BREAKER, Waits.DEAD_LETTER})
"""A partition with a record that waits for one of these is not stuck: it goes on when that comes."""

log = structlog.get_logger("segbatch.watchdog")


class Watchdog:
    """Looks at the ledgers every few seconds."""

    def __init__(
        self,
        after_s: float,
        ledgers: Callable[[], Iterable[Ledger]],
        in_hand: InHand,
        delivery: Delivery,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._after_s = after_s
        self._ledgers = ledgers
        self._in_hand = in_hand
        self._delivery = delivery
        self._clock = clock
        self._moved: dict[Ledger, tuple[int, float]] = {}
        self._stuck: dict[Ledger, float] = {}

    @property
    def problem(self) -> str:
        """Which partitions are stuck, a sentence for a person; empty if none is."""
        if not self._stuck:
            return ""
        named = ", ".join(sorted(f"{ledger.topic}[{ledger.partition}]" for ledger in self._stuck))
        return (
            f"no record of {named} was completed for more than watchdog_s ({self._after_s:.0f} s), and nothing "
            "explains it; the log says what waits"
        )

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(min(LONGEST_PAUSE_S, self._after_s / 4))
            self.look()

    def look(self) -> None:
        """Find the partitions that are stuck now."""
        now = self._clock()
        waits = self._delivery.held or self._delivery.opening is not None
        moved: dict[Ledger, tuple[int, float]] = {}
        for ledger in self._ledgers():
            before = self._moved.get(ledger)
            still = before is not None and before[0] == ledger.completed and ledger.open > 0 and not waits
            moved[ledger] = before if before is not None and still else (ledger.completed, now)
        self._moved = moved
        late = {ledger: now - since for ledger, (_, since) in moved.items() if now - since >= self._after_s}
        hands = self._in_hand.look() if late else {}
        stuck = {
            ledger: seconds
            for ledger, seconds in late.items()
            if EXPLAINED.isdisjoint(hands.get(ledger, Hand()).counts)
        }
        for ledger in stuck.keys() - self._stuck.keys():
            self._tell(ledger, stuck[ledger], hands.get(ledger, Hand()))
        self._stuck = stuck

    def _tell(self, ledger: Ledger, seconds: float, hand: Hand) -> None:
        log.error(
            "a partition is stuck: none of its records was completed, and nothing explains it",
            topic=ledger.topic,
            partition=ledger.partition,
            seconds=round(seconds),
            setting="watchdog_s",
            first_open=ledger.first_open(),
            position=ledger.position,
            waiting=ledger.open,
            waits_for={wait.value: count for wait, count in hand.counts.items()},
            calls=[
                {"stage": call.stage.value, "updates": len(call.updates), "posted": len(call.posted)}
                for call in self._delivery.calls
            ],
        )
