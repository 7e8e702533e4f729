"""The network policies allow exactly the connections that the services make."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.k8s.rendered import OVERLAYS, Document, Rendered, Workload

pytestmark = pytest.mark.slow

PORTS = {"gateway": 8000, "encoder": 8001, "decoder": 8002, "redis": 6379}
CALLS = {
    ("gateway", "encoder"),
    ("gateway", "decoder"),
    ("gateway", "redis"),
    ("encoder", "redis"),
}
DNS = {("UDP", 53), ("TCP", 53)}
EXTERNAL_REDIS = {"everything"}


@pytest.fixture(params=OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """A label selector as Kubernetes reads it (the operators that we use)."""
    for rule in selector.get("matchExpressions", ()):
        assert rule["operator"] == "In"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def rules(rendered: Rendered, pod: Workload, direction: str) -> Iterator[Document]:
    """Rules of every policy that selects the pod."""
    policies = [
        policy["spec"]
        for policy in rendered.of("NetworkPolicy")
        if matches(policy["spec"]["podSelector"], pod.labels)
        and direction in policy["spec"]["policyTypes"]
    ]
    assert policies, f"nothing limits {direction} of {pod.name}"
    for policy in policies:
        yield from policy.get(direction.lower()) or ()


def open_to(rule: Document, side: str, peer: Workload, port: int) -> bool:
    """Does this rule let `peer`, a pod of the same namespace, through on a TCP port?"""
    ports = rule.get("ports")
    if ports is not None and {"protocol": "TCP", "port": port} not in ports:
        return False
    peers = rule.get(side)
    return peers is None or any(
        "podSelector" in one
        and "namespaceSelector" not in one
        and matches(one["podSelector"], peer.labels)
        for one in peers
    )


def test_pods_reach_whom_they_call_and_nobody_else(rendered: Rendered) -> None:
    workloads = rendered.workloads()
    expected = {
        (source.name, target.name, PORTS[target.part])
        for source in workloads
        for target in workloads
        if (source.part, target.part) in CALLS
    }
    allowed = {
        (source.name, target.name, port)
        for source in workloads
        for target in workloads
        for port in (*PORTS.values(), 22, 80, 443)
        if source is not target
        and any(open_to(r, "to", target, port) for r in rules(rendered, source, "Egress"))
        and any(open_to(r, "from", source, port) for r in rules(rendered, target, "Ingress"))
    }
    assert allowed == expected


def test_what_leads_out_of_the_namespace(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        asks_names = workload.part in ("gateway", "encoder")
        found = {
            (port["protocol"], port["port"])
            for rule in rules(rendered, workload, "Egress")
            if any("namespaceSelector" in peer for peer in rule["to"])
            for port in rule["ports"]
        }
        assert found == (DNS if asks_names else set())
        blocks = [
            (peer["ipBlock"]["cidr"], [port["port"] for port in rule["ports"]])
            for rule in rules(rendered, workload, "Egress")
            for peer in rule["to"]
            if "ipBlock" in peer
        ]
        outside = rendered.overlay in EXTERNAL_REDIS and asks_names
        assert blocks == ([("10.0.0.0/8", [6379])] if outside else [])


def test_who_comes_in_from_outside(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        namespaces: set[str] = set()
        for rule in rules(rendered, workload, "Ingress"):
            if PORTS[workload.part] not in {port["port"] for port in rule["ports"]}:
                continue
            namespaces |= {
                peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                for peer in rule.get("from", ())
                if "namespaceSelector" in peer
            }
            if "from" not in rule:
                namespaces.add("anywhere")
        expected: set[str] = set()
        if workload.part == "gateway":
            open_door = rendered.overlay in ("base", "local")
            expected.add("anywhere" if open_door else "ingress-nginx")
        if rendered.overlay == "everything" and workload.part != "redis":
            expected.add("monitoring")
        assert namespaces == expected


def test_everything_else_is_denied(rendered: Rendered) -> None:
    policy = rendered.named("NetworkPolicy", "nothing-by-default")["spec"]
    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
