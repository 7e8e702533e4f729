"""A Ray cluster of several machines' worth of processes on this one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

MEBIBYTE = 2**20
OBJECT_STORE_BYTES = 150 * MEBIBYTE


@dataclass
class Node:
    """A raylet with all its children: what dies when a machine does."""

    raylet: psutil.Process

    def processes(self) -> list[psutil.Process]:
        return [self.raylet, *self.raylet.children(recursive=True)]

    def kill(self) -> None:
        """SIGKILL to all at once."""
        for process in self.processes():
            process.kill()


@dataclass
class RayCluster:
    address: str
    head: Node
    workers: list[Node] = field(default_factory=list)

    def processes(self) -> list[psutil.Process]:
        return [
            process
            for node in (self.head, *self.workers)
            if node.raylet.is_running()
            for process in node.processes()
        ]


@contextmanager
def ray_cluster(workers: int) -> Iterator[RayCluster]:
    """A head that does no work, and workers of one core each, with token authentication."""
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # read once in a process
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
    from ray.cluster_utils import Cluster

    store = {"object_store_memory": OBJECT_STORE_BYTES}
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **store}
    )
    try:
        nodes = [cluster.add_node(num_cpus=1, **store) for _ in range(workers)]
        yield RayCluster(cluster.address, _node(cluster.head_node), list(map(_node, nodes)))
    finally:
        cluster.shutdown()


def _node(node: Any) -> Node:
    (raylet,) = node.all_processes["raylet"]
    return Node(psutil.Process(raylet.process.pid))
