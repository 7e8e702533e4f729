"""What schemas cannot see: that the manifests fit each other and the services."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from services.common.health import HealthSource, health_routes
from services.common.metrics import ServiceMetrics
from services.common.settings import ServiceSettings
from services.decoder.settings import DecoderSettings
from services.encoder.settings import EncoderSettings
from services.gateway.app import build_app
from services.gateway.settings import GatewaySettings
from tests.k8s.rendered import OVERLAYS, Document, Rendered, Workload, megabytes, selectors

pytestmark = pytest.mark.slow

SETTINGS: dict[str, type[ServiceSettings]] = {
    "gateway": GatewaySettings,
    "encoder": EncoderSettings,
    "decoder": DecoderSettings,
}
AUTOSCALER = "HorizontalPodAutoscaler"
OWN_MB = {"gateway": 200, "encoder": 500, "decoder": 300}
"""What a service needs beside its budgets: interpreter, packages, model (measured, and some)."""


@pytest.fixture(params=OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


def settings(
    rendered: Rendered, workload: Workload, monkeypatch: pytest.MonkeyPatch
) -> ServiceSettings:
    """The settings object that the container would have."""
    for name, value in rendered.environment(workload).items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return SETTINGS[workload.part]()


def test_selectors_match(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        selector = workload.document["spec"]["selector"]["matchLabels"]
        assert rendered.selected(selector) == [workload]
        for constraint in workload.pod.get("topologySpreadConstraints", ()):
            assert rendered.selected(constraint["labelSelector"]["matchLabels"]) == [workload]
    for service in rendered.of("Service"):
        (workload,) = rendered.selected(service["spec"]["selector"])
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in workload.ports
    for budget in rendered.of("PodDisruptionBudget"):
        assert len(rendered.selected(budget["spec"]["selector"]["matchLabels"])) == 1
    for policy in rendered.of("NetworkPolicy"):
        for selector in selectors(policy):
            assert rendered.selected(selector.get("matchLabels", {})), policy["metadata"]["name"]


def test_every_part_has_its_own_of_everything(rendered: Rendered) -> None:
    accounts = {account["metadata"]["name"] for account in rendered.of("ServiceAccount")}
    for workload in rendered.workloads():
        assert workload.pod["serviceAccountName"] == workload.part
        assert workload.part in accounts
    for workload in rendered.services():
        for kind in ("PodDisruptionBudget", "Service"):
            rendered.named(kind, workload.name)
    if rendered.overlay != "local":
        scaled = {one["spec"]["scaleTargetRef"]["name"] for one in rendered.of(AUTOSCALER)}
        assert scaled == {workload.name for workload in rendered.services()}


def test_autoscalers_own_the_number_of_pods(rendered: Rendered) -> None:
    for scaler in rendered.of(AUTOSCALER):
        target = rendered.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
        assert "replicas" not in target["spec"]
        if rendered.overlay.startswith("production"):
            assert scaler["spec"]["minReplicas"] >= 2


def test_environment_is_what_the_settings_read(
    rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for workload in rendered.services():
        known = {f"OKO_{field.upper()}" for field in SETTINGS[workload.part].model_fields}
        given = rendered.environment(workload)
        assert given.keys() <= known
        with monkeypatch.context() as patch:
            read = settings(rendered, workload, patch)
        assert workload.ports == {"http": getattr(read, f"{workload.part}_port")}
        assert read.host == "0.0.0.0"


def test_a_wrong_setting_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKO_ENCODER_URL", "encoder:8001")
    with pytest.raises(ValidationError):
        GatewaySettings()


def test_addresses_lead_to_services(rendered: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        f"{service['metadata']['name']}:{port['port']}": service
        for service in rendered.of("Service")
        for port in service["spec"]["ports"]
    }
    (gateway,) = (one for one in rendered.services() if one.part == "gateway")
    read = settings(rendered, gateway, monkeypatch)
    assert isinstance(read, GatewaySettings)
    for url in (*read.encoder_url, *read.decoder_url):
        service = names[url.removeprefix("http://")]
        assert service["spec"]["clusterIP"] == "None", "the gateway balances over the pods itself"
    if rendered.overlay == "everything":
        source = {entry["name"]: entry for entry in gateway.container["env"]}["OKO_REDIS_URL"]
        assert source["valueFrom"]["secretKeyRef"]["key"] == "OKO_REDIS_URL"
        assert not rendered.of("StatefulSet")
    else:
        assert read.redis_url
        assert read.redis_url.removeprefix("redis://").removesuffix("/0") in names


def test_probes_ask_real_routes(rendered: Rendered) -> None:
    router = health_routes(HealthSource(dict), ServiceMetrics("test"))
    routes = {route.path for route in router.routes}  # type: ignore[attr-defined]
    for workload in rendered.services():
        for probe, path in {
            "startupProbe": "/health/live",
            "readinessProbe": "/health/ready",
            "livenessProbe": "/health/live",
        }.items():
            request = workload.container[probe]["httpGet"]
            assert request["path"] == path
            assert path in routes
            assert request["port"] in workload.ports
    for monitor in rendered.of("ServiceMonitor"):
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint["path"] in routes
        labels = monitor["spec"]["selector"]["matchLabels"].items()
        for service in rendered.of("Service"):
            if labels <= service["metadata"]["labels"].items():
                assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_pods_are_restricted(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        pod, container = workload.pod, workload.container
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 10_000
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        for amounts in (container["resources"]["requests"], container["resources"]["limits"]):
            assert amounts.keys() == {"cpu", "memory"}
        assert ":" in container["image"].rsplit("/", 1)[-1]
    for namespace in rendered.of("Namespace"):
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for document in rendered.documents:
        if document["kind"] != "Namespace":
            assert document["metadata"]["namespace"] == "oko"


def test_a_rolling_update_fails_no_request(
    rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for workload in rendered.services():
        update = workload.document["spec"]["strategy"]["rollingUpdate"]
        assert update == {"maxSurge": 1, "maxUnavailable": 0}
        with monkeypatch.context() as patch:
            read = settings(rendered, workload, patch)
        pause = workload.container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pause > 0
        assert read.drain_timeout_s > read.deadline_ms / 1000
        whole = pause + read.drain_delay_s + read.drain_timeout_s
        assert workload.pod["terminationGracePeriodSeconds"] > whole
        if workload.part != "gateway":  # readiness is off for longer than a gateway needs to see it
            assert read.drain_delay_s >= 3 * GatewaySettings().probe_interval_s


def test_memory_limits_hold_the_budgets(
    rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for workload in rendered.services():
        with monkeypatch.context() as patch:
            read = settings(rendered, workload, patch)
        budgets = sum(
            getattr(read, name, 0) for name in ("upload_memory_bytes", "max_decode_bytes")
        )
        limit = megabytes(workload.container["resources"]["limits"]["memory"])
        assert budgets / 1e6 + OWN_MB[workload.part] <= limit
    for store in rendered.of("StatefulSet"):
        container = Workload(store).container
        most = container["args"][container["args"].index("--maxmemory") + 1]
        assert 2 * int(most.removesuffix("mb")) <= megabytes(
            container["resources"]["limits"]["memory"]
        )


def public(ingress: Document) -> Iterator[tuple[str, str]]:
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            yield path["path"], path["pathType"]


def covered(path: str, ingress: Document) -> bool:
    return any(
        path == prefix or (kind == "Prefix" and path.startswith(prefix + "/"))
        for prefix, kind in public(ingress)
    )


def test_the_ingress_shows_the_api_and_the_page_and_no_more() -> None:
    rendered = Rendered("production")
    (ingress,) = rendered.of("Ingress")
    inside = {"/metrics", "/health", "/health/ready"}
    app, _ = build_app(GatewaySettings())
    routes = {path for path in _paths(app.routes) if "{" not in path} - inside
    missing = {path for path in routes if not covered(path, ingress)}
    assert not missing, f"not in ingress.yaml: {missing}"
    assert not {path for path in inside if covered(path, ingress)}

    size = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert int(size.removesuffix("m")) * 2**20 == GatewaySettings().max_body_bytes
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            service = rendered.named("Service", path["backend"]["service"]["name"])
            ports = {port["name"] for port in service["spec"]["ports"]}
            assert path["backend"]["service"]["port"]["name"] in ports


def _paths(routes: Any) -> Iterator[str]:
    for route in routes:
        if hasattr(route, "path"):
            yield route.path
        yield from _paths(getattr(route, "routes", None) or ())


def test_a_change_of_models_has_two_whole_sets() -> None:
    rendered = Rendered("production-next")
    assert {one.name for one in rendered.services()} == {
        *("gateway", "encoder", "decoder", "encoder-next", "decoder-next")
    }
    for part in ("encoder", "decoder"):
        images = {
            rendered.named("Deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"]
            for name in (part, f"{part}-next")
        }
        assert len(images) == 2
