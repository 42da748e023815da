"""All scenarios, in the order they run."""

from tests.chaos.scenario import Scenario
from tests.chaos.scenarios import (
    answers,
    bounce,
    cut,
    kill,
    poison,
    rate,
    rolling,
    storm,
    toxics,
)

SCENARIOS: tuple[Scenario, ...] = (
    kill.SCENARIO,
    rolling.SCENARIO,
    storm.SCENARIO,
    bounce.SCENARIO,
    toxics.SCENARIO,
    cut.SCENARIO,
    answers.SCENARIO,
    poison.SCENARIO,
    rate.SCENARIO,
)
