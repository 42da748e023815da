"""`segbatch status`: one screen of what a worker is doing, worst first."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import orjson
import typer
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from streams.commands.findings import counted
from streams.commands.options import EXIT_FAILED, EXIT_USAGE, ConfigFile, fail, load_or_exit

LONGEST_S = 10.0
ROWS = 15
_SLOW_S = 60.0


def status(
    url: Annotated[
        str | None, typer.Option("--url", help="The worker's address; else that of web.host and web.port.")
    ] = None,
    in_json: Annotated[bool, typer.Option("--json", help="The page as the worker gives it.")] = False,
    config: ConfigFile = None,
) -> None:
    """Show what a running worker does, what each partition waits for, and which setting to look at.

    Exit code 0: it delivers; 1: it does not; 2: it cannot be asked.
    """
    address = (url or _address(config)).rstrip("/")
    page = asyncio.run(_fetch(f"{address}/status"))
    if in_json:
        typer.echo(orjson.dumps(page, option=orjson.OPT_INDENT_2).decode())
    else:
        Console(highlight=False).print(screen(page, address))
    if not page.get("ok"):
        raise typer.Exit(EXIT_FAILED)


def _address(config: Path | None) -> str:
    web = load_or_exit(config).settings.web
    if web.port == 0:
        fail("web.port is 0: give the worker's address with --url; its log says it in the line `ready`")
    host = _reachable(web.host)
    return f"http://[{host}]:{web.port}" if ":" in host else f"http://{host}:{web.port}"


def _reachable(host: str) -> str:
    """Where to ask a worker that listens on `host`: one that listens on every address is asked on loopback."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


async def _fetch(url: str) -> dict[str, Any]:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LONGEST_S)) as session,
            session.get(url) as response,
        ):
            body = await response.read()
            if response.status != 200:
                fail(f"{url} answers {response.status}: is that a segbatch worker?", EXIT_USAGE)
            page = orjson.loads(body)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        fail(f"{url} cannot be asked ({type(error).__name__}): does a worker run there? --url names another")
    return dict(page) if isinstance(page, dict) else fail(f"{url} is no worker's status page")


def screen(page: Mapping[str, Any], address: str) -> Group:
    """The page for a person."""
    return Group(_headline(page, address), *_problems(page), _table(page["partitions"]), *_footer(page))


def _headline(page: Mapping[str, Any], address: str) -> Text:
    style = "bold green" if page["ok"] else "bold red"
    return Text.assemble((str(page["state"]).upper(), style), f"  {address}")


def _problems(page: Mapping[str, Any]) -> list[Text]:
    shown = [(page["problems"], "bold red"), (page.get("warnings") or {}, "bold yellow")]
    return [
        Text.assemble((f"{leg}: ", style), str(problem))
        for problems, style in shown
        for leg, problem in problems.items()
    ]


def _table(partitions: list[Mapping[str, Any]]) -> Table | Text:
    if not partitions:
        return Text("No partition is assigned to this worker.")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("partition")
    for name in ("committed", "position", "unread", "waiting", "oldest"):
        table.add_column(name, justify="right")
    table.add_column("waits for")
    for row in partitions[:ROWS]:
        oldest = row["oldest_waiting_s"]
        table.add_row(
            f"{row['topic']}[{row['partition']}]",
            _number(row["committed"]),
            _number(row["position"]),
            _number(row["unread"]),
            _number(row["waiting"]),
            Text(_duration(oldest), style="yellow" if (oldest or 0) > _SLOW_S else ""),
            str(row["waits_for"] or "").replace("_", " "),
        )
    if len(partitions) > ROWS:
        table.add_row(f"and {len(partitions) - ROWS} more")
    return table


def _footer(page: Mapping[str, Any]) -> list[str]:
    hand, limiter = page["in_hand"], page["limiter"]
    mappings = page["mappings"]
    return [
        f"in hand: {counted(hand['records'], 'record')} of "
        f"{counted(hand['profiles_waiting'] + hand['updates_out'], 'profile')}, {hand['bytes'] / 1e6:,.0f} MB, "
        f"{counted(hand['updates_out'], 'update')} out",
        f"tokens: {limiter['tokens']:,.0f} of {limiter['capacity']:,.0f}, {limiter['rate_per_s']:,.0f} a second "
        f"of {limiter['full_rate_per_s']:,.0f}",
        f"mappings: {', '.join(mappings.get('mappings') or ())}",
        *_refused(mappings),
        *_reading_first(page.get("catch_up", {})),
    ]


def _reading_first(catch_up: Mapping[str, Any]) -> list[str]:
    """A worker that sends nothing although it could, for a moment."""
    if not catch_up.get("active"):
        return []
    return [
        f"reading first: {counted(catch_up['unread'], 'record')}, so that what they say of one user leaves together"
    ]


def _refused(mappings: Mapping[str, Any]) -> list[str]:
    """A mappings file that was refused when it was read again: those in force are older than the file."""
    if "refused_at" not in mappings:
        return []
    problems = len(mappings.get("problems") or ())
    return [
        f"the mappings file was refused at {mappings['refused_at']}, {counted(problems, 'problem')}: the mappings "
        f"above stay in force, from {mappings['since']}; the log and /readyz name the problems"
    ]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
