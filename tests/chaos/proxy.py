"""A TCP proxy that makes a network bad on demand."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from tests.chaos.toxics import (
    Bandwidth,
    Direction,
    Down,
    FlowToxic,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)

READ_BYTES = 65_536
CHUNKS_ON_THE_WAY = 64
CLOSE_S = 2.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Kind = TypeVar("Kind", bound=FlowToxic)


class Chunk(NamedTuple):
    """Bytes and when they came in (the event loop's clock)."""

    data: bytes
    at: float


class Proxy:
    """Listens on a port of the loopback interface and passes connections on to `target` (host, port)."""

    def __init__(self, target: tuple[str, int], chances: random.Random) -> None:
        self.target = target
        self.port = 0
        self.accepted = 0
        """Connections so far."""
        self.cut = 0
        """Connections that a toxic closed, reset or refused."""
        self._chances = chances
        self._toxics: tuple[Toxic, ...] = ()
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    async def start(self) -> None:
        """Listen on any free port, or on that of before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more and close all connections."""
        await self._shut()
        tasks = [connection.task for connection in self._connections if connection.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def set_toxics(self, toxics: Iterable[Toxic]) -> None:
        """These toxics, and no others, act from now on, on open connections too."""
        was_down = any(isinstance(toxic, Down) for toxic in self._toxics)
        self._toxics = tuple(toxics)
        is_down = any(isinstance(toxic, Down) for toxic in self._toxics)
        for connection in list(self._connections):
            connection.infect(self._drawn())
        if is_down and not was_down:
            await self._shut()
            self.cut += len(self._connections)
            for connection in list(self._connections):
                connection.reset()
        if was_down and not is_down:
            await self.start()

    def _drawn(self) -> list[FlowToxic]:
        """The toxics that hit one connection."""
        return [
            toxic
            for toxic in self._toxics
            if not isinstance(toxic, Down) and self._chances.random() < toxic.toxicity
        ]

    async def _shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        connection = Connection(reader, writer, self._chances, self._note_cut)
        connection.task = asyncio.current_task()
        self._connections.add(connection)
        try:
            connection.infect(self._drawn())
            with suppress(asyncio.CancelledError):  # by `stop`: asyncio would report it as an error
                await connection.run(self.target)
        finally:
            self._connections.discard(connection)

    def _note_cut(self) -> None:
        self.cut += 1


class Connection:
    """One client's connection and ours to the server, with the toxics that hit it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        chances: random.Random,
        note_cut: Callable[[], None],
    ) -> None:
        self.task: asyncio.Task[None] | None = None
        self._client = (reader, writer)
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._chances = chances
        self._note_cut = note_cut
        self._toxics: list[FlowToxic] = []
        self._passed: dict[Direction, int] = {"up": 0, "down": 0}
        self._timers: list[asyncio.TimerHandle] = []

    def infect(self, toxics: list[FlowToxic]) -> None:
        """These toxics act on it from now on, in the place of those before."""
        for timer in self._timers:
            timer.cancel()
        self._toxics = toxics
        self._passed = {"up": 0, "down": 0}
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(toxic.ms / 1000, self._cut)
            for toxic in toxics
            if isinstance(toxic, ResetPeer) or (isinstance(toxic, Timeout) and toxic.ms)
        ]

    async def run(self, target: tuple[str, int]) -> None:
        """Pass data both ways until either side closes."""
        try:
            self._server = await asyncio.open_connection(*target)
        except OSError:
            self.reset()
            return
        pumps = [
            asyncio.create_task(self._pump("up", self._client[0], self._server[1])),
            asyncio.create_task(self._pump("down", self._server[0], self._client[1])),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(
                max((t.ms / 1000 for t in self._toxics if isinstance(t, SlowClose)), default=0)
            )
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for timer in self._timers:
                timer.cancel()
            await self._close()

    async def _close(self) -> None:
        """Close both sides; what was written still arrives."""
        for writer in (self._client[1], *([self._server[1]] if self._server else [])):
            writer.close()
            with suppress(TimeoutError, OSError):
                await asyncio.wait_for(writer.wait_closed(), CLOSE_S)

    def reset(self) -> None:
        """Close both sides at once: what is on its way is lost."""
        for writer in (self._client[1], *([self._server[1]] if self._server else [])):
            with suppress(OSError):
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()

    def _cut(self) -> None:
        self._note_cut()
        self.reset()

    async def _pump(
        self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Read and write apart, so that data that is late does not hold up what comes behind it."""
        chunks: asyncio.Queue[Chunk | None] = asyncio.Queue(CHUNKS_ON_THE_WAY)
        reading = asyncio.create_task(self._read(direction, reader, chunks))
        try:
            while (chunk := await chunks.get()) is not None:
                if not await self._pass_on(direction, chunk, writer):
                    return
        except (ConnectionError, OSError):
            return
        finally:
            reading.cancel()

    async def _read(
        self, direction: Direction, reader: asyncio.StreamReader, chunks: asyncio.Queue[Chunk | None]
    ) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError, OSError):
            while data := await reader.read(READ_BYTES):
                await chunks.put(Chunk(data, loop.time()))
        if direction == "up" and self._toxics:
            # The client gave up: what a bad network still holds of it never arrives.
            while not chunks.empty():
                chunks.get_nowait()
        await chunks.put(None)

    async def _pass_on(self, direction: Direction, chunk: Chunk, writer: asyncio.StreamWriter) -> bool:
        """Write one chunk as the toxics have it; False if that ends the connection."""
        if late := self._acting(direction, Latency):
            delay = (late.ms + self._chances.uniform(-late.jitter_ms, late.jitter_ms)) / 1000
            await asyncio.sleep(max(0.0, chunk.at + delay - asyncio.get_running_loop().time()))
        if self._acting(direction, Timeout):
            return True
        for pause_s, piece in self._pieces(direction, chunk.data):
            await asyncio.sleep(pause_s)
            limit = self._acting(direction, LimitData)
            room = limit.bytes - self._passed[direction] if limit else len(piece)
            self._passed[direction] += len(piece)
            writer.write(piece[: max(0, room)])
            await writer.drain()
            if room < len(piece):
                self._note_cut()
                return False
        return True

    def _pieces(self, direction: Direction, data: bytes) -> Iterable[tuple[float, bytes]]:
        """Slices of the data, each with the pause before it, seconds."""
        slicer, bandwidth = self._acting(direction, Slicer), self._acting(direction, Bandwidth)
        size = slicer.bytes if slicer else len(data)
        pause_s = slicer.us / 1e6 if slicer else 0.0
        if bandwidth:
            # A tenth of a second's worth at once, so that the speed is even.
            size = min(size, max(1, int(bandwidth.kb_per_s * 100)))
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            waits = len(piece) / (bandwidth.kb_per_s * 1000) if bandwidth else 0.0
            yield pause_s + waits, piece

    def _acting(self, direction: Direction, kind: type[Kind]) -> Kind | None:
        return next((t for t in self._toxics if isinstance(t, kind) and t.direction == direction), None)
