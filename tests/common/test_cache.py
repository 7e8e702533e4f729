"""The in-memory cache."""

from services.common.cache import MemoryCache


async def test_least_recently_used_goes_first() -> None:
    cache = MemoryCache(max_bytes=30)
    for key in ("a", "b", "c"):
        await cache.put(key, b"x" * 10)
    assert (await cache.get("a")).outcome == "hit"
    await cache.put("d", b"x" * 10)
    assert (await cache.get("b")).outcome == "miss"
    assert (await cache.get("a")).value == b"x" * 10


async def test_replacing_does_not_count_twice() -> None:
    cache = MemoryCache(max_bytes=25)
    for _ in range(5):
        await cache.put("a", b"x" * 10)
    await cache.put("b", b"x" * 10)
    assert (await cache.get("a")).outcome == "hit"


async def test_larger_than_the_cache_is_not_kept() -> None:
    cache = MemoryCache(max_bytes=5)
    await cache.put("a", b"x" * 10)
    assert (await cache.get("a")).outcome == "miss"
    await cache.put("b", b"x" * 5)
    assert (await cache.get("b")).outcome == "hit"
