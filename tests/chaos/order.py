"""Follows one profile through its updates: what came, what came again, what came out of order.

The law: events come in the order they were produced, none left out. An update may start again at an earlier event (a
repeat) and within an update events follow one another. Attributes never go back, except as a repeat, and end as the
last identify left them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.oracle import Story, slot


class Delivery(NamedTuple):
    """The call that brought something, and when (seconds since 1970)."""

    call: int
    at: float


class Update(NamedTuple):
    """One update of a profile, as Batch applied it."""

    user: str
    delivery: Delivery
    numbers: tuple[int, ...]
    """Of its events."""
    attributes: Mapping[str, int]


class Repeat(NamedTuple):
    """Something that came again. `number` is that of the event, or of the identify that was set again."""

    number: int
    is_event: bool
    before: Delivery
    """When it came the last time."""
    again: Delivery


@dataclass(slots=True)
class Followed:
    """What there is to say of one profile."""

    problems: list[str] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    """Numbers of events that never came, and of a last identify whose attributes are not there."""
    repeats: list[Repeat] = field(default_factory=list)
    first: dict[int, Delivery] = field(default_factory=dict)
    """Of every event: when it came first."""


def follow(
    user: str, story: Story, updates: Iterable[Update], doubled: Container[int] = frozenset()
) -> Followed:
    """Judge the updates of one profile, in the order they were applied. `doubled` are events that Kafka holds more than
    once: they may come more than once."""
    found = Followed()
    events = _Events(user, story, found, doubled)
    attributes = _Attributes(user, story, found)
    for update in updates:
        events.see(update)
        attributes.see(update)
    events.end()
    attributes.end()
    return found


class _Events:
    def __init__(self, user: str, story: Story, found: Followed, doubled: Container[int]) -> None:
        self._user, self._tracks, self._found, self._doubled = user, story.tracks, found, doubled
        self._place = {number: place for place, number in enumerate(story.tracks)}
        self._reached = 0
        self._last: dict[int, Delivery] = {}

    def see(self, update: Update) -> None:
        before: int | None = None
        for number in update.numbers:
            if number in self._doubled and number in self._last:
                continue
            place = self._place.get(number)
            if place is None:
                self._problem(f"call {update.delivery.call} brought event {number}, which was never produced")
                continue
            if before is not None and place != before + 1:
                self._problem(f"in call {update.delivery.call} event {number} follows {self._tracks[before]}")
            elif place > self._reached:
                missed = self._tracks[self._reached]
                self._problem(f"call {update.delivery.call} brought event {number} before {missed}")
            before = place
            self._reached = max(self._reached, place + 1)
            self._note(number, update.delivery)

    def _note(self, number: int, delivery: Delivery) -> None:
        if number in self._last:
            self._found.repeats.append(Repeat(number, True, self._last[number], delivery))
        else:
            self._found.first[number] = delivery
        self._last[number] = delivery

    def end(self) -> None:
        self._found.lost += [number for number in self._tracks if number not in self._last]

    def _problem(self, text: str) -> None:
        self._found.problems.append(f"{self._user}: {text}")


class _Attributes:
    def __init__(self, user: str, story: Story, found: Followed) -> None:
        self._user, self._story, self._found = user, story, found
        self._place = {number: place for place, number in enumerate(story.identifies)}
        self._covered: list[Delivery] = []
        """By place: the last call that set this identify or a later one."""
        self._held: dict[str, int] = {}

    def see(self, update: Update) -> None:
        if not update.attributes:
            return
        newest = update.attributes.get("step")
        if newest is None or any(not self._is_sound(*each, newest) for each in update.attributes.items()):
            problem = (
                f"{self._user}: call {update.delivery.call} set {dict(update.attributes)}, which never was"
            )
            self._found.problems.append(problem)
            return
        self._held |= update.attributes
        place = self._place[newest]
        if place < len(self._covered):
            self._found.repeats.append(Repeat(newest, False, self._covered[place], update.delivery))
            self._covered[place:] = [update.delivery] * (len(self._covered) - place)
        else:
            self._covered += [update.delivery] * (place + 1 - len(self._covered))

    def _is_sound(self, name: str, number: int, newest: int) -> bool:
        return number in self._place and number <= newest and name in ("step", slot(number))

    def end(self) -> None:
        if self._story.identifies and self._held != self._story.attributes:
            last = self._story.identifies[-1]
            self._found.lost.append(last)
            wanted = self._story.attributes
            self._found.problems.append(f"{self._user}: holds {self._held} in the end, and not {wanted}")
