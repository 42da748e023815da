"""Marked values, ids and keys go through a real worker, against a Batch that quotes whatever it was sent. None of them
may show anywhere but in Kafka and at Batch."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import pytest

from tests.integration.scene import Scene
from tests.integration.workers import SEGBATCH, Worker, environment, wait_until
from tests.kafka import Record

MARK = "canary"
NUMBER = 271828182845
REST_API_KEY = f"{MARK}-rest-api-key"
PROJECT_KEY = f"{MARK}-project-key"
PAGES = ("/metrics", "/readyz", "/livez", "/status")
COMMANDS = (
    ["stats"],
    ["stats", "--json"],
    ["list"],
    ["list", "--json"],
    ["show", "0:0"],
    ["replay", "--dry-run"],
)
LONG_ID = 40
"""The sandbox refuses ids of so many characters with 400."""


def event(kind: str, user: str, **more: Any) -> bytes:
    identity = {
        "type": kind,
        "userId": user,
        "anonymousId": f"{MARK}-anonymous",
        "messageId": f"{MARK}-{token_hex(8)}",
    }
    return json.dumps({**identity, **more}).encode()


def records() -> Iterator[Record]:
    """What is accepted, what Batch refuses in part and as a whole, what the mapping refuses, what is late."""
    now = datetime.now(UTC)
    values = {
        "name": f'{MARK} says "{MARK}", and\nmore',
        "email": f"{MARK}.{MARK}@{MARK}.example.com",
        "city": f"{MARK}ville-Ümlaut",
        "tags": [f"{MARK}1", f"{MARK}2"],
        "number": NUMBER,
        "link": f"https://{MARK}.example.com/{MARK}",
    }
    for number in range(20):
        user = f"{MARK}-{number}"
        yield Record(event("identify", user, traits=values), user.encode())
        wide = {f"p{n}": f"{MARK} {n}" for n in range(10)}
        bought = event("track", user, event="Bought", properties=wide, timestamp=now.isoformat())
        yield Record(bought, user.encode(), [("trace", b"t-1")])
    long_id = f"{MARK}-{'x' * LONG_ID}"
    yield Record(event("identify", long_id, traits=values), long_id.encode())
    late = (now - timedelta(days=3)).isoformat()
    yield Record(
        event("track", f"{MARK}-late", event="Late", properties=values, timestamp=late), b"canary-late"
    )
    yield Record(b'{"type": "identify", "userId": "canary-cut', b"canary-cut")
    yield Record(b"canary", b"canary-text")
    yield Record(event("identify", f" {MARK}"[:1], traits=values), b"canary-blank")
    yield Record(
        event("identify", f"{MARK}-odd", traits={**values, "email": f"no {MARK} address"}), b"canary-odd"
    )


def pages(worker: Worker) -> str:
    """Everything that the worker's web pages say."""
    found = []
    for page in PAGES:
        try:
            with urllib.request.urlopen(worker.web + page, timeout=5) as response:
                found.append(response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                found.append(error.read().decode())
    return "\n".join(found)


def assert_unmarked(text: str) -> None:
    lowered = text.casefold()
    for mark in (MARK, str(NUMBER)):
        where = lowered.find(mark)
        assert where < 0, text[max(0, where - 300) : where + 100]


def command_output(settings: Mapping[str, str], *command: str) -> tuple[int, str]:
    """The exit code, and all that the command printed."""
    done = subprocess.run(
        [SEGBATCH, *command],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def echoing(make_scene: Any) -> Scene:
    scene: Scene = make_scene(
        echo_values=True,
        rest_api_key=REST_API_KEY,
        project_key=PROJECT_KEY,
        max_custom_id_chars=LONG_ID,
        max_email_chars=10,
        max_event_attributes=5,
    )
    return scene.create_topics(2)


def keys(rest_api_key: str = REST_API_KEY) -> dict[str, str]:
    return {"BATCH__REST_API_KEY": rest_api_key, "BATCH__PROJECT_KEY": PROJECT_KEY, "LOG__LEVEL": "debug"}


def test_nothing_of_records_or_keys_shows_anywhere(echoing: Scene) -> None:
    scene = echoing
    scene.batch.fault("500")
    worker = scene.worker(**keys()).ready()
    scene.kafka.produce(scene.topic, records())
    seen = []
    for fault in ("500", "429", "503", "401"):
        scene.batch.fault("off")
        hits = scene.batch.stats()["faults"].get(fault, 0)
        scene.batch.fault(fault)
        wait_until(lambda f=fault, h=hits: scene.batch.stats()["faults"].get(f, 0) > h, f"a call got {fault}")  # type: ignore[misc]
        seen.append(pages(worker))
    scene.batch.fault("off")
    scene.wait_until_drained()
    seen.append(pages(worker))
    assert worker.web.startswith("http://127.0.0.1:")
    assert worker.stop() == 0

    reasons = worker.summary["records"]["dead_lettered"]
    assert {"refused_by_batch", "event_too_old", "invalid_json", "blank_user_id"} <= reasons.keys()
    assert scene.batch.stats()["by_status"]["400"] > 0
    logged = "\n".join([*map(json.dumps, worker.lines), *worker.not_json])
    assert "refused_by_batch" in logged
    assert_unmarked(logged)
    assert_unmarked("\n".join(seen))

    letters = scene.dead_letters()
    copies = [letter for letter in letters if ("segbatch.delivered", b"true") in (letter.headers() or ())]
    assert len(copies) == 20
    assert any(b"***" in (value or b"") for letter in letters for _, value in letter.headers() or ())
    for letter in letters:
        assert_unmarked(str(letter.headers()))
        assert MARK in str(letter.key())

    for command in COMMANDS:
        code, printed = command_output(scene.settings(**keys()), "dead-letters", *command)
        assert code == 0, printed
        assert_unmarked(printed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATCH__REST_API_KEY", "canary key with blanks"),
        ("BATCH__PROJECT_KEY", "canary\nline"),
        ("KAFKA__SASL_PASSWORD", "canary"),
    ],
)
def test_a_secret_that_cannot_be_used_is_not_shown(echoing: Scene, name: str, value: str) -> None:
    settings = echoing.settings(**{**keys(), name: value})
    commands = (["check"], ["config", "show"], ["config", "show", "--json"])
    printed = [command_output(settings, *command)[1] for command in commands]
    assert_unmarked("\n".join(printed))
    assert all(name.lower().replace("__", ".") in shown for shown in printed[1:])
