"""Mapping, coalescer and ledger alone: the ratios of `bench/bounds`, which CI holds to their bounds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.processes import CACHE

BOUNDS = Path(__file__).with_name("bounds")
RATIO_TESTS = {
    "mapping": "test_the_preset_costs_a_few_decodings",
    "coalescer": "test_merging_costs_less_than_decoding",
    "ledger": "test_the_ledger_costs_a_fraction_of_decoding",
}


def measure() -> dict[str, float]:
    """By part: its cost an event, in terms of `orjson.loads` of the event. A missed bound is shown, not raised."""
    found = CACHE / "alone.json"
    found.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", str(BOUNDS), f"--benchmark-json={found}"]
    done = subprocess.run(command, cwd=BOUNDS.parents[1], capture_output=True, text=True, check=False)
    if not found.exists():
        raise RuntimeError(
            f"the costs alone could not be measured:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    ratios = {
        each["name"]: each["extra_info"]["ratio"] for each in json.loads(found.read_text())["benchmarks"]
    }
    measured = {part: ratios[name] for part, name in RATIO_TESTS.items() if name in ratios}
    print(f"alone  {measured}", flush=True)
    return measured
