"""`python -m tests.chaos`: run scenarios against real workers on a real Kafka, and judge them."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.chaos import report
from tests.chaos.ground import Ground, open_ground
from tests.chaos.run import Result, run
from tests.chaos.scenario import BOTH, Protocol, Scale, Scenario
from tests.chaos.scenarios import SCENARIOS
from tests.kafka import KafkaUnavailable
from tests.kafka.jars import tools_work

FOLDER = Path("build") / "chaos"
EXIT_PASSED, EXIT_FAILED, EXIT_NO_KAFKA = 0, 1, 2

Planned = tuple[Scenario, Protocol]


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 0 if all passed, 1 if not, 2 if it could not be run."""
    options = _parse(arguments)
    planned = _plan(options)
    if not tools_work():
        print(
            "chaos needs brokers of its own, which it starts with Java and Maven: install both",
            file=sys.stderr,
        )
        return EXIT_NO_KAFKA
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"seed {seed} (--seed {seed} makes the same choices again)", flush=True)
    deadline = time.monotonic() + options.hours * 3600
    results: list[Result] = []
    try:
        with Grounds(random.Random(seed)) as grounds:
            while True:
                results = list(_round(planned, options.scale, seed, grounds))
                seed += 1
                if not all(each.passed for each in results) or time.monotonic() >= deadline:
                    break
    except KafkaUnavailable as error:
        print(f"no Kafka: {error}", file=sys.stderr)
        return EXIT_NO_KAFKA
    failed = [each for each in results if not each.passed]
    if failed:
        print(f"failed: {', '.join(f'{each.scenario} ({each.protocol})' for each in failed)}", flush=True)
        return EXIT_FAILED
    if options.document:
        report.write_table(options.document, results)
        print(f"wrote the table in {options.document}")
    print(f"passed: {len(results)} runs, nothing lost")
    return EXIT_PASSED


def _round(planned: Sequence[Planned], scale: Scale, seed: int, grounds: Grounds) -> Iterator[Result]:
    """Every planned scenario once."""
    for scenario, protocol in planned:
        folder = FOLDER / f"{scenario.name}-{protocol}"
        ground = grounds.of(scenario.brokers)
        result = run(scenario, scale, protocol, seed, ground, folder)
        print(report.line(result), flush=True)
        if not result.passed:
            print(report.failure(result, folder), flush=True)
        yield result


def _plan(options: argparse.Namespace) -> list[Planned]:
    names = options.only.split(",") if options.only else [each.name for each in SCENARIOS]
    unknown = set(names) - {each.name for each in SCENARIOS}
    if unknown:
        raise SystemExit(f"no such scenario: {', '.join(sorted(unknown))}")
    return [
        (scenario, protocol)
        for scenario in SCENARIOS
        if scenario.name in names and options.scale in scenario.sizes
        for protocol in scenario.protocols
        if options.protocol in (None, protocol)
    ]


class Grounds:
    """Kafkas, started when the first scenario needs one, gone at the end."""

    def __init__(self, chances: random.Random) -> None:
        self._chances = chances
        self._stack = ExitStack()
        self._running: dict[int, Ground] = {}

    def __enter__(self) -> Grounds:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def of(self, brokers: int) -> Ground:
        """A Kafka of so many brokers."""
        if brokers not in self._running:
            self._running[brokers] = self._stack.enter_context(open_ground(brokers, self._chances))
        return self._running[brokers]


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--scale", choices=("short", "full", "soak"), default="full")
    parser.add_argument("--only", help="names of scenarios, with commas")
    parser.add_argument("--protocol", choices=BOTH)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--hours", type=float, default=0.0, help="go on with new seeds for so long")
    parser.add_argument("--document", type=Path, help="the document whose table is written when all passed")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
