"""The connection to Ray."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray

OBJECT_STORE_BYTES = 512 * 2**20
"""Of a Ray that is started here. Parts under way take 32 MiB each; more only costs memory."""


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """A Ray cluster, or a Ray of this machine alone that ends with the block.

    Args:
        address: As `ray.init` takes it; None to start one.
    """
    # Photos and whereabouts are nobody's business: Ray would tell its makers of its use.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        ray.init("local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES)
    else:
        ray.init(address)
    try:
        yield
    finally:
        ray.shutdown()
