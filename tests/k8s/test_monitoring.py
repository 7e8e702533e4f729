"""Alerts and the dashboard name metrics that the services really have."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from services.common.metrics import ServiceMetrics
from services.decoder.metrics import DecoderMetrics
from services.encoder.metrics import EncoderMetrics
from services.gateway.metrics import GatewayMetrics
from tests.k8s.rendered import Rendered
from tests.processes import REPOSITORY

pytestmark = pytest.mark.slow

ALERTS = REPOSITORY / "deploy" / "prometheus" / "alerts.yml"
DASHBOARDS = REPOSITORY / "deploy" / "grafana" / "dashboards"
METRIC = re.compile(r"\b(?:oko|process)_[a-z_]+")


def known() -> set[str]:
    """Names of all series, with the suffixes of histograms and counters."""
    sources: tuple[ServiceMetrics, ...] = (GatewayMetrics(), EncoderMetrics(), DecoderMetrics())
    names: set[str] = set()
    for source in sources:
        for metric in source.registry.collect():
            names |= {metric.name, f"{metric.name}_total"}
            if metric.type == "histogram":
                names |= {f"{metric.name}_{end}" for end in ("bucket", "count", "sum")}
    return names


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def expressions(value: Any) -> Iterator[str]:
    """Every `expr` of a dashboard."""
    if isinstance(value, dict):
        if isinstance(value.get("expr"), str):
            yield value["expr"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from expressions(item)


def test_alerts_name_real_metrics() -> None:
    for alert in alerts():
        assert set(METRIC.findall(alert["expr"])) <= known(), alert["alert"]


def test_alerts_are_the_same_in_the_cluster() -> None:
    (rule,) = Rendered("everything").of("PrometheusRule")
    assert rule["spec"] == yaml.safe_load(ALERTS.read_text(encoding="utf-8"))


def test_every_alert_is_explained() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    for alert in alerts():
        assert f"`{alert['alert']}`" in page


def test_dashboards_name_real_metrics() -> None:
    dashboards = list(DASHBOARDS.glob("*.json"))
    assert dashboards
    for path in dashboards:
        found = list(expressions(json.loads(path.read_text(encoding="utf-8"))))
        assert found
        for expression in found:
            assert set(METRIC.findall(expression)) <= known(), expression
