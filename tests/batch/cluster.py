"""A Ray cluster of several machines' worth of processes on this one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
    other: Node

    def processes(self) -> list[psutil.Process]:
        return [
            process
            for node in (self.head, self.other)
            if node.raylet.is_running()
            for process in node.processes()
        ]


@contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """Two machines of one core each, with token authentication; the head is one of them."""
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # read once in a process
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # 15 by default, which starves them on two shared cores
    }
    from ray.cluster_utils import Cluster

    machine = {"num_cpus": 1, "object_store_memory": OBJECT_STORE_BYTES}
    head = machine | {"include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        other = cluster.add_node(**machine)
        yield RayCluster(cluster.address, _node(cluster.head_node), _node(other))
    finally:
        cluster.shutdown()


def _node(node: Any) -> Node:
    (raylet,) = node.all_processes["raylet"]
    return Node(psutil.Process(raylet.process.pid))
