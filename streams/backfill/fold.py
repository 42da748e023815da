"""Folding a range in bounded memory: in parts while it is read, then bucket by bucket."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mapping.profile import AttributeValue, ProfileEvent, ProfileUpdate
from streams.backfill.folded import FoldedProfile
from streams.backfill.store import BUCKETS, Store

PROGRAM_BYTES = 140 * 1024 * 1024
"""What the program takes without any profile: Python, libraries, Kafka's prefetched records, SQLite's cache."""
SPILLING_FACTOR = 1.35
"""Spilling encodes a bucket's share of the part while the part is still there."""
PROFILE_BYTES = 900
ATTRIBUTE_BYTES = 110
EVENT_BYTES = 150
DECODED_FACTOR = 8
"""A part's profile in memory, compared with its JSON."""
RECORDS_A_PART = 2_000_000
"""A part is put down after so many records at the latest: what a killed process has to read again."""


class Fold:
    """The fold of what was read since the last part was put down."""

    def __init__(self, store: Store, memory_bytes: int) -> None:
        self._store = store
        self._room = (memory_bytes - PROGRAM_BYTES) / SPILLING_FACTOR
        self._profiles: dict[str, FoldedProfile] = {}
        self._weight = 0
        self._records = 0

    @property
    def full(self) -> bool:
        """Whether it is time to `spill`."""
        return self._weight > self._room or self._records >= RECORDS_A_PART

    def put(self, update: ProfileUpdate, mark: int) -> None:
        """An event of the range."""
        self._records += 1
        profile = self._profiles.get(update.custom_id)
        if profile is None:
            profile = self._add(update.custom_id)
        before = len(profile.attributes)
        profile.put(update.attributes, mark)
        self._weight += ATTRIBUTE_BYTES * (len(profile.attributes) - before)
        if update.events:
            self._add_events(profile, update.events)

    def put_beside(self, custom_id: str, attributes: Mapping[str, AttributeValue], mark: int) -> None:
        """An event of the live stream that is not in the range."""
        self._records += 1
        profile = self._profiles.get(custom_id)
        if profile is None:
            profile = self._add(custom_id)
        profile.put_beside(attributes, mark)
        self._weight += ATTRIBUTE_BYTES * len(attributes)

    def spill(self, facts: Mapping[str, Any]) -> None:
        """Put down what was folded, with the facts that tell how far that is."""
        self._store.spill(self._profiles, facts)
        self._profiles = {}
        self._weight = self._records = 0

    def _add_events(self, profile: FoldedProfile, events: Iterable[ProfileEvent]) -> None:
        for event in events:
            profile.events.append(event.body)
            self._weight += EVENT_BYTES + len(event.body)

    def _add(self, custom_id: str) -> FoldedProfile:
        profile = self._profiles[custom_id] = FoldedProfile()
        self._weight += PROFILE_BYTES
        return profile


def merge_parts(
    store: Store, memory_bytes: int, on_bucket: Callable[[float], None], stopped: Callable[[], bool]
) -> bool:
    """Merge the buckets that are not merged yet into the profiles; False if it was stopped before the end.
    `on_bucket` hears which share of them is done."""
    sizes = store.bucket_sizes()
    room = max(1.0, (memory_bytes - PROGRAM_BYTES) / DECODED_FACTOR)
    for done, (bucket, size) in enumerate(sizes.items()):
        if stopped():
            return False
        passes = int(size / room) + 1
        with store.begin():
            for number in range(passes):
                store.add_profiles(_merged(store, bucket, number, passes).items())
            store.drop_bucket(bucket)
        on_bucket((done + 1) / len(sizes))
    store.index_profiles()
    return True


def _merged(store: Store, bucket: int, number: int, passes: int) -> dict[str, FoldedProfile]:
    profiles: dict[str, FoldedProfile] = {}

    def wanted(custom_id: str) -> bool:
        return passes == 1 or zlib.crc32(custom_id.encode()) // BUCKETS % passes == number

    for custom_id, part in store.parts_of(bucket, wanted):
        profile = profiles.get(custom_id)
        if profile is None:
            profiles[custom_id] = part
        else:
            profile.merge(part)
    for profile in profiles.values():
        profile.beside = None
    return {
        custom_id: profile for custom_id, profile in profiles.items() if profile.attributes or profile.events
    }


def look_for_cycles_rarely() -> None:
    """Profiles are millions of objects without cycles: searching them for cycles would take as long as the fold."""
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)
