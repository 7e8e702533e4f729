"""Where answers already worked out are kept: one narrow interface, memory behind it.

The encoder keeps features in it, the gateway finished captions.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, Protocol

from services.common.health import State

Outcome = Literal["hit", "miss", "bypass"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """`bypass`: the cache could not be asked."""

    outcome: Outcome
    value: bytes | None = None


class Cache(Protocol):
    """Never raises: a cache is only ever a help."""

    kind: str

    async def get(self, key: str) -> Lookup: ...

    async def put(self, key: str, value: bytes) -> None: ...

    def state(self) -> State: ...

    async def close(self) -> None: ...


class MemoryCache:
    """Least recently used entries go first once `max_bytes` are held."""

    kind = "memory"

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> Lookup:
        value = self._entries.get(key)
        if value is None:
            return Lookup("miss")
        self._entries.move_to_end(key)
        return Lookup("hit", value)

    async def put(self, key: str, value: bytes) -> None:
        self._bytes += len(value) - len(self._entries.pop(key, b""))
        self._entries[key] = value
        while self._bytes > self._max_bytes:
            _, dropped = self._entries.popitem(last=False)
            self._bytes -= len(dropped)

    def state(self) -> State:
        return "ok"

    async def close(self) -> None:
        self._entries.clear()
        self._bytes = 0
