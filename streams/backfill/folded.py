"""What a range of events says of one profile: the last value of each attribute, and events in order.

Each value has a mark, which says how its event stands to others of the profile. Events of files go by their timestamp,
records of Kafka come after all files and go in the order of their partition, as the live stream takes them; records
without a key go by timestamp among each other, as the live stream takes those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from mapping.encode import wire_bytes
from mapping.profile import ArrayDelta, AttributeValue, ProfileEvent
from mapping.resolved import read_wire_attributes
from mapping.timestamps import read_timestamp
from sink.coalescer import compose
from sink.encoding import encode_attributes

Attributes = dict[str, AttributeValue]

UNDATED = -(2**62)
"""The mark of an event in a file without a time that can be read: it never replaces another."""
IN_RECORD_ORDER = 2**62
"""The mark of a Kafka record with a key."""
WITHOUT_KEY = 2**61
"""Added to the timestamp (milliseconds), the mark of a Kafka record without a key."""


def supersedes(mark: int, older: int) -> bool:
    """Whether an event that is read later also counts as the later one."""
    return mark == IN_RECORD_ORDER or older == IN_RECORD_ORDER or mark >= older


class FoldedProfile:
    """The fold of one profile, or of a part of the range for it."""

    __slots__ = ("attributes", "beside", "chains", "events", "mark", "marks")

    def __init__(self) -> None:
        self.attributes: Attributes = {}
        self.mark = UNDATED
        """The latest mark; of all attributes while `marks` is None."""
        self.marks: dict[str, int] | None = None
        self.chains: dict[str, list[ArrayDelta]] | None = None
        """Array deltas that do not compose with the value before them into one: sent after it, in order."""
        self.beside: FoldedProfile | None = None
        """What the live stream said of attributes that the range, so far, does not have. It counts only where the
        range has the attribute, and said so earlier."""
        self.events: list[bytes] = []

    def put(self, attributes: Attributes, mark: int) -> None:
        """An event of the range says this; it is read after all that was put before. Takes over `attributes`."""
        mine = self.attributes
        if self.beside is not None or self.chains is not None or ArrayDelta in map(type, attributes.values()):
            for name, value in attributes.items():
                self._put_one(name, value, mark)
        elif not mine:
            self.attributes, self.mark = attributes, mark
        elif mark == self.mark and self.marks is None:
            mine.update(attributes)
        elif mark >= self.mark or supersedes(mark, self.mark):
            marks = self._keep_marks() if self.marks is None else self.marks
            marks.update(dict.fromkeys(attributes, mark))
            mine.update(attributes)
            self.mark = mark
        else:
            for name, value in attributes.items():
                self._put_one(name, value, mark)

    def put_beside(self, attributes: Mapping[str, AttributeValue], mark: int) -> None:
        """The live stream says this, beside the range and later than what was put before: it replaces values of the
        range, and adds none."""
        for name, value in attributes.items():
            if name in self.attributes:
                self._put_one(name, value, mark)
            else:
                if self.beside is None:
                    self.beside = FoldedProfile()
                self.beside._put_one(name, value, mark)

    def merge(self, later: FoldedProfile) -> None:
        """Add the fold of a later part of the range."""
        if later.marks is None and later.chains is None:
            self.put(later.attributes, later.mark)
        elif self._has_values_only() and later._has_values_only():
            self._merge_values(later)
        else:
            for name, value in later.attributes.items():
                self._put_one(name, value, later.mark_of(name))
                for delta in (later.chains or {}).get(name, ()):
                    self._put_one(name, delta, later.mark_of(name))
        if later.beside is not None:
            beside = later.beside
            for name, value in beside.attributes.items():
                for each in (value, *(beside.chains or {}).get(name, ())):
                    self.put_beside({name: each}, beside.mark_of(name))
        self.events += later.events

    def mark_of(self, name: str) -> int:
        """The mark of an attribute that it has."""
        return self.mark if self.marks is None else self.marks[name]

    def updates(self) -> Iterator[Attributes]:
        """The attributes as updates to be sent one after the other: one, unless deltas do not compose."""
        yield dict(self.attributes)
        chains = {name: list(deltas) for name, deltas in (self.chains or {}).items()}
        while chains:
            yield {name: deltas.pop(0) for name, deltas in chains.items()}
            chains = {name: deltas for name, deltas in chains.items() if deltas}

    def only(self, names: set[str]) -> FoldedProfile:
        """The same, of these attributes only, without events."""
        part = FoldedProfile()
        part.attributes = {name: value for name, value in self.attributes.items() if name in names}
        part.chains = {name: deltas for name, deltas in (self.chains or {}).items() if name in names} or None
        part.mark = self.mark
        return part

    def _has_values_only(self) -> bool:
        return (
            self.beside is None
            and self.chains is None
            and ArrayDelta not in map(type, self.attributes.values())
        )

    def _merge_values(self, later: FoldedProfile) -> None:
        mine, marks = self.attributes, self._keep_marks()
        for name, value in later.attributes.items():
            mark = later.mark_of(name)
            if name not in mine or supersedes(mark, marks[name]):
                mine[name] = value
                marks[name] = mark
        self.mark = max(self.mark, later.mark)

    def _keep_marks(self) -> dict[str, int]:
        if self.marks is None:
            self.marks = dict.fromkeys(self.attributes, self.mark)
        return self.marks

    def _put_one(self, name: str, value: AttributeValue, mark: int) -> None:
        marks = self._keep_marks()
        if self.beside is not None:
            self.beside._drop(name)
        if name not in self.attributes:
            self.attributes[name] = value
            marks[name] = mark
        elif supersedes(mark, marks[name]):
            self._replace(name, value)
            marks[name] = mark
        elif isinstance(value, ArrayDelta) is False or not isinstance(self.attributes[name], ArrayDelta):
            return
        else:
            older = compose(value, self.attributes[name])  # type: ignore[arg-type]
            self.attributes[name] = self.attributes[name] if older is None else older
        self.mark = max(self.mark, mark)

    def _replace(self, name: str, value: AttributeValue) -> None:
        chain = (self.chains or {}).get(name)
        if not isinstance(value, ArrayDelta):
            self.attributes[name] = value
            if chain is not None and self.chains is not None:
                del self.chains[name]
                self.chains = self.chains or None
            return
        composed = compose(chain[-1] if chain else self.attributes[name], value)
        if composed is None:
            self.chains = self.chains or {}
            self.chains.setdefault(name, []).append(value)
        elif chain and isinstance(composed, ArrayDelta):
            chain[-1] = composed
        else:
            self.attributes[name] = composed

    def _drop(self, name: str) -> None:
        if self.attributes.pop(name, self) is not self:
            self._keep_marks().pop(name, None)
            if self.chains is not None:
                self.chains.pop(name, None)


def encode(profile: FoldedProfile) -> list[Any]:
    """As JSON values: `[attributes by wire name, mark]`, and a third item, an object, where there is more to say."""
    more: dict[str, Any] = {}
    if profile.marks is not None:
        more["marks"] = profile.marks
    if profile.chains is not None:
        chains = profile.chains.items()
        more["chains"] = {
            name: [{"$add": d.add, "$remove": d.remove} for d in deltas] for name, deltas in chains
        }
    if profile.beside is not None and profile.beside.attributes:
        more["beside"] = encode(profile.beside)
    if profile.events:
        more["events"] = [orjson.Fragment(body) for body in profile.events]
    wire = encode_attributes(profile.attributes)
    return [wire, profile.mark, more] if more else [wire, profile.mark]


def decode(values: list[Any]) -> FoldedProfile:
    """The profile that `encode` told of."""
    profile = FoldedProfile()
    profile.attributes = read_wire_attributes(values[0])
    profile.mark = values[1]
    if len(values) > 2:
        more = values[2]
        profile.marks = more.get("marks")
        if "chains" in more:
            profile.chains = {
                name: [ArrayDelta(tuple(delta["$add"]), tuple(delta["$remove"])) for delta in deltas]
                for name, deltas in more["chains"].items()
            }
        if "beside" in more:
            profile.beside = decode(more["beside"])
        profile.events = [wire_bytes(event) for event in more.get("events", ())]
    return profile


def profile_event(body: bytes) -> ProfileEvent:
    """An event of a folded profile."""
    wire = orjson.loads(body)
    moment = read_timestamp(wire.get("time"))
    return ProfileEvent(wire["name"], None if moment is None else moment[0], body)
