"""`segbatch sandbox`: the local Batch."""

from __future__ import annotations

import asyncio
import inspect
import signal
from dataclasses import MISSING, fields
from typing import Annotated, Any, NamedTuple, get_type_hints

import structlog
import typer
import uvloop

from sink.sandbox import SandboxSettings, start_sandbox
from streams.commands.options import fail
from streams.logs import configure_logs
from streams.web import why_not_listening

log = structlog.get_logger("segbatch.sandbox")

_LIMITS = "Limits and time"
_KEYS = "What is accepted"
_OPEN = "Where Batch documents no answer"
_REJECT_OR_PART = "refuse the whole call (400), or only what is too much (202)"


class _Help(NamedTuple):
    text: str
    panel: str = "Options"


_HELP = {
    "host": _Help("Address to listen on."),
    "port": _Help("Port to listen on; 0 takes any that is free."),
    "light": _Help("Counts only, for load tests: nothing is validated, stored or logged."),
    "call_log_size": _Help("Calls that /_sandbox/calls remembers."),
    "update_log_size": _Help("Applied updates that /_sandbox/updates remembers."),
    "seed": _Help("Makes faults and random delays repeatable."),
    "rate": _Help("Profile updates a second on /profiles/update.", _LIMITS),
    "burst": _Help("Most profile updates that may come at once on /profiles/update.", _LIMITS),
    "mass_rate": _Help("Profile updates a second on /profiles/mass-update.", _LIMITS),
    "latency_ms": _Help("Every call is answered this much later, milliseconds.", _LIMITS),
    "apply_delay_ms": _Help("An accepted call shows in the profiles this much later.", _LIMITS),
    "apply_out_of_order": _Help("That delay is random for each call: calls overtake one another.", _LIMITS),
    "apply_routes_apart": _Help(
        "That delay is random, but each route keeps its order: only update and mass-update overtake.", _LIMITS
    ),
    "export_rate": _Help("Calls a second of the export routes.", _LIMITS),
    "export_burst": _Help("Most calls that may come at once on the export routes.", _LIMITS),
    "export_ms": _Help("An export takes this long.", _LIMITS),
    "export_file_bytes": _Help("The largest file of an export.", _LIMITS),
    "export_link_s": _Help("How long the link to an export's file is valid, seconds.", _LIMITS),
    "export_outcome": _Help("How exports end.", _LIMITS),
    "rest_api_key": _Help("The one REST API key that is accepted; without it any.", _KEYS),
    "project_key": _Help("The one project key that is accepted; without it any.", _KEYS),
    "versions": _Help("A regular expression for the API versions that exist.", _KEYS),
    "empty_array": _Help("A call without updates: refuse it (400), or take it as a success.", _OPEN),
    "missing_identifiers": _Help(
        "An update without valid identifiers: refuse the whole call (400), or only the update (202).", _OPEN
    ),
    "too_many_events": _Help(f"Over 15 events in an update: {_REJECT_OR_PART}.", _OPEN),
    "too_many_attributes": _Help(f"Over 50 attributes in an update: {_REJECT_OR_PART}.", _OPEN),
    "upper_case_names": _Help("Capitals in names: refuse them, or lower-case them.", _OPEN),
    "utc_only": _Help("Refuse times that end in an offset rather than in Z.", _OPEN),
    "retry_after_s": _Help("Retry-After of a 429, seconds; without it the header is not sent.", _OPEN),
    "refusal_body": _Help("The body of a 429.", _OPEN),
    "max_body_bytes": _Help("A larger body is refused with 413.", _OPEN),
    "max_event_bytes": _Help("The largest event, as compact JSON.", _OPEN),
    "max_event_attributes": _Help("Most attributes of an event and of an object in it.", _OPEN),
    "max_custom_id_chars": _Help("The longest custom_id.", _OPEN),
    "max_email_chars": _Help("The longest e-mail address.", _OPEN),
    "event_max_age_s": _Help("Older events are refused, seconds.", _OPEN),
    "export_keys": _Help("Names of attributes in an export: bare, or as posted (date(x)).", _OPEN),
    "echo_values": _Help("The message of every error ends in what the call held.", _OPEN),
    "event_skew_s": _Help("How far in the future an event's time may be, seconds.", _OPEN),
}
"""The help of each field of SandboxSettings."""


def register(app: typer.Typer) -> None:
    """Add the command: an option for each field of SandboxSettings."""
    types = get_type_hints(SandboxSettings)
    parameters = []
    for field in fields(SandboxSettings):
        described = _HELP[field.name]
        name = f"--{field.name.replace('_', '-')}"
        option = typer.Option(name, help=described.text, rich_help_panel=described.panel)
        parameters.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if field.default is MISSING else field.default,
                annotation=Annotated[types[field.name], option],
            )
        )

    def sandbox(**options: Any) -> None:
        """Run a local stand-in for Batch's Profiles API, for development and tests, until SIGTERM.

        GET /_sandbox lists the routes to look at what it received. docs/sandbox.md tells the rest.
        """
        _run(options)

    vars(sandbox)["__signature__"] = inspect.Signature(parameters)
    sandbox.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app.command("sandbox")(sandbox)


def _run(options: dict[str, Any]) -> None:
    try:
        settings = SandboxSettings(**options)
    except ValueError as error:
        fail(f"sandbox: {error}")
    configure_logs()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))
    except OSError as error:
        fail(
            f"sandbox: cannot listen on {settings.host}:{settings.port}: {why_not_listening(error)}; "
            "--port chooses another port, 0 any that is free"
        )


async def _serve(settings: SandboxSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    sandbox = await start_sandbox(settings)
    log.info("ready", web=sandbox.url)
    await stop.wait()
    stats = sandbox.stats()
    await sandbox.stop()
    log.info("stopped", calls=stats["calls"], updates=stats["updates"], events=stats["events"])
