"""After the sending: waits until all calls have surely been applied, and writes the repairs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from mapping.resolved import resolved_event
from sink.encoding import encode_attributes
from streams.backfill.headers import repair_headers
from streams.backfill.live import LiveStream
from streams.backfill.problems import BackfillError
from streams.backfill.repairs import Repair, Repairs
from streams.backfill.store import Store
from streams.backfill.stretches import Stretches
from streams.cluster import SILENT
from streams.dead_letters import LARGEST_MESSAGE, PRODUCER
from streams.letter import iso_time

LOOK_EVERY_S = 0.2
REPAIRS_AT_ONCE = 1_000


async def close_settled(stretches: Stretches, live: LiveStream | None, settle_s: float) -> None:
    """Close the stretches whose calls were answered `settle_s` ago."""
    due = [s for s in stretches.open if s.settled_at is not None and time.time() - s.settled_at >= settle_s]
    if not due:
        return
    ends = {} if live is None else await live.ends()
    for stretch in due:
        stretches.close(stretch, ends)


class Mending:
    """Writes the repairs of one backfill to the source topics."""

    def __init__(
        self, backfill: str, client: Mapping[str, Any], store: Store, live: LiveStream, repairs: Repairs
    ) -> None:
        self._backfill = backfill
        self._store = store
        self._live = live
        self._repairs = repairs
        self._producer = Producer(
            {**PRODUCER, "message.max.bytes": LARGEST_MESSAGE, "linger.ms": 5, **client}, logger=SILENT
        )
        self._failed: list[tuple[Repair, KafkaError]] = []

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Until every repair was written, and was seen in its topic with nothing newer before it. All stretches must
        be closed. Raises BackfillError if Kafka refuses the records."""
        ends = await self._live.ends()
        while not stopped() and not self._live.has_read(ends):
            await _rest()
        while not stopped() and len(self._repairs):
            wanted = self._repairs.wanted()[:REPAIRS_AT_ONCE]
            if wanted:
                self._write(wanted)
                await asyncio.to_thread(self._producer.flush)
                self._judge_failures()
            else:
                await _rest()

    def _write(self, wanted: list[Repair]) -> None:
        """What is said is what is known now; whatever is read from here on asks for another record."""
        self._repairs.wrote(wanted)
        for repair in wanted:
            value = self._value(repair)

            def written(error: KafkaError | None, _: object, repair: Repair = repair) -> None:
                if error is not None:
                    self._failed.append((repair, error))

            try:
                self._producer.produce(
                    repair.topic,
                    value=value,
                    key=repair.key,
                    partition=repair.partition,
                    headers=repair_headers(self._backfill, repair.number),
                    on_delivery=written,
                )
            except KafkaException as error:
                self._failed.append((repair, error.args[0]))

    def _judge_failures(self) -> None:
        for repair, _ in self._failed:
            self._repairs.failed(repair)
        if self._failed:
            _, error = self._failed[0]
            raise BackfillError(
                f"Kafka refuses repairs: {error.str()}; may this user write to the source topic? Resume when it may"
            )

    def _value(self, repair: Repair) -> bytes:
        kept = self._store.find(repair.custom_id)
        attributes: dict[str, Any] = {}
        if kept is not None:
            for step in kept.profile().only(repair.names).updates():
                attributes.update(encode_attributes(step))
        now = time.time()
        return resolved_event(
            repair.custom_id, f"{self._backfill}:{repair.custom_id}:{now:.3f}", iso_time(now), attributes
        )


async def _rest() -> None:
    await asyncio.sleep(LOOK_EVERY_S)
