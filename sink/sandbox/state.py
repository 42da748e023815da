"""Everything a running sandbox knows, in one place."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from sink.sandbox.bucket import TokenBucket
from sink.sandbox.exports import Exports
from sink.sandbox.faults import Faults
from sink.sandbox.inflight import InFlight
from sink.sandbox.record import Record
from sink.sandbox.settings import SandboxSettings
from sink.sandbox.store import Applier, ProfileStore


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of the two routes that take updates (Batch, Profiles API, "Choosing an endpoint")."""

    route: str
    max_updates: int


UPDATE = Endpoint("update", 200)
MASS_UPDATE = Endpoint("mass-update", 10_000)


class State:
    """The parts of a sandbox, made from its settings."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.versions = re.compile(settings.versions)
        self.rest_api_key = settings.rest_api_key
        self.store = ProfileStore(settings.update_log_size)
        random = settings.apply_out_of_order or settings.apply_routes_apart
        chances = Random(settings.seed) if random else None
        self.applier = Applier(
            self.store, settings.apply_delay_ms / 1000, chances, routes_in_order=settings.apply_routes_apart
        )
        self.exports = Exports(settings)
        self.faults = Faults(settings.seed)
        self.record = Record(0 if settings.light else settings.call_log_size)
        self.in_flight = InFlight()
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._export_buckets: dict[str, TokenBucket] = {}

    def clock(self) -> float:
        """The server's clock, seconds since 1970."""
        return time.time()

    def bucket(self, project: str, endpoint: Endpoint, now: float) -> TokenBucket:
        """The bucket of a project key and an endpoint, full at first. `now` is in monotonic seconds."""
        key = (project, endpoint.route)
        bucket = self._buckets.get(key)
        if bucket is None:
            settings = self.settings
            rate, capacity = settings.rate, settings.burst
            if endpoint is MASS_UPDATE:
                rate = capacity = settings.mass_rate
            bucket = self._buckets[key] = TokenBucket(rate, capacity, now)
        return bucket

    def export_bucket(self, project: str, now: float) -> TokenBucket:
        """The bucket of the export routes of a project key; a token is a call."""
        bucket = self._export_buckets.get(project)
        if bucket is None:
            settings = self.settings
            bucket = TokenBucket(settings.export_rate, settings.export_burst, now)
            self._export_buckets[project] = bucket
        return bucket

    def reset(self) -> None:
        """Forget everything but the calls that are in flight."""
        self.rest_api_key = self.settings.rest_api_key
        self.applier.clear()
        self.store.clear()
        self.exports.clear()
        self.faults.clear()
        self.record.clear()
        self._buckets.clear()
        self._export_buckets.clear()

    def stats(self) -> dict[str, Any]:
        """What `GET /_sandbox/stats` answers."""
        return {
            **self.record.shown(),
            "faults": dict(self.faults.hits),
            "profiles": len(self.store),
            "waiting_to_apply": len(self.applier),
        }
