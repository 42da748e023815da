"""What the worker is doing now: `GET /status`, for a person at night."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sink.coalescer import Coalescer
from sink.delivery import Delivery
from sink.limiter import Limiter
from streams.catch_up import CatchUp
from streams.health import Health
from streams.in_hand import Hand, InHand, Waits
from streams.ledger import Ledger
from streams.settlement import NO_TIMESTAMP
from streams.source import KafkaSource
from streams.standstill import Standstill

_WORDS = {
    Waits.MAPPING: "mapping",
    Waits.TOKENS: "tokens",
    Waits.PLACE: "batch",
    Waits.EARLIER: "batch",
    Waits.ANSWER: "batch",
    Waits.RETRY: "batch",
    Waits.BREAKER: "batch",
    Waits.DEAD_LETTER: "dead_letters",
}


class Status:
    """Puts the page together. `full` tells whether reading rests because enough waits in memory, `mappings` which
    mappings are in force."""

    def __init__(
        self,
        health: Health,
        standstill: Standstill,
        source: KafkaSource,
        coalescer: Coalescer,
        limiter: Limiter,
        delivery: Delivery,
        in_hand: InHand,
        full: Callable[[], bool],
        catch_up: CatchUp,
        mappings: Callable[[], Mapping[str, Any]],
        warnings: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._health = health
        self._standstill = standstill
        self._source = source
        self._coalescer = coalescer
        self._limiter = limiter
        self._delivery = delivery
        self._in_hand = in_hand
        self._full = full
        self._catch_up = catch_up
        self._mappings = mappings
        self._warnings = warnings

    def page(self) -> dict[str, Any]:
        """The whole page as JSON: `ok`, `problems` and `warnings` as on `/readyz`, `state`, `halt`, `breaker`,
        `partitions` (worst first), `catch_up` (what is read before more is sent), `in_hand`, `limiter`, `mappings`.
        Nothing in it is of a person."""
        problems = self._health.not_ready()
        return {
            "ok": not problems,
            "problems": problems,
            "warnings": dict(self._warnings()),
            "state": self._state(),
            "halt": self._halt(),
            "breaker": self._breaker(),
            "partitions": self._partitions(),
            "catch_up": {"active": self._catch_up.active, "unread": self._catch_up.unread},
            "in_hand": {
                "records": self._coalescer.records,
                "bytes": self._coalescer.bytes,
                "profiles_waiting": self._coalescer.profiles,
                "updates_out": self._coalescer.out,
            },
            "limiter": {
                "tokens": round(self._limiter.tokens(), 1),
                "capacity": round(self._limiter.bucket.capacity, 1),
                "rate_per_s": round(self._limiter.bucket.rate, 1),
                "full_rate_per_s": round(self._limiter.bucket.full_rate, 1),
            },
            "mappings": dict(self._mappings()),
        }

    def _state(self) -> str:
        if self._health.failure is not None:
            return "failed"
        if self._health.stopping:
            return "stopping"
        opening = self._delivery.opening
        if self._standstill.halt is not None or (opening is not None and opening.refused):
            return "halted"
        if self._standstill.paused:
            return "paused"
        if not self._source.assigned:
            return "joining"
        return "delivering" if opening is None else "probing"

    def _halt(self) -> dict[str, str] | None:
        if (reached := self._standstill.halt) is not None:
            return {"leg": "dead_letters", "setting": reached.setting, "reason": reached.detail}
        opening = self._delivery.opening
        if opening is None or not opening.refused:
            return None
        return {
            "leg": "batch",
            "setting": opening.setting,
            "reason": f"Batch answers {opening.status}: {opening.remedy}",
        }

    def _breaker(self) -> dict[str, Any]:
        opening = self._delivery.opening
        if opening is None:
            return {"state": "closed"}
        return {
            "state": "open",
            "status": opening.status,
            "setting": opening.setting,
            "for_s": round(max(0.0, time.time() - opening.since), 1),
        }

    def _partitions(self) -> list[dict[str, Any]]:
        hands = self._in_hand.look()
        rows = [
            self._partition(ledger, unread, hands.get(ledger, Hand()))
            for ledger, unread in self._source.unread()
        ]
        return sorted(
            rows, key=lambda row: (-(row["oldest_waiting_s"] or 0.0), -row["unread"], row["partition"])
        )

    def _partition(self, ledger: Ledger, unread: int, hand: Hand) -> dict[str, Any]:
        return {
            "topic": ledger.topic,
            "partition": ledger.partition,
            "position": ledger.position,
            "committed": None if ledger.committed is None else ledger.committed.offset,
            "unread": unread,
            "waiting": ledger.open,
            "oldest_waiting_s": _age_s(hand),
            "commit_age_s": round(self._source.committer.age_s(ledger), 1),
            "waits_for": self._waits_for(ledger, unread, hand),
        }

    def _waits_for(self, ledger: Ledger, unread: int, hand: Hand) -> str | None:
        if self._standstill.halt is not None:
            return "dead_letters"
        if self._standstill.paused:
            return "pause"
        if ledger.open:
            return _WORDS[hand.oldest_waits or Waits.MAPPING]
        if ledger.committed is None or ledger.committed.offset < ledger.position:
            return "kafka"
        if unread:
            return "memory" if self._full() or ledger.full else "kafka"
        return None


def _age_s(hand: Hand) -> float | None:
    """Since the oldest record in hand was appended to Kafka."""
    if hand.oldest is None:
        return None
    kind, appended_ms = hand.oldest.message.timestamp()
    return None if kind == NO_TIMESTAMP else round(max(0.0, time.time() - appended_ms / 1000), 1)
