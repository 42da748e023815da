"""What can be wrong with a network: toxiproxy's toxics, by their names.

A toxic acts on the data that flows `down` (to the client) or `up` (to the server). `toxicity` is the probability that
a connection is hit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Direction = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class _Toxic:
    direction: Direction = "down"
    toxicity: float = 1.0


@dataclass(frozen=True, slots=True)
class Latency(_Toxic):
    """Data arrives `ms` later, give or take up to `jitter_ms`."""

    ms: float = 200
    jitter_ms: float = 100


@dataclass(frozen=True, slots=True)
class Bandwidth(_Toxic):
    """At most so many kilobytes a second pass."""

    kb_per_s: float = 20


@dataclass(frozen=True, slots=True)
class SlowClose(_Toxic):
    """The other side learns `ms` later that a connection was closed."""

    ms: float = 1000


@dataclass(frozen=True, slots=True)
class Timeout(_Toxic):
    """Nothing passes, and what comes is dropped; after `ms` the connection is closed (0: it stays open)."""

    ms: float = 0


@dataclass(frozen=True, slots=True)
class ResetPeer(_Toxic):
    """The connection is reset (RST) `ms` after it opened, or after the toxic came."""

    ms: float = 500


@dataclass(frozen=True, slots=True)
class Slicer(_Toxic):
    """Data passes in slices of about `bytes`, `us` microseconds apart."""

    bytes: int = 100
    us: float = 500


@dataclass(frozen=True, slots=True)
class LimitData(_Toxic):
    """After so many bytes the connection is closed."""

    bytes: int = 20_000


@dataclass(frozen=True, slots=True)
class Down:
    """Nobody listens, and open connections are closed."""


Toxic: TypeAlias = Latency | Bandwidth | SlowClose | Timeout | ResetPeer | Slicer | LimitData | Down

FlowToxic: TypeAlias = Latency | Bandwidth | SlowClose | Timeout | ResetPeer | Slicer | LimitData
"""All that act on a connection."""


def name_of(toxic: Toxic) -> str:
    """As toxiproxy calls it: `reset_peer`."""
    name = type(toxic).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
