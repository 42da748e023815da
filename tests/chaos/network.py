"""The two legs of a worker's network, each through proxies: to Batch (`http`) and to the brokers (`kafka`)."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Coroutine, Sequence
from typing import Any

from tests.chaos.proxy import Proxy
from tests.chaos.toxics import Toxic

WAIT_S = 20.0


class Leg:
    """One way out of the workers, through a proxy for each address at its end."""

    def __init__(self, name: str, network: Network, proxies: Sequence[Proxy]) -> None:
        self.name = name
        self._network = network
        self._proxies = proxies

    @property
    def ports(self) -> list[int]:
        """Where its proxies listen."""
        return [proxy.port for proxy in self._proxies]

    @property
    def cut(self) -> int:
        """Connections that toxics closed so far."""
        return sum(proxy.cut for proxy in self._proxies)

    def lead_to(self, targets: Sequence[tuple[str, int]]) -> None:
        """The addresses at its end, one for each proxy."""
        for proxy, target in zip(self._proxies, targets, strict=True):
            proxy.target = target

    def poison(self, *toxics: Toxic) -> None:
        """These toxics act from now on, in the place of those before; none: the leg is healthy."""
        for proxy in self._proxies:
            self._network.run(proxy.set_toxics(toxics))


class Network:
    """Runs the proxies on a thread of their own."""

    def __init__(self, brokers: int, chances: random.Random) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        nowhere = ("127.0.0.1", 9)
        self._proxies = [Proxy(nowhere, chances) for _ in range(brokers + 1)]
        for proxy in self._proxies:
            self.run(proxy.start())
        self.http = Leg("http", self, self._proxies[:1])
        self.kafka = Leg("kafka", self, self._proxies[1:])

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this on the proxies' thread, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    def close(self) -> None:
        for proxy in self._proxies:
            self.run(proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()
