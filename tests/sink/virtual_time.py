"""An event loop whose clock jumps: hours of retries pass in milliseconds, and a deadlock is an error at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

EPOCH_S = 1_767_225_600.0
"""The wall clock at the loop's time 0: 2026-01-01T00:00:00Z."""
FIRST_S = 1000.0
TURN_S = 1e-6
"""What a turn of the loop takes at least, so that time passes for one that only has work."""

T = TypeVar("T")


class Deadlock(AssertionError):
    """Everything waits, and nothing will ever happen."""


class _JumpingSelector(selectors.SelectSelector):
    """Does not sleep until the next timer: moves the clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = FIRST_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("everything waits, and no timer is set")
        self.now += max(timeout, TURN_S)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.now

    def wall_clock(self) -> float:
        """Virtual seconds since 1970."""
        return EPOCH_S + self._jumping.now


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def wall_clock() -> float:
    """The wall clock of the running virtual loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.wall_clock()
