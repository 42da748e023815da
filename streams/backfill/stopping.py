"""Why a backfill should end before its end: a signal, or somebody who cancels it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

LOOK_EVERY_S = 0.5


class Stopping:
    """Asked at every step. A signal counts at once; whether it was cancelled is looked up now and then."""

    def __init__(self, is_cancelled: Callable[[], bool]) -> None:
        self._is_cancelled = is_cancelled
        self._looked_at = 0.0
        self.interrupted = False
        self.cancelled = False

    def __call__(self) -> bool:
        """Whether to stop now."""
        now = time.monotonic()
        if not self.cancelled and now - self._looked_at > LOOK_EVERY_S:
            self._looked_at = now
            self.cancelled = self._is_cancelled()
        return self.interrupted or self.cancelled

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM stop it inside the block; the second SIGINT ends the process at once."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {signum: signal.signal(signum, self._signalled) for signum in signals}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    def _signalled(self, signum: int, frame: FrameType | None) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
