"""The proxy does to a connection what each toxic says, and nothing without one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from tests.chaos.proxy import Proxy
from tests.chaos.toxics import (
    Bandwidth,
    Down,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
    name_of,
)

WAIT_S = 20
HOUR_MS = 3_600_000


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = Proxy(server.sockets[0].getsockname()[:2], random.Random(1))
    await made.start()
    yield made
    await made.stop()
    server.close()


async def connect(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def echoed(proxy: Proxy, data: bytes) -> bytes:
    """What comes back of it."""
    reader, writer = await connect(proxy)
    writer.write(data)
    async with asyncio.timeout(WAIT_S):
        answer = b""
        while len(answer) < len(data) and (more := await reader.read(65_536)):
            answer += more
    writer.close()
    return answer


@pytest.mark.parametrize(
    "toxic",
    [None, Latency(ms=20, jitter_ms=10), Bandwidth(kb_per_s=500), SlowClose(ms=10), Slicer(bytes=7, us=1)],
)
async def test_what_is_slow_or_in_pieces_arrives_whole_and_in_order(
    proxy: Proxy, toxic: Toxic | None
) -> None:
    await proxy.set_toxics([toxic] if toxic else [])
    data = bytes(range(256)) * 40

    assert await echoed(proxy, data) == data
    assert (proxy.accepted, proxy.cut) == (1, 0)


@pytest.mark.parametrize(
    "toxic", [Latency(ms=HOUR_MS, jitter_ms=0), Bandwidth(kb_per_s=0.001), Slicer(bytes=1, us=HOUR_MS * 1000)]
)
async def test_a_slow_network_is_slow(proxy: Proxy, toxic: Toxic) -> None:
    await proxy.set_toxics([toxic])
    slow = asyncio.create_task(echoed(proxy, b"x" * 3_000))
    healthy = Proxy(proxy.target, random.Random(1))
    await healthy.start()

    assert [await echoed(healthy, b"y") for _ in range(50)] == [b"y"] * 50
    assert proxy.accepted == 1
    assert not slow.done()
    await healthy.stop()
    slow.cancel()


async def test_a_timeout_swallows_the_answer_and_then_closes(proxy: Proxy) -> None:
    await proxy.set_toxics([Timeout(ms=50)])

    with pytest.raises(ConnectionResetError):
        await echoed(proxy, b"hello")
    assert proxy.cut == 1


async def test_a_timeout_without_end_passes_nothing_until_it_is_taken_away(proxy: Proxy) -> None:
    await proxy.set_toxics([Timeout(ms=0)])
    reader, writer = await connect(proxy)
    writer.write(b"lost")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(100), 0.3)

    await proxy.set_toxics([])
    writer.write(b"heard")
    assert await asyncio.wait_for(reader.read(100), WAIT_S) == b"heard"
    writer.close()


async def test_a_reset_hits_open_connections_too(proxy: Proxy) -> None:
    reader, writer = await connect(proxy)
    writer.write(b"a")
    assert await asyncio.wait_for(reader.read(10), WAIT_S) == b"a"

    await proxy.set_toxics([ResetPeer(ms=1)])
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(10), WAIT_S)
    assert proxy.cut == 1


async def test_limited_data_is_cut_off(proxy: Proxy) -> None:
    await proxy.set_toxics([LimitData(bytes=1_000)])

    assert len(await echoed(proxy, b"x" * 5_000)) == 1_000
    assert proxy.cut == 1


async def test_down_refuses_and_comes_back_on_the_same_port(proxy: Proxy) -> None:
    reader, writer = await connect(proxy)
    writer.write(b"a")
    await asyncio.wait_for(reader.read(10), WAIT_S)

    await proxy.set_toxics([Down()])
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(10), WAIT_S)
    with pytest.raises(ConnectionRefusedError):
        await connect(proxy)

    await proxy.set_toxics([])
    assert await echoed(proxy, b"again") == b"again"


async def test_toxicity_is_the_share_of_the_connections(proxy: Proxy) -> None:
    await proxy.set_toxics([LimitData(bytes=0, toxicity=0.5)])
    whole = [await echoed(proxy, b"hello") == b"hello" for _ in range(40)]

    assert 8 < sum(whole) < 32


async def test_what_a_client_sent_last_arrives_although_it_has_gone(proxy: Proxy) -> None:
    """A worker that leaves its consumer group says so and closes."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read(-1))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    proxy.target = server.sockets[0].getsockname()[:2]
    _, writer = await connect(proxy)
    writer.write(b"goodbye")
    writer.close()

    assert await asyncio.wait_for(heard, WAIT_S) == b"goodbye"
    server.close()


def test_toxics_have_toxiproxys_names() -> None:
    assert [name_of(each) for each in (Latency(), ResetPeer(), LimitData(), Down())] == [
        "latency",
        "reset_peer",
        "limit_data",
        "down",
    ]
