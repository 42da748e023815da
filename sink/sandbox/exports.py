"""The exports of a sandbox: made from the profiles, each a job that takes its time (Batch, "Exports")."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from sink.sandbox import formats
from sink.sandbox.export_request import SCOPES, ExportRequest
from sink.sandbox.settings import SandboxSettings
from sink.sandbox.store import ProfileStore

STATUSES = ("CREATED", "PENDING", "RUNNING")
"""The way to SUCCESS or ERROR, a third of the export's time each."""


class File(NamedTuple):
    """One file of an export: JSON lines."""

    id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Export:
    """One export. Its content is that of the moment it was asked for; times are in seconds since 1970."""

    id: str
    request: ExportRequest
    asked_at: float
    takes_s: float
    fails: bool
    files: tuple[File, ...]

    def status(self, now: float) -> str:
        """Where it is on its way."""
        gone = now - self.asked_at
        if gone < self.takes_s:
            return STATUSES[int(gone / self.takes_s * len(STATUSES))]
        return "ERROR" if self.fails else "SUCCESS"

    def shown(self, now: float, root: str) -> dict[str, Any]:
        """What `GET /exports/view` answers; `root` is the address of the API with its version."""
        status = self.status(now)
        started = self.asked_at + self.takes_s * STATUSES.index("RUNNING") / len(STATUSES)
        files = self.files if status == "SUCCESS" else ()
        return {
            "id": self.id,
            "request_date": formats.write_time(self.asked_at),
            "start_date": formats.write_time(started) if now >= started else None,
            "completion_date": formats.write_time(self.asked_at + self.takes_s) if files else None,
            "scope": SCOPES[self.request.kind],
            "status": status,
            "files": [
                {
                    "id": file.id,
                    "part": part,
                    "size": len(file.content),
                    "url": f"{root}/exports/download?id={file.id}",
                }
                for part, file in enumerate(files)
            ],
            "request": self.request.body,
        }


class Exports:
    """All exports since the start or the last reset, and the links to their files."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._exports: dict[str, Export] = {}
        self._links: dict[str, tuple[str, float]] = {}

    def make(self, request: ExportRequest, store: ProfileStore, now: float) -> Export:
        """A new export of what the store has now."""
        settings = self._settings
        lines = _LINES[request.kind](request, store, settings.export_keys == "posted")
        files = tuple(
            File(f"file_{secrets.token_hex(8)}", part) for part in _parts(lines, settings.export_file_bytes)
        )
        made = Export(
            f"export_{secrets.token_hex(8)}",
            request,
            now,
            settings.export_ms / 1000,
            settings.export_outcome == "error",
            files,
        )
        self._exports[made.id] = made
        return made

    def get(self, export_id: str) -> Export | None:
        """The export with this id."""
        return self._exports.get(export_id)

    def link(self, file_id: str, now: float) -> str | None:
        """A new token for a file that can be downloaded now; None if there is none."""
        ready = (export for export in self._exports.values() if export.status(now) == "SUCCESS")
        if not any(file.id == file_id for export in ready for file in export.files):
            return None
        token = secrets.token_urlsafe(16)
        self._links[token] = (file_id, now + self._settings.export_link_s)
        return token

    def linked(self, token: str, now: float) -> bytes | None:
        """The content behind a link; None if the link is unknown or has expired."""
        file_id, until = self._links.get(token, ("", 0.0))
        if now >= until:
            return None
        files = (file for export in self._exports.values() for file in export.files)
        return next((file.content for file in files if file.id == file_id), None)

    def clear(self) -> None:
        """Forget all of them."""
        self._exports.clear()
        self._links.clear()


def _attribute_lines(request: ExportRequest, store: ProfileStore, posted: bool) -> Iterator[dict[str, Any]]:
    """Every profile: those of the attributes asked for that it has, under their bare names or as posted."""
    for profile in store.all():
        attributes = {}
        for key, value in profile["attributes"].items():
            name = formats.read_key(key).name
            if name in request.attributes:
                attributes[key if posted else name] = value
        identifiers: dict[str, Any] = {}
        if "custom_id" in request.identifiers:
            identifiers["custom_id"] = profile["custom_id"]
        if "installation_ids" in request.identifiers:
            identifiers["installation_ids"] = []
        yield {"identifiers": identifiers, "attributes": attributes}


def _event_lines(request: ExportRequest, store: ProfileStore, _: bool) -> Iterator[dict[str, Any]]:
    for profile in store.all():
        for event in profile["events"]:
            at = event.get("time", event["received_at"])
            if (formats.read_time(at) or 0.0) >= request.since:
                yield {"identifiers": {"custom_id": profile["custom_id"]}, **event, "time": at}


def _no_lines(_: ExportRequest, __: ProfileStore, ___: bool) -> Iterator[dict[str, Any]]:
    """The sandbox keeps no history of opt-ins."""
    return iter(())


_LINES = {"ATTRIBUTES": _attribute_lines, "EVENTS": _event_lines, "REACHABILITY": _no_lines}


def _parts(lines: Iterable[dict[str, Any]], largest: int) -> Iterator[bytes]:
    """The lines in files of at most so many bytes, as far as a line allows."""
    part = bytearray()
    for line in lines:
        encoded = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        if part and len(part) + len(encoded) > largest:
            yield bytes(part)
            part.clear()
        part += encoded
    if part:
        yield bytes(part)
