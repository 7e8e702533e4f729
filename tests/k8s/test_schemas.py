"""Strict validation against the schemas of a current Kubernetes, and a policy checker."""

import json
import shutil
from pathlib import Path

import pytest

from tests.k8s.rendered import OVERLAYS, Rendered, tool
from tests.processes import REPOSITORY

pytestmark = pytest.mark.slow

KUBERNETES = "1.37"
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
"""Kinds of the Prometheus operator: no schemas come with Kubernetes."""


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_schemas(overlay: str, tmp_path: Path) -> None:
    rendered = Rendered(overlay)
    path = rendered.write(tmp_path)
    done = tool("kubernetes-validate", "--strict", "--kubernetes-version", KUBERNETES, str(path))
    said = (done.stdout + done.stderr).splitlines()
    bad = [line for line in said if " passed " not in line and not any(k in line for k in CUSTOM)]
    assert not bad, "\n".join(bad)
    ours = [one for one in rendered.documents if one["kind"] not in CUSTOM]
    assert sum(" passed " in line for line in said) == len(ours)


def test_the_validator_is_strict(tmp_path: Path) -> None:
    wrong = Rendered("local").write(tmp_path)
    wrong.write_text(wrong.read_text().replace("readOnlyRootFilesystem", "readonlyRootFilesystem"))
    done = tool("kubernetes-validate", "--strict", "--kubernetes-version", KUBERNETES, str(wrong))
    assert done.returncode != 0


def test_policies(tmp_path: Path) -> None:
    """checkov, with the exceptions that k8s/checkov.yaml gives reasons for."""
    for overlay in OVERLAYS:
        Rendered(overlay).write(tmp_path)
    config = ("--config-file", "k8s/checkov.yaml")
    done = tool("checkov", *config, "--directory", str(tmp_path), "--output", "json")
    report = json.loads(done.stdout)
    failed = [
        f"{check['file_path']} {check['resource']}: {check['check_id']} {check['check_name']}"
        for check in report["results"]["failed_checks"]
    ]
    assert not failed, "\n".join(failed)
    print(f"\n{report['summary']}")
    assert report["summary"]["passed"] > 200 * len(OVERLAYS)
    assert report["summary"]["parsing_errors"] == 0


def test_dockerfiles(tmp_path: Path) -> None:
    """The same checker on the images' recipes."""
    recipes = (*REPOSITORY.glob("services/*/Dockerfile"), REPOSITORY / "oko/batch/Dockerfile")
    for path in (REPOSITORY / "Dockerfile", *recipes):
        target = tmp_path / path.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    # It takes FROM ${PYTHON_IMAGE} for one without a tag; the ARG above has one.
    options = ("--framework", "dockerfile", "--skip-download", "--skip-check", "CKV_DOCKER_7")
    done = tool("checkov", *options, "--directory", str(tmp_path), "--output", "json")
    report = json.loads(done.stdout)
    assert not [check["check_id"] for check in report["results"]["failed_checks"]]
    assert report["summary"]["passed"] > 300
