"""What the program writes to its log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from streams.logs import configure_logs, mask_secrets


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_with_the_keys_at_top_level() -> None:
    stream = io.StringIO()
    configure_logs("auto", "info", stream)
    log = structlog.get_logger()
    log.info("ready", web="http://127.0.0.1:6066")
    log.info("summary", records={"accepted": 2, "skipped": {}}, calls={202: 1})
    ready, summary = lines(stream)
    assert list(ready) == ["timestamp", "level", "event", "web"]
    assert (ready["event"], ready["level"], ready["web"]) == ("ready", "info", "http://127.0.0.1:6066")
    assert summary["event"] == "summary"
    assert summary["records"] == {"accepted": 2, "skipped": {}}
    assert summary["calls"] == {"202": 1}


def test_logs_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json")
    structlog.get_logger().info("ready", web="http://x")
    captured = capsys.readouterr()
    assert json.loads(captured.out)["event"] == "ready"
    assert captured.err == ""


def test_a_terminal_gets_text() -> None:
    terminal = Terminal()
    configure_logs("auto", "info", terminal)
    structlog.get_logger().info("ready")
    assert "ready" in terminal.getvalue()
    assert "{" not in terminal.getvalue()


def test_the_format_can_be_chosen() -> None:
    terminal, plain = Terminal(), io.StringIO()
    configure_logs("json", "info", terminal)
    structlog.get_logger().info("ready")
    assert lines(terminal)[0]["event"] == "ready"
    configure_logs("text", "info", plain)
    structlog.get_logger().info("ready", partition=3)
    assert plain.getvalue().split()[1:] == ["[info", "]", "ready", "partition=3"]


def test_the_level_is_the_least_that_is_logged() -> None:
    stream = io.StringIO()
    configure_logs("json", "warning", stream)
    log = structlog.get_logger()
    log.info("unheard")
    log.warning("heard")
    assert [line["event"] for line in lines(stream)] == ["heard"]


def test_libraries_log_through_the_same_renderer_from_warning_on() -> None:
    stream = io.StringIO()
    configure_logs("json", "debug", stream)
    for library in ("aiohttp.access", "faust", "mode"):
        logging.getLogger(library).info("unheard")
        logging.getLogger(library).warning("heard %s", library, extra={"partition": 3})
    assert [(line["event"], line["logger"], line["partition"]) for line in lines(stream)] == [
        (f"heard {library}", library, 3) for library in ("aiohttp.access", "faust", "mode")
    ]


def test_a_traceback_stays_on_one_line() -> None:
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    try:
        raise ValueError("wrong")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert line["level"] == "error"
    assert line["exception"].endswith("ValueError: wrong")


@pytest.mark.parametrize("format", ["json", "text"])
def test_known_secrets_are_masked_wherever_they_stand(format: Any) -> None:
    stream = io.StringIO()
    configure_logs(format, "info", stream)
    mask_secrets(['hunter"22\\', "hunter"])
    log = structlog.get_logger()
    log.info('got hunter"22\\', nested={"list": ['x hunter"22\\ x']}, error=ValueError("hunter"))
    logging.getLogger("library").warning("with %s", "hunter")
    try:
        raise RuntimeError("hunter")
    except RuntimeError:
        log.exception("failed")
    assert "hunter" not in stream.getvalue()
    assert stream.getvalue().count("********") == 6


def test_short_words_are_not_taken_for_secrets() -> None:
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    mask_secrets(["", "ea"])
    structlog.get_logger().info("ready")
    assert lines(stream)[0]["event"] == "ready"


def test_what_json_cannot_hold_is_logged_as_text() -> None:
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    structlog.get_logger().info("odd \ud800", big=2**70, path=io, ok=None, items={1}, raw=b"x")
    (line,) = lines(stream)
    assert line["event"] == "odd ?"
    assert line["big"] == str(2**70)
    assert line["ok"] is None
    assert line["items"] == [1]
    assert line["raw"] == "b'x'"
