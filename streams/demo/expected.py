"""The fold: what Batch must hold once every record has been delivered, from the expectations alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from streams.demo.records import Expectation, Produced

# bare name -> (wire key, value); a value of None is remembered, so that a later stretch can be merged
_Attributes = dict[str, tuple[str, Any]]


class ExpectedState:
    """Profiles and outcomes after the records added so far, in the order they were added.

    `date(x)`, `url(x)` and `x` are one attribute: the last form wins, a null deletes. A profile is there only
    if something was delivered to it.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self._attributes: dict[str, _Attributes] = {}
        self._events: dict[str, list[dict[str, Any]]] = {}

    def add(self, produced: Produced) -> None:
        self.expect(produced.expectation)

    def expect(self, expectation: Expectation) -> None:
        self.outcomes[expectation.outcome] += 1
        if expectation.reason is not None:
            self.reasons[expectation.outcome, expectation.reason] += 1
        custom_id = expectation.custom_id
        if custom_id is None:
            return
        attributes = self._attributes.setdefault(custom_id, {})
        events = self._events.setdefault(custom_id, [])
        for key, value in expectation.attributes.items():
            attributes[bare_name(key)] = (key, value)
        events.extend(expectation.events)

    def merge(self, later: ExpectedState) -> None:
        """Add what came after: records of `later` were produced after ours, or are about other users."""
        self.outcomes.update(later.outcomes)
        self.reasons.update(later.reasons)
        for custom_id, attributes in later._attributes.items():
            self._attributes.setdefault(custom_id, {}).update(attributes)
            self._events.setdefault(custom_id, []).extend(later._events[custom_id])

    @property
    def profiles(self) -> dict[str, dict[str, Any]]:
        """custom_id -> {"attributes": {wire key: value}, "events": [{"name", "time", "attributes"}]}."""
        return {
            custom_id: {
                "attributes": {key: value for key, value in attributes.values() if value is not None},
                "events": list(self._events[custom_id]),
            }
            for custom_id, attributes in self._attributes.items()
        }

    @property
    def counts(self) -> dict[str, Any]:
        """As the worker's summary: {"accepted": n, "skipped": {reason: n}, "dead_lettered": {reason: n}}."""
        named = {
            outcome: {reason: n for (of, reason), n in sorted(self.reasons.items()) if of == outcome}
            for outcome in ("skipped", "dead_lettered")
        }
        return {"accepted": self.outcomes["accepted"], **named}


def fold(expectations: Iterable[Expectation]) -> ExpectedState:
    state = ExpectedState()
    for expectation in expectations:
        state.expect(expectation)
    return state


def bare_name(key: str) -> str:
    """`date(birthday)` and `url(birthday)` without their wrapper; other keys as they are."""
    if key.endswith(")"):
        wrapper, _, inner = key.partition("(")
        if wrapper in ("date", "url"):
            return inner[:-1]
    return key
