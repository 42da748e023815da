"""What a backfill works with."""

from __future__ import annotations

from dataclasses import dataclass

from streams.backfill.folder import Folder
from streams.backfill.plan import Plan
from streams.backfill.progress import Shown
from streams.backfill.selection import Selection
from streams.backfill.stopping import Stopping
from streams.backfill.store import Store
from streams.metrics import Metrics
from streams.settings import Loaded


@dataclass(frozen=True, slots=True)
class Work:
    """One backfill in hand."""

    loaded: Loaded
    plan: Plan
    folder: Folder
    store: Store
    selection: Selection
    metrics: Metrics
    shown: Shown
    stopping: Stopping
