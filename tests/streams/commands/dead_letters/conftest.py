"""Each test has topics of its own."""

from __future__ import annotations

import pytest

from tests.kafka import KafkaCluster
from tests.streams.commands.dead_letters.corner import Corner


@pytest.fixture
def corner(kafka: KafkaCluster) -> Corner:
    return Corner(kafka)
