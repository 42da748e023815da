"""A command that may be interrupted ends between two steps, not in one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Gives an event that the first SIGINT or SIGTERM sets. A second SIGINT ends the command at once."""
    asked = threading.Event()

    def ask(signum: int, _: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        asked.set()

    before = {signum: signal.signal(signum, ask) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
