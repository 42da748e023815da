"""Follows the live stream while a backfill sends: what newer records say is known before a profile is sent, and what
they say while a call is in flight becomes a repair."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from mapping.profile import ProfileUpdate
from sink.encoding import encode_attributes
from streams.backfill.folded import FoldedProfile
from streams.backfill.headers import repair_number
from streams.backfill.kafka_range import FETCH, FETCH_S, TRANSIENT, begins_and_ends, told
from streams.backfill.problems import BackfillError
from streams.backfill.reading import mark_of
from streams.backfill.repairs import Repairs
from streams.backfill.selection import Selection, updates_of
from streams.backfill.store import Store
from streams.backfill.stretches import Ends, Stretches

log = structlog.get_logger("segbatch.backfill")


class LiveStream:
    """The live topics from the range's end on. Everything runs on the event loop but the fetches."""

    def __init__(
        self,
        consumer: Consumer,
        backfill: str,
        topics: Sequence[str],
        store: Store,
        selection: Selection,
        stretches: Stretches,
        repairs: Repairs,
    ) -> None:
        self._consumer = consumer
        self._backfill = backfill
        self._topics = topics
        self._store = store
        self._read = selection.of_live
        self._stretches = stretches
        self._repairs = repairs
        self._stopped = False
        self.changed = 0
        """Profiles of the fold of which something newer was read."""
        self.positions: Ends = self._stored_positions()

    async def ends(self) -> Ends:
        """Where the live topics end now. Raises BackfillError."""
        found: Ends = {}
        for topic in self._topics:
            _, found[topic] = await asyncio.to_thread(begins_and_ends, self._consumer, topic)
        return found

    def has_read(self, ends: Ends) -> bool:
        """Whether everything before these ends was read."""
        return all(
            self.positions[topic].get(partition, end) >= end
            for topic, at in ends.items()
            for partition, end in at.items()
        )

    async def run(self) -> None:
        """Follow the topics until `stop`. Raises BackfillError if Kafka refuses."""
        await self._pass_what_is_gone()
        self._consumer.assign(
            [
                TopicPartition(topic, partition, offset)
                for topic, at in self.positions.items()
                for partition, offset in at.items()
            ]
        )
        while not self._stopped:
            with told("the live topics"):
                messages = await asyncio.to_thread(self._consumer.consume, FETCH, FETCH_S)
            if messages:
                self.take(messages)

    async def _pass_what_is_gone(self) -> None:
        """Kafka may have deleted records since the backfill was stopped: what they said is not known."""
        for topic, positions in self.positions.items():
            begins, _ = await asyncio.to_thread(begins_and_ends, self._consumer, topic)
            for partition, begin in begins.items():
                gone = begin - positions.get(partition, begin)
                if gone > 0:
                    positions[partition] = begin
                    log.error(
                        "Kafka has deleted records of the live stream before they were read",
                        topic=topic,
                        partition=partition,
                        records=gone,
                        remedy="older values may overwrite what they said: resume sooner, or keep records longer",
                    )

    def stop(self) -> None:
        """Fetch no more."""
        self._stopped = True

    def take(self, messages: Sequence[Message]) -> None:
        """What was fetched: kept in the fold, and in the repairs, with how far it was read."""
        with self._store.begin():
            for message in messages:
                place = self.positions[message.topic()]
                error = message.error()
                if error is None:
                    self._take_one(message)
                    place[message.partition()] = message.offset() + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    place[message.partition()] = max(place[message.partition()], message.offset())
                elif error.code() not in TRANSIENT:
                    raise BackfillError(f"topic {message.topic()}: {error.str()}")
            at = {
                topic: {str(p): offset for p, offset in each.items()}
                for topic, each in self.positions.items()
            }
            self._store.put("live_positions", at)

    def _take_one(self, message: Message) -> None:
        updates = updates_of(self._read(message.value()))
        headers = message.headers()
        number = repair_number(headers, self._backfill) if headers else None
        if number is not None:
            for update in updates:
                self._repairs.saw(update.custom_id, number)
            return
        for update in updates:
            self._take_update(update, message)

    def _take_update(self, update: ProfileUpdate, message: Message) -> None:
        kept = self._store.find(update.custom_id)
        if kept is None:
            return
        profile = kept.profile()
        names = update.attributes.keys() & profile.attributes.keys()
        before = _said(profile)
        profile.put_beside({name: update.attributes[name] for name in names}, mark_of(message, update))
        if _said(profile) == before:
            return
        self.changed += 1
        self._store.replace(kept, profile)
        place = message.topic(), message.partition()
        if self._stretches.is_exposed(kept.number, *place, message.offset()):
            key = message.key()
            self._repairs.add(
                update.custom_id, *place, update.custom_id.encode() if key is None else key, names
            )
        else:
            self._repairs.renew(update.custom_id, names)

    def _stored_positions(self) -> Ends:
        stored = self._store.fact("live_positions")
        if stored is None:
            spans = self._store.fact("spans")
            stored = {topic: {p: end for p, (_, end) in spans[topic].items()} for topic in self._topics}
        return {topic: {int(p): offset for p, offset in at.items()} for topic, at in stored.items()}


def _said(profile: FoldedProfile) -> bytes:
    chains = {name: [delta[:] for delta in deltas] for name, deltas in (profile.chains or {}).items()}
    return orjson.dumps([encode_attributes(profile.attributes), chains])
