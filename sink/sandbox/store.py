"""The profiles that the sandbox holds, and when an accepted call reaches them."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from sink.sandbox.attributes import Attribute
from sink.sandbox.updates import Update


class Profile:
    """One profile: attributes by bare name, each with the key it was last posted under, and every event ever
    received, repeated ones too, in order of arrival."""

    __slots__ = ("attributes", "events")

    def __init__(self) -> None:
        self.attributes: dict[str, tuple[str, Any]] = {}
        self.events: list[dict[str, Any]] = []

    def set(self, attribute: Attribute) -> None:
        """Merge one attribute: its last form wins, null deletes, `$add` and `$remove` edit an array."""
        value = attribute.value
        if isinstance(value, dict):
            value = _edited(self.attributes.get(attribute.name, ("", []))[1], value)
        if value is None or value == []:
            self.attributes.pop(attribute.name, None)
        else:
            self.attributes[attribute.name] = (attribute.wire_key, value)

    def shown(self, custom_id: str) -> dict[str, Any]:
        """The profile as the inspection routes show it: attributes under the keys they were posted with."""
        attributes = dict(self.attributes.values())
        return {"custom_id": custom_id, "attributes": attributes, "events": self.events}


def _edited(stored: Any, delta: dict[str, list[str]]) -> list[str]:
    kept = list(stored) if isinstance(stored, list) else []
    kept += [item for item in dict.fromkeys(delta.get("$add", ())) if item not in kept]
    removed = set(delta.get("$remove", ()))
    return [item for item in kept if item not in removed]


class Source(NamedTuple):
    """The call that brought an update: its number, when it was received (RFC 3339), and its route."""

    number: int
    received_at: str
    route: str


class Applied(NamedTuple):
    """One update as it was applied: what the log of updates keeps."""

    source: Source
    update: Update

    def shown(self) -> dict[str, Any]:
        """The update as `/_sandbox/updates` shows it: attributes under the keys they were posted with."""
        return {
            "call": self.source.number,
            "received_at": self.source.received_at,
            "custom_id": self.update.custom_id,
            "attributes": {attribute.wire_key: attribute.value for attribute in self.update.attributes},
            "events": self.update.events,
        }


class ProfileStore:
    """All profiles by custom_id, and the last updates that made them what they are. Project keys share them: a
    sandbox is one project at a time."""

    __slots__ = ("_log", "_profiles")

    def __init__(self, log_size: int) -> None:
        self._profiles: dict[str, Profile] = {}
        self._log: deque[Applied] = deque(maxlen=log_size)

    def __len__(self) -> int:
        return len(self._profiles)

    def apply(self, updates: list[Update], source: Source) -> None:
        """Apply a call, making the profiles that are missing. Updates of installations are ignored: Batch
        does so with those it does not know."""
        for update in updates:
            if update.custom_id is None:
                continue
            profile = self._profiles.setdefault(update.custom_id, Profile())
            for attribute in update.attributes:
                profile.set(attribute)
            profile.events.extend({**event, "received_at": source.received_at} for event in update.events)
            self._log.append(Applied(source, update))

    def get(self, custom_id: str) -> dict[str, Any] | None:
        """One profile as the inspection routes show it; None if there is none."""
        profile = self._profiles.get(custom_id)
        return None if profile is None else profile.shown(custom_id)

    def all(self) -> Iterator[dict[str, Any]]:
        """Every profile that exists now, each as it is when its turn comes."""
        for custom_id, profile in list(self._profiles.items()):
            yield profile.shown(custom_id)

    def log(self) -> list[Applied]:
        """The updates remembered, in the order they were applied."""
        return list(self._log)

    def clear(self) -> None:
        """Forget every profile and update."""
        self._profiles.clear()
        self._log.clear()


_TIMER_RESOLUTION_S = 0.001
"""Event loops may run a timer this much early."""


class _Waiting(NamedTuple):
    due: float
    number: int
    updates: list[Update]
    source: Source


class Applier:
    """Applies accepted calls to the store, at once or `delay_s` later: in order of arrival, or, with
    `chances`, each after a random part of the delay, where `routes_in_order` keeps the order of each route."""

    __slots__ = (
        "_chances",
        "_delay_s",
        "_last_due",
        "_number",
        "_routes_in_order",
        "_store",
        "_timer",
        "_waiting",
    )

    def __init__(
        self,
        store: ProfileStore,
        delay_s: float,
        chances: random.Random | None,
        *,
        routes_in_order: bool = False,
    ) -> None:
        self._store = store
        self._delay_s = delay_s
        self._chances = chances
        self._routes_in_order = routes_in_order
        self._last_due: dict[str, float] = {}
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._number = 0

    def __len__(self) -> int:
        """How many accepted calls do not show yet."""
        return len(self._waiting)

    def submit(self, updates: list[Update], source: Source) -> None:
        """Apply a call when its time has come."""
        if not self._delay_s:
            self._store.apply(updates, source)
            return
        delay = self._delay_s if self._chances is None else self._chances.uniform(0, self._delay_s)
        due = asyncio.get_running_loop().time() + delay
        if self._routes_in_order:
            due = self._last_due[source.route] = max(due, self._last_due.get(source.route, due))
        self._number += 1
        heapq.heappush(self._waiting, _Waiting(due, self._number, updates, source))
        self._wait_for_next()

    def clear(self) -> None:
        """Drop what is waiting."""
        self._waiting.clear()
        self._last_due.clear()
        self._wait_for_next()

    def _wait_for_next(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_at(self._waiting[0].due, self._apply_due)

    def _apply_due(self) -> None:
        now = asyncio.get_running_loop().time() + _TIMER_RESOLUTION_S
        while self._waiting and self._waiting[0].due <= now:
            next_call = heapq.heappop(self._waiting)
            self._store.apply(next_call.updates, next_call.source)
        self._wait_for_next()
