"""Logging: one line an event on standard output, JSON for machines and text for a terminal.

Every record, also of the libraries, goes through the same renderer, which masks the values of known secrets.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "********"
SHORTEST_SECRET = 4
"""Shorter texts stand in too many words to be masked, and are no secrets."""
_QUIET_LIBRARIES = ("aiohttp", "asyncio", "faust", "mode", "streams.app", "streams.source")
"""The last two: Faust names the loggers of its services after our modules."""
_FIRST_KEYS = ("timestamp", "level", "event")
_JSON_INTEGERS = 2**63
_secrets: set[str] = set()


def mask_secrets(secrets: Iterable[str]) -> None:
    """Masks these texts in every value that is logged from now on, until the process ends."""
    _secrets.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)


def configure_logs(
    format: Literal["auto", "json", "text"] = "auto", level: str = "info", stream: TextIO | None = None
) -> None:
    """Sends all logs to `stream` (standard output), flushed line by line.

    Args:
        format: `json`, `text`, or `auto`: text if the stream is a terminal.
        level: the least important level that is logged; the libraries log from `warning` on.
        stream: where to; None for standard output.
    """
    target = sys.stdout if stream is None else stream
    text = format == "text" or (format == "auto" and target.isatty())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder(), structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                _mask,
                structlog.dev.ConsoleRenderer(colors=target.isatty()) if text else _render_json,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Every one of librdkafka's errors reaches us as an error too, and is logged with what to do about it.
    logging.getLogger("librdkafka").setLevel(logging.DEBUG if level == "debug" else logging.CRITICAL)
    for library in _QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {_writable(str(key)): _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:
    """The value with secrets masked; what is no JSON value becomes its text first."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < _JSON_INTEGERS:
        return value
    if isinstance(value, Mapping):
        return {_writable(str(key)): _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    text = _writable(str(value))
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _writable(text: str) -> str:
    """The text without lone surrogates, which no UTF-8 stream takes."""
    return text.encode(errors="replace").decode()


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    ordered = {key: event[key] for key in _FIRST_KEYS if key in event} | dict(event)
    return orjson.dumps(ordered).decode()
