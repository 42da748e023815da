"""Commits what is done: soon, one commit at a time, and never for a partition that is not ours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from sink.limiter import Limiter
from streams import commit_metadata
from streams.assignments import Assignments, Place
from streams.ledger import Committable, Ledger
from streams.metrics import Metrics

INTERVAL_S = 0.1
LOST_AFTER_S = 30.0
NEW_EPOCH_WITHIN_S = 5.0

log = structlog.get_logger("segbatch.commits")


class Committer:
    """The commits of one worker."""

    def __init__(self, assignments: Assignments, limiter: Limiter, metrics: Metrics) -> None:
        self._assignments = assignments
        self._limiter = limiter
        self._metrics = metrics
        self.turn = asyncio.Lock()
        """Whose turn it is with the consumer: a fetch's or a commit's. A commit that waited for a fetch to end would be
        overtaken by the one that a rebalance inside the fetch makes, and then replace it by its older state."""
        self._sent: dict[Place, tuple[Ledger, Committable]] = {}
        self._sent_at = 0.0
        self._last_error = KafkaError.NO_ERROR
        self._moved_at: dict[Place, float] = {}

    def age_s(self, ledger: Ledger) -> float:
        """Seconds since the partition's committed offset last moved, while records were fetched that it does not
        cover; else 0."""
        if _is_covered(ledger):
            return 0.0
        return time.monotonic() - self._moved_at.setdefault(
            (ledger.topic, ledger.partition), time.monotonic()
        )

    async def run(self, consumer: Any, ended: Callable[[], bool]) -> None:
        """Commit whenever the committable state has changed, at most every 100 ms, until `ended`."""
        while not ended():
            await asyncio.sleep(INTERVAL_S)
            if not self._sent or time.monotonic() - self._sent_at >= LOST_AFTER_S:
                async with self.turn:
                    await self._commit_changes(consumer)

    async def _commit_changes(self, consumer: Any) -> None:
        states = self._changed(self._assignments.ledgers.values())
        self._sent = {(ledger.topic, ledger.partition): (ledger, state) for ledger, state in states}
        if not states:
            return
        self._sent_at = time.monotonic()
        try:
            await consumer.commit(offsets=self._offsets(states), asynchronous=True)
        except KafkaException as error:
            self._failed(error.args[0])

    async def on_commit(self, error: Any, partitions: Sequence[TopicPartition]) -> None:
        """The answer to an asynchronous commit. One that failed is forgotten: the next one carries its state."""
        sent, self._sent = self._sent, {}
        if error is not None:
            self._failed(error)
            return
        self._metrics.commits.labels("confirmed").inc()
        for partition in partitions:
            ledger, state = sent.get((partition.topic, partition.partition), (None, None))
            if ledger is None or state is None or state.offset != partition.offset:
                continue
            if partition.error is not None:
                self._failed(partition.error)
            else:
                self._confirm(ledger, state)

    async def commit_now(self, consumer: Any, ledgers: Iterable[Ledger]) -> bool:
        """Commit synchronously: the state, and the tokens even if no record was done. False if it failed."""
        states = [(ledger, ledger.committable() or ledger.committed) for ledger in ledgers]
        known = [(ledger, state) for ledger, state in states if state is not None]
        if not known:
            return True
        try:
            answers = await consumer.commit(offsets=self._offsets(known), asynchronous=False)
        except KafkaException as error:
            self._failed(error.args[0])
            return False
        errors = [answer.error for answer in answers or () if answer.error is not None]
        for problem in errors:
            self._failed(problem)
        if not errors:
            self._metrics.commits.labels("confirmed").inc()
            for ledger, state in known:
                self._confirm(ledger, state)
        return not errors

    async def commit_before_revocation(self, consumer: Any, ledgers: Sequence[Ledger]) -> bool:
        """As `commit_now`, again and again while the coordinator says that this member's epoch is old (KIP-848): it
        raised it a moment ago, and the next heartbeat brings the new one."""
        deadline = time.monotonic() + NEW_EPOCH_WITHIN_S
        while not await self.commit_now(consumer, ledgers):
            if self._last_error != KafkaError.STALE_MEMBER_EPOCH or time.monotonic() > deadline:
                return False
            await asyncio.sleep(INTERVAL_S)
        return True

    def _changed(self, ledgers: Iterable[Ledger]) -> list[tuple[Ledger, Committable]]:
        states = []
        for ledger in ledgers:
            state = ledger.committable()
            if state is not None:
                states.append((ledger, state))
            elif _is_covered(ledger):
                self._moved_at[ledger.topic, ledger.partition] = time.monotonic()
        return states

    def _offsets(self, states: Iterable[tuple[Ledger, Committable]]) -> list[TopicPartition]:
        level = self._limiter.level()
        return [
            TopicPartition(
                ledger.topic,
                ledger.partition,
                state.offset,
                metadata=commit_metadata.encode(state.done, level),
            )
            for ledger, state in states
        ]

    def _confirm(self, ledger: Ledger, state: Committable) -> None:
        if ledger.committed is None or state.offset != ledger.committed.offset:
            self._moved_at[ledger.topic, ledger.partition] = time.monotonic()
        ledger.committed = state

    def _failed(self, error: Any) -> None:
        self._sent = {}
        self._last_error = error.code()
        self._metrics.commits.labels("failed").inc()
        log.info("commit failed, the next one carries its state", error=error.name())


def _is_covered(ledger: Ledger) -> bool:
    """Whether the committed offset covers everything that was fetched."""
    return ledger.committed is not None and ledger.committed.offset >= ledger.position
