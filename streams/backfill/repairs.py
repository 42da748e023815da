"""Profiles of which the live stream said something while a call of ours for them was in flight.

Batch may have applied the call last, and then an old value stands where a newer one should. A repair is a record in the
source topic, in the partition of that profile, that says the newest value once more: the workers send it in order with
everything else of the profile.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from streams.backfill.store import Store


@dataclass(slots=True)
class Repair:
    """What is to be said again of one profile."""

    custom_id: str
    topic: str
    partition: int
    key: bytes
    names: set[str]
    """Attributes."""
    wanted: bool = True
    """A record has to be written: this process wrote none, or the live stream said something newer since."""
    number: int = 0
    """Of the last record that this process wrote for it; every record has its own."""


class Repairs:
    """The repairs of one backfill, in memory and in its state.

    The state does not tell which were written: Kafka may not have taken the record when the process was killed. So what
    was not seen in the topic is written again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all = {
            custom_id: _read(custom_id, body) for custom_id, body in store.execute("select * from repairs")
        }
        self.written: int = store.fact("repairs_written", 0)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, custom_id: str, topic: str, partition: int, key: bytes, names: Iterable[str]) -> None:
        """The live stream said something of these attributes while a call was in flight."""
        repair = self._all.get(custom_id)
        if repair is None:
            repair = self._all[custom_id] = Repair(custom_id, topic, partition, key, set())
        repair.topic, repair.partition = topic, partition
        self._want(repair, names)

    def renew(self, custom_id: str, names: Iterable[str]) -> None:
        """The live stream said something newer: where a repair is under way, it has to say that."""
        repair = self._all.get(custom_id)
        if repair is not None:
            self._want(repair, names)

    def wanted(self) -> list[Repair]:
        """Those of which a record has to be written."""
        return [repair for repair in self._all.values() if repair.wanted]

    def wrote(self, repairs: Iterable[Repair]) -> None:
        """A record of each is on its way."""
        for repair in repairs:
            self.written += 1
            repair.wanted, repair.number = False, self.written
        self._store.put("repairs_written", self.written)

    def failed(self, repair: Repair) -> None:
        """Kafka did not take its record."""
        repair.wanted = True

    def saw(self, custom_id: str, number: int) -> None:
        """A record of ours came by in the topic: if it is the last one, and nothing newer came before it, the profile
        is mended."""
        repair = self._all.get(custom_id)
        if repair is not None and not repair.wanted and repair.number == number:
            del self._all[custom_id]
            self._store.execute("delete from repairs where custom_id = ?", (custom_id,))

    def _want(self, repair: Repair, names: Iterable[str]) -> None:
        repair.names.update(names)
        repair.wanted = True
        self._save(repair)

    def _save(self, repair: Repair) -> None:
        body: dict[str, Any] = {
            "topic": repair.topic,
            "partition": repair.partition,
            "key": base64.b64encode(repair.key).decode(),
            "names": sorted(repair.names),
        }
        self._store.execute(
            "insert or replace into repairs values (?, ?)", (repair.custom_id, orjson.dumps(body))
        )


def _read(custom_id: str, body: bytes) -> Repair:
    stored = orjson.loads(body)
    return Repair(
        custom_id,
        stored["topic"],
        stored["partition"],
        base64.b64decode(stored["key"]),
        set(stored["names"]),
    )
