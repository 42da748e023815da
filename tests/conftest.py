"""What all tests share: a real Kafka for the tests that ask for one, and hypothesis's profiles."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.kafka import KafkaCluster, KafkaUnavailable, real_kafka
from tests.kafka.find import required

settings.register_profile("default", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("SEGBATCH_HYPOTHESIS_PROFILE", "default"))

UNAVAILABLE = pytest.StashKey[str]()
NO_KAFKA = "no real Kafka: "


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[KafkaCluster]:
    """A real Apache Kafka for the whole session: take unique topic and group names (`kafka.unique`)."""
    reason = pytestconfig.stash.get(UNAVAILABLE, None)
    if reason is not None:
        pytest.skip(f"{NO_KAFKA}{reason}")
    try:
        with real_kafka() as cluster:
            yield cluster
    except KafkaUnavailable as error:
        if required():
            pytest.exit(f"a real Kafka is required here, and there is none: {error}", returncode=1)
        pytestconfig.stash[UNAVAILABLE] = str(error)
        pytest.skip(f"{NO_KAFKA}{error}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)
    if "slow" not in config.option.markexpr:
        slow = [item for item in items if item.get_closest_marker("slow")]
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.getreports("skipped")
    skipped = [
        report for report in reports if "kafka" in report.keywords and NO_KAFKA in str(report.longrepr)
    ]
    if not skipped:
        return
    count = "1 test needs" if len(skipped) == 1 else f"{len(skipped)} tests need"
    were = "was" if len(skipped) == 1 else "were"
    reason = skipped[0].longrepr[2].split(NO_KAFKA, 1)[1].splitlines()[0]
    terminalreporter.write_line(f"{count} a real Kafka and {were} skipped: {reason}", yellow=True)
