"""Overlays as `kubectl kustomize` builds them."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.processes import REPOSITORY

Document = dict[str, Any]

TOOLS = REPOSITORY / ".venv" / "deploy" / "bin"
OVERLAYS = {
    "base": "k8s/base",
    "local": "k8s/overlays/local",
    "production": "k8s/overlays/production",
    "production-next": "k8s/overlays/production-next",
    "everything": "tests/k8s/overlays/everything",
}
BATCH = {"batch-job": "k8s/batch/job", "batch-ray": "k8s/batch/ray"}
"""Runs of `oko batch`; none of the services is in them."""


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs one of requirements/deploy.txt, or what the PATH has; the caller checks the end."""
    program = TOOLS / name if (TOOLS / name).exists() else shutil.which(name)
    assert program, f"{name} is missing: `make test-k8s` installs it"
    return subprocess.run(
        [str(program), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def text(overlay: str) -> str:
    built = tool("kubectl", "kustomize", (OVERLAYS | BATCH)[overlay])
    assert built.returncode == 0, built.stderr
    return built.stdout


@dataclass(frozen=True)
class Workload:
    """A Deployment or StatefulSet; every one of ours has one container."""

    document: Document

    @property
    def name(self) -> str:
        name: str = self.document["metadata"]["name"]
        return name

    @property
    def part(self) -> str:
        """gateway, encoder, decoder or redis, whatever the set is called."""
        return self.labels["app.kubernetes.io/name"]

    @property
    def pod(self) -> Document:
        pod: Document = self.document["spec"]["template"]["spec"]
        return pod

    @property
    def labels(self) -> dict[str, str]:
        labels: dict[str, str] = self.document["spec"]["template"]["metadata"]["labels"]
        return labels

    @property
    def container(self) -> Document:
        (container,) = self.pod["containers"]
        found: Document = container
        return found

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for port in self.container["ports"]}


class Rendered:
    """The documents of one overlay."""

    def __init__(self, overlay: str) -> None:
        self.overlay = overlay
        self.documents: list[Document] = list(yaml.safe_load_all(text(overlay)))

    def of(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document["kind"] == kind]

    def named(self, kind: str, name: str) -> Document:
        (found,) = (one for one in self.of(kind) if one["metadata"]["name"] == name)
        return found

    def workloads(self) -> list[Workload]:
        return [Workload(one) for one in (*self.of("Deployment"), *self.of("StatefulSet"))]

    def services(self) -> list[Workload]:
        """Those that run our code."""
        return [one for one in self.workloads() if one.part != "redis"]

    def selected(self, labels: Mapping[str, str]) -> list[Workload]:
        return [one for one in self.workloads() if labels.items() <= one.labels.items()]

    def environment(self, workload: Workload) -> dict[str, str | None]:
        """What the container sees; None for what is not in the overlay (secrets, resources)."""
        found: dict[str, str | None] = {}
        for source in workload.container.get("envFrom", ()):
            found |= self.named("ConfigMap", source["configMapRef"]["name"])["data"]
        for variable in workload.container.get("env", ()):
            found[variable["name"]] = variable.get("value")
        return found

    def write(self, folder: Path) -> Path:
        path = folder / f"{self.overlay}.yaml"
        path.write_text(text(self.overlay), encoding="utf-8")
        return path


def megabytes(quantity: str) -> float:
    """`512Mi` → 536.9; sizes of ours are all in Mi and Gi."""
    return int(quantity[:-2]) * {"Mi": 2**20, "Gi": 2**30}[quantity[-2:]] / 1e6


def selectors(policy: Document) -> Iterator[Mapping[str, Any]]:
    """Every podSelector of a network policy."""
    yield policy["spec"]["podSelector"]
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in policy["spec"].get(direction, ()):
            for peer in rule.get(side, ()):
                if "podSelector" in peer and "namespaceSelector" not in peer:
                    yield peer["podSelector"]
