"""Reloading mappings while the worker runs: all or nothing, and visibly."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime
from pathlib import Path

import orjson
import pytest
import structlog.testing

from mapping.mapper import MapRecord
from mapping.profile import ProfileUpdate
from streams.hangup import Hangup
from streams.ledger import Ledger
from streams.mappings_in_force import MappingsInForce
from streams.metrics import Metrics
from streams.records import Record
from streams.settings import ConfigurationError, Settings
from tests.mapping.builders import identify
from tests.streams.fakes import FakeMessage

RECORD = orjson.dumps(identify({"plan": "x"}))
FILE = """\
- name: {name}
  mapping:
    identifiers: {{custom_id: {{"@path": $.userId}}}}
    profileAttributes: {{made_by: {name}}}
"""


class Scene:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "mappings.yaml"
        self.metrics = Metrics()
        self.write("one")
        self.force = MappingsInForce(Settings(mappings=str(self.path)), self.metrics)
        self.used: list[MapRecord] = []
        self.force.use = self.used.append

    def write(self, name: str) -> None:
        self.path.write_text(FILE.format(name=name))

    def counted(self, result: str) -> float:
        name = "segbatch_mappings_reloads_total"
        return self.metrics.registry.get_sample_value(name, {"result": result}) or 0.0

    def since(self) -> float:
        return self.metrics.registry.get_sample_value("segbatch_mappings_since_timestamp_seconds") or 0.0


def made_by(mapper: MapRecord) -> object:
    result = mapper(RECORD)
    assert isinstance(result, ProfileUpdate)
    return result.attributes["made_by"]


def record_mapped_by(mapper: MapRecord | None) -> Record:
    record = Record(Ledger("events", 0, 0), FakeMessage(RECORD), 0)
    record.map_record = mapper
    return record


async def test_a_good_file_takes_over(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert (made_by(scene.force.map_record), scene.since()) == (
        "one",
        pytest.approx(datetime.fromisoformat(scene.force.status()["since"]).timestamp(), abs=1),
    )
    before = scene.since()
    scene.write("two")
    await scene.force.reload()
    (mapper,) = scene.used
    assert (made_by(mapper), scene.force.matching(record_mapped_by(mapper))) == ("two", ("two",))
    assert (scene.counted("applied"), scene.counted("refused")) == (1.0, 0.0)
    assert scene.since() >= before
    assert scene.force.status()["mappings"] == ["two"]
    assert "problems" not in scene.force.status()


async def test_a_letter_names_the_mappings_that_its_record_was_mapped_by(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    waiting = record_mapped_by(scene.force.map_record)
    scene.write("two")
    await scene.force.reload()
    assert scene.force.matching(waiting) == ("one",)
    assert scene.force.matching(record_mapped_by(scene.force.map_record)) == ("two",)
    assert scene.force.matching(record_mapped_by(None)) == ("two",)


async def test_a_bad_file_is_refused_and_what_is_in_force_stays(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    before = scene.since()
    scene.path.write_text("- {name: A, preset: none}\n- {name: A}")
    await scene.force.reload()
    assert (scene.used, made_by(scene.force.map_record), scene.since()) == ([], "one", before)
    assert (scene.counted("applied"), scene.counted("refused")) == (0.0, 1.0)
    status = scene.force.status()
    assert (status["mappings"], len(status["problems"])) == (["one"], 2)
    assert status["refused_at"] >= status["since"]
    scene.write("three")
    await scene.force.reload()
    assert scene.force.status().keys() == {"file", "mappings", "since"}
    assert made_by(scene.used[0]) == "three"


async def test_what_a_mapping_hardly_means_is_logged_at_the_start_and_at_a_reload(tmp_path: Path) -> None:
    path = tmp_path / "mappings.yaml"
    path.write_text("- {name: A, mapping: {identifiers: {custom_id: kiosk}}}")
    with structlog.testing.capture_logs() as logged:
        force = MappingsInForce(Settings(mappings=str(path)), Metrics())
        await force.reload()
    warnings = [line["problem"] for line in logged if line["log_level"] == "warning"]
    assert len(warnings) == 2
    assert all("all users would be written to one profile" in warning for warning in warnings)


async def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.path.unlink()
    await scene.force.reload()
    assert scene.counted("refused") == 1.0
    assert "cannot be read" in scene.force.status()["problems"][0]


def test_a_bad_file_at_the_start_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "mappings.yaml"
    path.write_text("mappings: 3")
    with pytest.raises(ConfigurationError):
        MappingsInForce(Settings(mappings=str(path)), Metrics())


async def test_the_preset_alone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    status = MappingsInForce(Settings(), Metrics()).status()
    assert (status["file"], status["mappings"]) == (None, ["Update Profile"])


async def test_a_sighup_runs_every_reload_and_one_more_comes_after() -> None:
    ran: list[str] = []
    done = asyncio.Event()

    async def first() -> None:
        ran.append("first")
        if len(ran) == 1:
            os.kill(os.getpid(), signal.SIGHUP)

    async def second() -> None:
        ran.append("second")
        if len(ran) == 4:
            done.set()

    hangup = Hangup(first, second)
    before = signal.getsignal(signal.SIGHUP)
    hangup.listen()
    running = asyncio.create_task(hangup.run())
    os.kill(os.getpid(), signal.SIGHUP)
    async with asyncio.timeout(30):
        await done.wait()
    running.cancel()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
    signal.signal(signal.SIGHUP, before)
    assert ran == ["first", "second", "first", "second"]
