"""Pause, halt, and what SIGHUP does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sink.settlement import Refusal
from streams.dead_letter_limits import DeadLetterLimits
from streams.metrics import Metrics
from streams.settings import Loaded, load_settings
from streams.settings_reload import SettingsReload
from streams.standstill import Standstill

Told = Callable[[], str]

REQUIRED = {
    "SEGBATCH_KAFKA__BROKERS": "127.0.0.1:1",
    "SEGBATCH_KAFKA__TOPICS": "events",
    "SEGBATCH_BATCH__REST_API_KEY": "a-rest-key",
    "SEGBATCH_BATCH__PROJECT_KEY": "a-project-key",
}


class Held:
    """Stands for the delivery."""

    def __init__(self) -> None:
        self.held: bool | None = None

    def hold(self) -> None:
        self.held = True

    def go_on(self) -> None:
        self.held = False


def standstill(*, enabled: bool = True) -> tuple[Standstill, Held, DeadLetterLimits, Metrics]:
    delivery, limits, metrics = Held(), DeadLetterLimits(1.0, 3), Metrics()
    return Standstill(delivery, limits, metrics, enabled=enabled), delivery, limits, metrics  # type: ignore[arg-type]


def reach(limits: DeadLetterLimits) -> None:
    while limits.admits(("events", 0), Refusal("invalid_json", "")):
        pass


def test_delivery_is_held_from_the_start_if_it_is_not_enabled_and_goes_on_when_it_is() -> None:
    still, delivery, _, _ = standstill(enabled=False)
    assert (still.active, delivery.held) == (True, True)
    still.enable(True)
    assert (still.active, delivery.held) == (False, False)
    still.enable(False)
    assert (still.active, delivery.held) == (True, True)


def test_a_limit_halts_until_it_is_lifted_and_the_metric_shows_it() -> None:
    still, delivery, limits, metrics = standstill()
    reach(limits)
    sample = metrics.registry.get_sample_value
    assert (still.active, delivery.held, sample("segbatch_dead_letter_limit_reached")) == (True, True, 1)
    assert still.halt is not None
    assert still.lift_halt()
    assert (still.active, delivery.held, sample("segbatch_dead_letter_limit_reached")) == (False, False, 0)
    assert not still.lift_halt()


def test_a_halt_and_a_pause_hold_each_on_its_own() -> None:
    still, delivery, limits, _ = standstill(enabled=False)
    reach(limits)
    still.enable(True)
    assert delivery.held
    still.enable(False)
    still.lift_halt()
    assert delivery.held
    still.enable(True)
    assert not delivery.held


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "segbatch.yaml"
    path.write_text("delivery: {enabled: true}\n")
    return load_settings(path, REQUIRED)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Told:
    """What was logged: it is printed, unless an earlier test in this process has set up logging as a worker does."""
    return lambda: capsys.readouterr().out + caplog.text


async def reloaded(loaded: Loaded, text: str) -> list[Loaded]:
    """What was to be applied, after the file was written anew."""
    assert loaded.path is not None
    loaded.path.write_text(text)
    seen: list[Loaded] = []
    await SettingsReload(loaded, seen.append).reload()
    return seen


async def test_the_settings_as_they_are_now_are_applied(loaded: Loaded) -> None:
    (latest,) = await reloaded(loaded, "delivery: {enabled: false}\n")
    assert not latest.settings.delivery.enabled


async def test_what_needs_a_restart_is_named(loaded: Loaded, told: Told) -> None:
    await reloaded(loaded, "batch: {rate_per_s: 100}\nflush: {linger_ms: 5}\n")
    text = told()
    assert "batch.rate_per_s" in text
    assert "flush.linger_ms" in text


async def test_settings_that_cannot_be_used_change_nothing_and_are_told(loaded: Loaded, told: Told) -> None:
    assert await reloaded(loaded, "delivery: {enabled: perhaps}\n") == []
    assert "delivery.enabled" in told()
