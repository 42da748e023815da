"""CPU time of functions, for the benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any


def microseconds(function: Callable[[Any], Any], inputs: Sequence[Any]) -> float:
    """CPU time of an input, on average."""
    start = time.process_time()
    for each in inputs:
        function(each)
    return (time.process_time() - start) / len(inputs) * 1e6
