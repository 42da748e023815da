"""What is said when no letter is what was asked for."""

from __future__ import annotations

from collections import Counter

from streams.commands.dead_letters.options import Selection
from streams.commands.dead_letters.topics import Topics


def nothing_found(topics: Topics, selection: Selection) -> str:
    """That there is none, and which reasons the letters have that are there. Looks at all of them."""
    everything = Selection(partitions=selection.partitions)
    if selection == everything:
        return "no dead letters"
    topics.look(everything)
    reasons = Counter(stored.letter.reason for stored in topics.letters(everything))
    if not reasons:
        return "no dead letters"
    listed = ", ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common())
    if unknown := [reason for reason in selection.reasons if reason not in reasons]:
        return f"no letter has the reason {' or '.join(unknown)}; those that are there have: {listed}"
    return f"none of the {reasons.total():,} dead letters is like that; their reasons: {listed}"
