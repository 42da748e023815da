"""Which profiles have a call in flight.

Batch promises no order between calls, so two at once for one profile are a bug of the client."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """One call in flight, from its headers (`since`, seconds) until its answer is handed to the socket."""

    since: float
    ids: frozenset[str]
    connected: Callable[[], bool]
    """False once the client has gone: it waits for this call no longer."""


class InFlight:
    """The calls in flight by custom_id, and when each profile's last call ended."""

    def __init__(self) -> None:
        self._flights: dict[str, list[Flight]] = {}
        self._ended: dict[str, float] = {}

    def enter(self, since: float, ids: Iterable[str], connected: Callable[[], bool]) -> tuple[Flight, int]:
        """Enter a call. Returns it, and how many of its profiles had another call between `since` and now."""
        flight = Flight(since, frozenset(ids), connected)
        overlaps = 0
        for custom_id in flight.ids:
            others = self._flights.setdefault(custom_id, [])
            if any(other.connected() for other in others) or self._ended.get(custom_id, since) > since:
                overlaps += 1
            others.append(flight)
        return flight, overlaps

    def leave(self, flight: Flight, now: float) -> None:
        """The call's answer is on its way. If the client has gone, the call ended for it before: no end is
        noted."""
        noted = flight.connected()
        for custom_id in flight.ids:
            others = self._flights[custom_id]
            others.remove(flight)
            if not others:
                del self._flights[custom_id]
            if noted:
                self._ended[custom_id] = now
