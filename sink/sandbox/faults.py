"""Faults on demand: what a client must survive."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson

MODES = {
    "429": "answers 429, nothing applied",
    "500": "answers 500, nothing applied",
    "503": "answers 503 (maintenance), nothing applied",
    "401": "answers 401, nothing applied",
    "bad_gateway": "answers 502 with HTML, as a proxy would, nothing applied",
    "reset_before": "cuts the connection, nothing applied",
    "reset_after": "applies the call, then cuts the connection instead of answering",
    "slow": "applies the call and answers delay_ms later",
    "partial_error": "refuses the first attribute and the first event of the call's first update",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that hits each call with probability `share` until the event loop's clock shows `until`
    (None: until it is turned off)."""

    mode: str
    share: float = 1.0
    until: float | None = None
    delay_ms: float = 0.0
    retry_after_s: float | None = None


class Faults:
    """The faults that are on, one a mode, in the order they were turned on."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self._chances = random.Random(seed)
        self._on: dict[str, Fault] = {}
        self.hits: Counter[str] = Counter()

    def set(self, fault: Fault) -> None:
        """Turn a fault on, in place of one of the same mode."""
        self._on.pop(fault.mode, None)
        self._on[fault.mode] = fault

    def seed(self, seed: int) -> None:
        """Start the chances over from a seed."""
        self._chances = random.Random(seed)

    def off(self) -> None:
        """Turn every fault off."""
        self._on.clear()

    def clear(self) -> None:
        """Back to the beginning: no faults, no hits, the first seed."""
        self.off()
        self.hits.clear()
        self._chances = random.Random(self._seed)

    def active(self, now: float) -> list[Fault]:
        """The faults that are on at `now`."""
        ended = [mode for mode, fault in self._on.items() if fault.until is not None and now >= fault.until]
        for mode in ended:
            del self._on[mode]
        return list(self._on.values())

    def draw(self, now: float) -> Fault | None:
        """The fault that hits a call received at `now`: the first whose chance comes up."""
        if not self._on:
            return None
        for fault in self.active(now):
            if self._chances.random() < fault.share:
                self.hits[fault.mode] += 1
                return fault
        return None


_KEYS = ("mode", "share", "seconds", "delay_ms", "retry_after_s", "seed")


class FaultRequestError(ValueError):
    """A request for a fault that makes no sense; the message says what would."""


def read_fault(body: bytes, now: float) -> tuple[Fault, int | None]:
    """The fault a `POST /_sandbox/faults` asks for, and its seed if it has one. Raises FaultRequestError."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise FaultRequestError(f"The body is not valid JSON: {error}.") from None
    if not isinstance(asked, dict):
        raise FaultRequestError(
            'The body must be an object such as {"mode": "503", "share": 0.5, "seconds": 10}.'
        )
    unknown = sorted(asked.keys() - set(_KEYS))
    if unknown:
        raise FaultRequestError(f"Unknown key {', '.join(unknown)}; the keys are {', '.join(_KEYS)}.")
    mode = str(asked.get("mode", ""))
    if mode != "off" and mode not in MODES:
        raise FaultRequestError(f"Unknown mode. The modes are {', '.join(MODES)} and off.")
    share = _number(asked, "share", 1.0)
    if share > 1:
        raise FaultRequestError("share is a probability, from 0 to 1.")
    seconds = _number(asked, "seconds", 0.0)
    delay_ms = _number(asked, "delay_ms", 0.0)
    if mode == "slow" and not delay_ms:
        raise FaultRequestError("The mode slow needs delay_ms, the milliseconds by which the answer is late.")
    seed = asked.get("seed")
    if seed is not None and not isinstance(seed, int):
        raise FaultRequestError("seed must be an integer.")
    retry_after_s = _number(asked, "retry_after_s", 0.0) if asked.get("retry_after_s") is not None else None
    return Fault(mode, share, now + seconds if seconds else None, delay_ms, retry_after_s), seed


def _number(asked: dict[str, Any], key: str, default: float) -> float:
    value = asked.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise FaultRequestError(f"{key} must be a number that is not negative.")
    return float(value)
