"""The state folder: a folder of its own for each backfill, held by one process at a time."""

from __future__ import annotations

import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from streams.backfill.plan import Plan, read_plan
from streams.backfill.problems import BackfillError
from streams.backfill.report import report_of
from streams.backfill.store import Store

FINISHED = ("done", "cancelled")
_DATABASE = "state.sqlite"
_CANCEL = "cancel"


def new_id(now: float) -> str:
    """An id that sorts by time, such as `20260302-091407-3fa2`."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class Folder:
    """All backfills of one state folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ids(self) -> list[str]:
        """Every backfill there is, oldest first."""
        return sorted(found.parent.name for found in self.path.glob(f"*/{_DATABASE}"))

    def facts(self, backfill: str) -> dict[str, Any]:
        """The plan, the phase and the report of a backfill. Raises BackfillError for an unknown id."""
        with _opened(self._database(backfill)) as store:
            return {
                "plan": store.fact("plan"),
                "phase": store.fact("phase"),
                "report": report_of(store, backfill),
                "running": self._is_running(backfill),
            }

    @contextmanager
    def made(self, plan: Plan) -> Iterator[Store]:
        """A new backfill, held; one whose range could not be fixed leaves nothing behind.

        Raises BackfillError if one of the same range is not finished.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _held(self.path / "lock", "another backfill is being started in this folder; try again"):
            for other in self.ids():
                facts = self.facts(other)
                if facts["phase"] not in FINISHED and read_plan(facts["plan"]).range_key == plan.range_key:
                    state = "is running" if facts["running"] else "was not finished"
                    raise BackfillError(
                        f"backfill {other} of the same range {state}: go on with `segbatch backfill --resume {other}`, "
                        f"or end it with `segbatch backfill cancel {other}`"
                    )
            stack = ExitStack()
            place = self.path / plan.id
            place.mkdir(mode=0o700)
            stack.enter_context(_held(place / "lock", f"backfill {plan.id} is running"))
            store = stack.enter_context(_opened(place / _DATABASE))
            with store.begin():
                store.put("plan", plan.as_json())
                store.put("phase", "reading")
        with stack:
            try:
                yield store
            finally:
                if store.fact("files") is None:
                    self.discard(plan.id)

    @contextmanager
    def resumed(self, backfill: str) -> Iterator[tuple[Plan, Store]]:
        """A backfill that was begun, held. Raises BackfillError if it is unknown, runs, or has ended."""
        database = self._database(backfill)
        with _held(database.with_name("lock"), f"backfill {backfill} is running"), _opened(database) as store:
            phase = store.fact("phase")
            if phase in FINISHED:
                raise BackfillError(f"backfill {backfill} is {phase}: there is nothing to go on with")
            yield read_plan(store.fact("plan")), store

    @contextmanager
    def looked_into(self, backfill: str) -> Iterator[Store]:
        """The state of a backfill, held, to be read. Raises BackfillError if it is unknown, or runs."""
        database = self._database(backfill)
        with _held(database.with_name("lock"), f"backfill {backfill} is running"), _opened(database) as store:
            yield store

    def _is_running(self, backfill: str) -> bool:
        """Whether a process holds it."""
        try:
            with _held(self.path / backfill / "lock", ""):
                return False
        except BackfillError:
            return True

    def ask_to_cancel(self, backfill: str) -> None:
        """Ask the process that holds it to end it."""
        (self._database(backfill).with_name(_CANCEL)).touch()

    def is_asked_to_cancel(self, backfill: str) -> bool:
        """Whether somebody did."""
        return (self.path / backfill / _CANCEL).exists()

    def letters(self, backfill: str) -> Path:
        """Where refused updates go when there is no Kafka."""
        return self.path / backfill / "dead-letters.jsonl"

    def discard(self, backfill: str) -> None:
        """Remove everything of a backfill."""
        shutil.rmtree(self.path / backfill, ignore_errors=True)

    def _database(self, backfill: str) -> Path:
        found = self.path / backfill / _DATABASE
        if "/" in backfill or not found.is_file():
            known = ", ".join(self.ids()[-5:]) or "none"
            raise BackfillError(f"there is no backfill {backfill!r} in {self.path} (the latest: {known})")
        return found


@contextmanager
def _opened(path: Path) -> Iterator[Store]:
    store = Store(path)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _held(path: Path, otherwise: str) -> Iterator[None]:
    """A lock that the operating system lets go when the process ends, however it ends."""
    file: IO[bytes]
    with open(path, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackfillError(otherwise) from None
        yield
