"""States in which Batch takes nothing: it refuses us as a whole, so that only probes are sent, or calls fail."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

REMEDIES = {
    "401": "is batch.rest_api_key right, and does it belong to the project of batch.project_key?",
    "403": "may this batch.rest_api_key write to the project of batch.project_key?",
    "404": "are batch.base_url, batch.api_version and batch.project_key right?",
}


@dataclass(slots=True)
class Halt:
    """Batch refuses us as a whole, since `since` (seconds since 1970)."""

    status: str
    message: str
    since: float = field(default_factory=time.time)

    @property
    def remedy(self) -> str:
        """Which setting to look at."""
        return REMEDIES.get(self.status, "is batch.base_url Batch's address?")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Calls fail with `status`, and none was accepted since `since` (seconds since 1970)."""

    status: str
    since: float
