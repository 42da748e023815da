"""`segbatch sandbox` as people start it."""

from __future__ import annotations

import json
import signal
import socket
from dataclasses import fields
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from typer.main import get_command

from sink.sandbox import SandboxSettings
from streams.command_line import app
from tests.streams.commands.helpers import Segbatch, Start


def post(url: str, updates: list[Any], key: str = "any") -> int:
    headers = {
        "Authorization": f"Bearer {key}",
        "X-Batch-Project": "any",
        "Content-Type": "application/json",
    }
    try:
        with urlopen(
            Request(f"{url}/2.11/profiles/update", json.dumps(updates).encode(), headers)
        ) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_says_where_it_listens_and_stops_when_asked(start: Start, stop: signal.Signals) -> None:
    process = start("sandbox", "--port", "0")

    ready = json.loads(process.stdout.readline())
    assert ready["event"] == "ready"
    assert post(ready["web"], [{"identifiers": {"custom_id": "u1"}, "attributes": {"plan": "gold"}}]) == 202
    with urlopen(f"{ready['web']}/_sandbox/profiles/u1") as response:
        assert json.load(response)["attributes"] == {"plan": "gold"}

    process.send_signal(stop)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert json.loads(out)["updates"] == 1
    assert err == ""


def test_its_limits_are_those_of_the_options(start: Start) -> None:
    process = start(
        "sandbox", "--port", "0", "--rate", "0", "--burst", "1", "--rest-api-key", "right", "--light"
    )
    url = json.loads(process.stdout.readline())["web"]
    update = [{"identifiers": {"custom_id": "u1"}}]

    assert [post(url, update, key) for key in ("wrong", "right", "right")] == [401, 202, 429]
    with urlopen(f"{url}/_sandbox/stats") as response:
        stats = json.load(response)
    assert (stats["updates"], stats["profiles"], stats["refused_429"]) == (1, 0, 1)


def test_every_setting_is_an_option_with_help_and_the_same_default() -> None:
    options = {option.name: option for option in get_command(app).commands["sandbox"].params}  # type: ignore[attr-defined]

    for field in fields(SandboxSettings):
        option = options.pop(field.name)
        assert option.opts == [f"--{field.name.replace('_', '-')}"]
        assert option.help
        assert option.default == field.default
    assert set(options) <= {"help"}


def test_an_impossible_setting_is_one_clear_line(segbatch: Segbatch) -> None:
    result = segbatch("sandbox", "--burst", "0")

    assert result.exit_code == 2
    assert result.stderr == "segbatch: sandbox: burst must be a number greater than 0\n"


def test_a_choice_that_there_is_not_is_told_with_those_there_are(segbatch: Segbatch) -> None:
    result = segbatch("sandbox", "--empty-array", "foo")

    assert result.exit_code == 2
    assert "Invalid value for '--empty-array': 'foo' is not one of 'reject_call'" in result.stderr


def test_a_port_in_use_is_one_clear_line(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        process = start("sandbox", "--port", str(port))
        out, err = process.communicate(timeout=20)

    assert process.returncode == 2
    assert out == ""
    assert f"cannot listen on 127.0.0.1:{port}: another process listens there; --port chooses another" in err
    assert len(err.splitlines()) == 1
