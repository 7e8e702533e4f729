"""What the dashboard shows is what the services measure."""

import json
import re

import httpx
import pytest

from services.common.settings import REPOSITORY
from tests import photos
from tests.processes import Stack

DASHBOARD = REPOSITORY / "deploy" / "grafana" / "dashboards" / "oko.json"


@pytest.fixture(scope="module")
def exposed(stack: Stack) -> str:
    """The metrics of all three services, after both languages were used."""
    for language in ("en", "uk"):
        files = {"image": photos.CAT.read_bytes()}
        url = f"{stack.url}/v1/captions?language={language}"
        assert httpx.post(url, files=files, timeout=60).status_code == 200
    httpx.post(f"{stack.url}/v1/captions", content=b"no image")
    return "".join(httpx.get(f"{service.url}/metrics").text for service in stack.services())


def test_every_metric_of_the_dashboard_exists(exposed: str) -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    names = {name for query in queries for name in re.findall(r"\b(?:oko|process)_\w+", query)}
    assert len(names) > 15
    documented = set(re.findall(r"^# TYPE (\S+)", exposed, re.MULTILINE))
    base = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    assert base <= documented


def test_requests_are_counted_by_route(exposed: str) -> None:
    assert re.search(
        r'oko_requests_total\{method="POST",route="/v1/captions",service="gateway",status="200"\}',
        exposed,
    )
    assert 'oko_problems_total{code="not-an-image",service="gateway"}' in exposed
    assert re.search(r'oko_cache_total\{outcome="miss"\} [1-9]', exposed)
    assert re.search(r'oko_captions_total\{language="uk"\} [1-9]', exposed)


def test_unknown_paths_do_not_make_new_series(stack: Stack) -> None:
    httpx.get(f"{stack.url}/no/such/path")
    text = httpx.get(f"{stack.url}/metrics").text
    assert "such" not in text
    assert 'route="unmatched"' in text
