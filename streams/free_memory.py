"""Memory that is free goes back to the system.

Records wait for minutes and end in another order than they came in. The C library then keeps tens of megabytes free
between what is in use: by itself it gives back only what is free at the end of its heap.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable

EVERY_S = 10.0


async def give_back_free_memory() -> None:
    """Every ten seconds, which takes about a millisecond each; ends at once where the C library cannot: only glibc has
    malloc_trim(3)."""
    trim = malloc_trim()
    while trim is not None:
        await asyncio.sleep(EVERY_S)
        trim(0)


def malloc_trim() -> Callable[[int], int] | None:
    """The function of glibc: the argument is how many bytes to keep free at the end of the heap."""
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return found
