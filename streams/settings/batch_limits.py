"""Settings above what Batch documents: allowed, because Batch may have granted more, and said."""

from __future__ import annotations

from collections.abc import Iterator

from streams.settings.keys import value_of
from streams.settings.load import Loaded
from streams.settings.masking import shown
from streams.settings.problems import Problem

_DOCUMENTED = {
    "batch.rate_per_s": (300, "300 profile updates a second"),
    "batch.burst": (1000, "1,000 profile updates at once"),
}
"""Of a project (Batch, "Profile API", rate limit of `/profiles/update`)."""


def above_batch_limits(loaded: Loaded) -> Iterator[Problem]:
    """A warning for each setting that is above Batch's documented limit."""
    for key, (limit, in_words) in _DOCUMENTED.items():
        value = value_of(loaded.settings, key)
        if value > limit:
            yield Problem(
                key,
                shown(value, secret=False, mask_entries=False),
                f"is above what Batch documents for a project, {in_words}",
                "Unless Batch has granted you more it answers 429, which slows every worker: lower it.",
                loaded.origins[key],
            )
