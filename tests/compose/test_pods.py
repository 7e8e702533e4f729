"""The pods of the base overlay for real: played by podman, asked as the kubelet would, and used.

The pod templates and ConfigMaps go to podman as `kubectl kustomize` renders them, but for three
things that podman lacks: cluster DNS (host aliases take its place), probes without systemd (the
test asks them) and StatefulSets (its template is played like the others).
"""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import httpx
import pytest
import yaml

from tests.compose.docker import docker, until
from tests.compose.podman import Podman
from tests.k8s.rendered import Rendered, Workload
from tests.photos import COFFEE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not installed"),
]

# Of this run alone: networks belong to the whole machine.
NETWORK = f"oko-test-pods-{os.getpid()}"
PREFIX = f"10.201.{os.getpid() % 250}"
ADDRESSES = {
    name: f"{PREFIX}.{10 + index}"
    for index, name in enumerate(("redis", "encoder", "decoder", "gateway"))
}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def pod_of(workload: Workload) -> dict[str, Any]:
    pod = deepcopy(workload.pod)
    pod["restartPolicy"] = "Never"  # the end of a process is one of the things tested
    pod["hostAliases"] = [{"ip": ip, "hostnames": [name]} for name, ip in ADDRESSES.items()]
    container = pod["containers"][0]
    del container["ports"]  # podman would publish them on the host
    for probe in PROBES:
        del container[probe]
    if workload.name == "redis":  # an imported file system stands in for it where no registry is
        container["env"] = [{"name": "PATH", "value": PATH}]
    metadata = {"name": workload.name, "labels": workload.labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}


@pytest.fixture(scope="module")
def base() -> Rendered:
    return Rendered("base")


@pytest.fixture(scope="module")
def workloads(base: Rendered) -> Mapping[str, Workload]:
    found = {workload.name: workload for workload in base.workloads()}
    assert found.keys() == ADDRESSES.keys()
    return found


@pytest.fixture(scope="module", autouse=True)
def podman(
    base: Rendered,
    workloads: Mapping[str, Workload],
    images: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Podman]:
    folder = tmp_path_factory.mktemp("podman")
    podman = Podman.at(folder)
    names = [workload.container["image"] for workload in workloads.values()]
    for name in names:
        if name.startswith("oko/"):
            docker("tag", f"{name.split(':')[0]}:test", name)
    podman.take_from_docker(*names)
    podman("network", "create", "--subnet", f"{PREFIX}.0/24", NETWORK)
    try:
        for name, address in ADDRESSES.items():
            path = folder / f"{name}.yaml"
            documents = [*base.of("ConfigMap"), pod_of(workloads[name])]
            path.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
            podman("play", "kube", "--network", NETWORK, "--ip", address, str(path))
        yield podman
    finally:
        for name in ADDRESSES:
            print(podman("logs", "--tail", "5", f"{name}-{name}", check=False))
        podman("pod", "rm", "--all", "--force", "--time", "0", check=False)
        podman("network", "rm", "--force", NETWORK, check=False)
        podman("rmi", "--all", "--force", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def asked(workload: Workload, probe: str) -> bool:
    """The probe of the manifest, as the kubelet asks it."""
    request = workload.container[probe]["httpGet"]
    url = f"http://{ADDRESSES[workload.name]}:{workload.ports[request['port']]}{request['path']}"
    try:
        return httpx.get(url, timeout=10).is_success
    except httpx.HTTPError:
        return False


def test_probes_succeed(podman: Podman, workloads: Mapping[str, Workload]) -> None:
    for probe in PROBES:
        command = workloads["redis"].container[probe]["exec"]["command"]
        assert podman("exec", "redis-redis", *command) == "PONG"
    for name in ("encoder", "decoder", "gateway"):
        for probe in PROBES:
            until(f"{name}: {probe}", lambda w=workloads[name], p=probe: asked(w, p))


def test_a_caption_comes_back(workloads: Mapping[str, Workload]) -> None:
    url = f"http://{ADDRESSES['gateway']}:{workloads['gateway'].ports['http']}"
    until("all parts are well", lambda: httpx.get(f"{url}/health").json()["status"] == "ok")
    answers = [
        httpx.post(
            f"{url}/v1/captions",
            params={"language": language},
            content=COFFEE.read_bytes(),
            timeout=60,
        )
        for language in ("en", "uk")
    ]
    for answer in answers:
        document = answer.raise_for_status().json()
        print(f"\n{document['language']}: {document['caption']} ({document['cache']})")
        assert document["status"] == "ok"
    assert answers[1].json()["cache"] == "hit"


@pytest.mark.parametrize("name", ADDRESSES)
def test_pods_run_as_the_manifests_say(
    podman: Podman, base: Rendered, workloads: Mapping[str, Workload], name: str
) -> None:
    workload, container = workloads[name], f"{name}-{name}"
    assert podman("exec", container, "id", "-u") == str(
        workload.pod["securityContext"]["runAsUser"]
    )
    state = podman("exec", container, "cat", "/proc/1/status", "/proc/self/status")
    assert {line.split()[1] for line in state.splitlines() if line.startswith("CapEff")} == {
        "0000000000000000"
    }
    refused = podman("exec", container, "sh", "-c", "echo > /written", check=False)
    assert "Read-only file system" in refused
    given = dict(
        line.split("=", 1) for line in podman("exec", container, "env").splitlines() if "=" in line
    )
    for key, value in base.environment(workload).items():
        if value is not None:
            assert given[key] == value


def test_sigterm_drains(podman: Podman, workloads: Mapping[str, Workload]) -> None:
    """Readiness goes first, requests are still answered, then the process ends by itself."""
    workload = workloads["encoder"]
    podman("kill", "--signal", "TERM", "encoder-encoder")
    until("readiness says no", lambda: not asked(workload, "readinessProbe"), 5)
    assert asked(workload, "livenessProbe")
    started = time.monotonic()
    grace = workload.pod["terminationGracePeriodSeconds"]
    code = podman("wait", "encoder-encoder")
    assert time.monotonic() - started < grace
    assert code in ("0", "143")
