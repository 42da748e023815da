"""Memory that is free between what is in use goes back to the system."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from streams import free_memory
from streams.free_memory import give_back_free_memory, malloc_trim

MB = 1024 * 1024


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(malloc_trim() is None, reason="only glibc gives back memory when it is asked")
async def test_free_memory_between_that_in_use_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [bytes(1_000) for _ in range(100_000)]
    values = values[::100]
    before = resident_bytes()
    monkeypatch.setattr(free_memory, "EVERY_S", 0)
    giving = asyncio.create_task(give_back_free_memory())
    for _ in range(10):
        await asyncio.sleep(0)
    giving.cancel()
    assert resident_bytes() < before - 50 * MB
    assert len(values) == 1_000


async def test_where_the_c_library_cannot_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "malloc_trim", lambda: None)
    giving = asyncio.create_task(give_back_free_memory())
    await asyncio.sleep(0)
    assert giving.done()
