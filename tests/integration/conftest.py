"""Scenes for end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from streams.demo.embedded import embedded_kafka
from tests.integration.embedded import EmbeddedCluster
from tests.integration.local_batch import LocalBatch
from tests.integration.scene import Scene
from tests.kafka import KafkaCluster
from tests.kafka.broker import ExternalBroker

MakeScene = Callable[..., Scene]


@pytest.fixture
def make_scene(kafka: KafkaCluster, tmp_path: Path) -> Iterator[MakeScene]:
    """Makes a scene on the real Kafka, without topics; its arguments are the sandbox's settings."""
    with ExitStack() as stack:

        def make(**sandbox: Any) -> Scene:
            scene = Scene(kafka, LocalBatch(**sandbox), tmp_path)
            stack.callback(scene.close)
            return scene

        yield make


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Scene]:
    """A scene on an embedded Kafka; topics come with their first record."""
    with embedded_kafka() as address:
        scene = Scene(EmbeddedCluster(ExternalBroker(address)), LocalBatch(), tmp_path)
        yield scene
        scene.close()


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """A scene with both topics, of 6 partitions, and a Batch with its real limits."""
    return make_scene().create_topics()
