"""What the bench tells a contender, by its environment."""

from __future__ import annotations

import os

BROKERS = os.environ["BENCH_BROKERS"]
TOPIC = os.environ["BENCH_TOPIC"]
GROUP = os.environ["BENCH_GROUP"]
URL = os.environ["BENCH_URL"]
"""Of Batch's route profiles/update."""

HEADERS = {
    "Authorization": "Bearer rest-key",
    "X-Batch-Project": "project-key",
    "Content-Type": "application/json",
}
UPDATES_A_CALL = 200
"""Batch takes no more."""

IN_FLIGHT = 8
RETRY_S = 1.0
"""After a refusal without Retry-After."""
