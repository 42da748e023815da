"""The mappings that the worker maps by, and their reload while it runs: all or nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import structlog

from mapping.mapper import MapRecord, MatchRecord, compile_mapper, compile_matcher
from mapping.mappings import preset_alone
from streams.letter import iso_time
from streams.mapping_settings import mapping_settings
from streams.mappings_file import LoadedMappings, load_mappings, mappings_path
from streams.metrics import Metrics
from streams.records import Record
from streams.settings import ConfigurationError, Settings

log = structlog.get_logger("segbatch.mappings")


class MappingsInForce:
    """Loads the mappings at the start, raising ConfigurationError, and again when asked to."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._loaded = load_mappings(mappings_path(settings))
        self._since = time.time()
        self._refused_at: float | None = None
        self._refused: list[str] = []
        self._matchers: WeakKeyDictionary[MapRecord, Callable[[], MatchRecord]] = WeakKeyDictionary()
        """By mapper, as long as there are records that it mapped."""
        self.map_record = self._compiled(self._loaded)
        self.use: Callable[[MapRecord], None] | None = None
        """Takes over a new mapper; set when there is somebody who maps."""
        metrics.mappings_since.set(self._since)
        self._warn()

    def _warn(self) -> None:
        for warning in self._loaded.warnings:
            log.warning("a mapping hardly does what was meant", problem=str(warning))

    def _compiled(self, loaded: LoadedMappings) -> MapRecord:
        settings = mapping_settings(self._settings)
        map_record = compile_mapper(settings, loaded.mapping_set)
        self._matchers[map_record] = cache(lambda: compile_matcher(settings, loaded.mapping_set))
        return map_record

    def matching(self, record: Record) -> tuple[str, ...]:
        """Names of the mappings that a record reached when it was mapped, though others may be in force by now. Not for
        every record: only letters ask."""
        return self._matchers[record.map_record or self.map_record]()(record.message.value())

    async def reload(self) -> None:
        """Read the file again. One that is bad is refused, and what is in force stays."""
        try:
            loaded = await asyncio.to_thread(load_mappings, mappings_path(self._settings))
        except ConfigurationError as error:
            self._refused_at = time.time()
            self._refused = [str(problem) for problem in error.problems]
            self._metrics.mappings_reloads.labels("refused").inc()
            log.error("the mappings file is refused; the mappings in force stay", problems=self._refused)
            return
        self._loaded, self._since = loaded, time.time()
        self._refused_at, self._refused = None, []
        self.map_record = self._compiled(loaded)
        if self.use is not None:
            self.use(self.map_record)
        self._metrics.mappings_since.set(self._since)
        self._metrics.mappings_reloads.labels("applied").inc()
        log.info("mappings read again", **self._in_words())
        self._warn()

    def _in_words(self) -> dict[str, Any]:
        enabled = (self._loaded.mapping_set or preset_alone()).enabled
        return {
            "file": None if self._loaded.path is None else str(self._loaded.path),
            "mappings": [mapping.name for mapping in enabled],
        }

    def status(self) -> dict[str, Any]:
        """What is in force, for the worker's pages: `file` (null for the preset alone), `mappings` (names of those
        enabled), `since` (ISO 8601, UTC); after a reload that was refused `refused_at` and `problems`."""
        found = {**self._in_words(), "since": iso_time(self._since)}
        if self._refused_at is not None:
            found |= {"refused_at": iso_time(self._refused_at), "problems": self._refused}
        return found
