"""What SIGINT does to a command."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_INTERRUPTED = 130
"""As a shell says it of a process that SIGINT ended."""


@contextmanager
def interrupt_leaves_at_once() -> Iterator[None]:
    """While modules load there is nothing to tidy up, and a KeyboardInterrupt inside an import would be told as an
    error: SIGINT ends the process without a word. Where it is ignored or handled already, that stays."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda signum, frame: os._exit(EXIT_INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """For a command that may end between two steps, not in one. Gives an event that the first SIGINT or SIGTERM sets. A
    second SIGINT ends the command at once."""
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
