"""A verification from the fold to the outcome: settle, export, compare, and leave out what changed meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from confluent_kafka import Consumer

from mapping.mapper import MapEvent
from sink.exports import Export, ExportClient
from streams.backfill.progress import Shown
from streams.verify.compare import compare
from streams.verify.expected import Expected, attribute_names, changed_since, newer_than, sample_of
from streams.verify.problems import VerifyError
from streams.verify.report import MOST_KEPT, Difference, Found

APPLIED_WITHIN_S = 60.0
"""Batch says only that it applies updates asynchronously: younger differences are said to be pending, perhaps."""
DONE_OF_STATUS = {"CREATED": 0.1, "PENDING": 0.2, "RUNNING": 0.5, "SUCCESS": 1.0}


@dataclass(frozen=True, slots=True)
class Options:
    """How to verify."""

    profiles: int | None
    """Compare so many only; None: all."""
    settle_s: float
    export_timeout_s: float
    export_id: str | None
    """An export that was asked for before."""


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification in hand."""

    expected: Expected
    consumer: Consumer | None
    map_live: MapEvent
    options: Options
    shown: Shown
    stopped: Callable[[], bool]

    async def run(self, client: ExportClient) -> Found:
        """The outcome. Raises ExportError, BackfillError, VerifyError."""
        chosen = None
        if self.options.profiles is not None:
            chosen = sample_of(self.expected, self.options.profiles)
        names = attribute_names(self.expected, chosen)
        if not names:
            raise VerifyError("the range says no attribute of any profile: there is nothing to compare")
        found = Found(compared=self.expected.store.count_profiles() if chosen is None else len(chosen))
        if self.options.export_id is None:
            found.pending = await self._settle()
        export = await self._exported(client, names)
        found.export = export.id
        await self._compare(client, export, chosen, found)
        if found.differences and self.consumer is not None:
            different = {each.custom_id for each in found.differences}
            found.without_changed(
                changed_since(self.consumer, self.expected.ends, self.map_live, different, self.stopped)
            )
        return found

    async def _settle(self) -> bool:
        """Wait until Batch has had time for what was sent last; whether that was so lately that it may need more."""
        left = self._sent_within(self.options.settle_s)
        if left:
            self.shown.say(
                f"waiting {left:.0f} s, until {_clock(time.time() + left)}: Batch applies what it takes later, and "
                f"the last was sent less than --settle {self.options.settle_s:.0f} s ago (--settle 0 does not wait)"
            )
        deadline = time.monotonic() + left
        while (rest := deadline - time.monotonic()) > 0:
            self._go_on()
            await asyncio.sleep(min(0.5, rest))
        return self._sent_within(APPLIED_WITHIN_S) > 0

    def _sent_within(self, seconds: float) -> float:
        """How long from now the last of the range will have been sent so many seconds ago, at most; 0 if it was."""
        now = time.time()
        left = max(0.0, self.expected.settled_at + seconds - now)
        since = round((now - seconds) * 1000)
        if seconds and self.consumer is not None and newer_than(self.consumer, self.expected.ends, since):
            left = seconds
        return left

    async def _exported(self, client: ExportClient, names: list[str]) -> Export:
        self.shown.phase("export", "")
        export_id = self.options.export_id or await client.ask(names)
        self.shown.say(f"export {export_id}")

        def on_status(status: str) -> None:
            self._go_on()
            self.shown.at(DONE_OF_STATUS.get(status, 0.0), 0)

        export = await client.done(export_id, on_status, self.options.export_timeout_s)
        if export.attributes is not None and not export.attributes.issuperset(names):
            raise VerifyError(f"export {export_id} was asked for with other attributes: leave --export out")
        return export

    async def _compare(
        self, client: ExportClient, export: Export, chosen: frozenset[str] | None, found: Found
    ) -> None:
        store = self.expected.store
        seen = bytearray(store.count_profiles() + 1)
        size, read = sum(file.size for file in export.files), 0
        self.shown.phase("comparing", "profiles")
        for file in export.files:
            async for line in client.lines(file):
                read += len(line) + 1
                if not line.strip():
                    continue
                custom_id, exported = _read_line(line)
                found.exported += 1
                if found.exported % 1000 == 0:
                    self._go_on()
                    self.shown.at(min(1.0, read / max(1, size)), found.exported)
                if custom_id is None or (chosen is not None and custom_id not in chosen):
                    continue
                kept = store.find(custom_id)
                if kept is None:
                    continue
                seen[kept.number] = 1
                found.differences += [
                    Difference(custom_id, each) for each in compare(kept.profile().updates(), exported)
                ]
                if len(found.differences) >= MOST_KEPT:
                    del found.differences[MOST_KEPT:]
                    return
        self.shown.at(1.0, found.exported)
        self._add_missing(seen, chosen, found)

    def _add_missing(self, seen: bytearray, chosen: frozenset[str] | None, found: Found) -> None:
        """Numbers of profiles begin with 1, and are in the order of `profiles`."""
        for number, (custom_id, _) in enumerate(self.expected.profiles(), 1):
            if not seen[number] and (chosen is None or custom_id in chosen):
                found.differences.append(Difference(custom_id, None))
                if len(found.differences) >= MOST_KEPT:
                    return

    def _go_on(self) -> None:
        if self.stopped():
            raise VerifyError("interrupted")


def _read_line(line: bytes) -> tuple[str | None, dict[str, object]]:
    """The custom_id of a line of an export, None if it has none, and its attributes. Raises VerifyError."""
    try:
        profile = orjson.loads(line)
        identifiers, attributes = profile.get("identifiers") or {}, profile.get("attributes") or {}
        custom_id = identifiers.get("custom_id")
    except (orjson.JSONDecodeError, AttributeError):
        raise VerifyError("a line of the export is not the JSON object that Batch documents") from None
    if not isinstance(attributes, dict):
        raise VerifyError("the attributes of a line of the export are not the object that Batch documents")
    return (custom_id if isinstance(custom_id, str) else None), attributes


def _clock(moment: float) -> str:
    """`09:14:07`, local time."""
    return time.strftime("%H:%M:%S", time.localtime(moment))
