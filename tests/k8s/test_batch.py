"""`oko batch` on Kubernetes: as an Indexed Job, and as a RayJob.

Kubernetes has no schema of a RayJob, so the pods in it are checked as what KubeRay makes of them.
"""

import json
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from oko.batch.command import batch
from tests.k8s.rendered import BATCH, Document, Rendered, megabytes, tool
from tests.k8s.test_schemas import KUBERNETES

pytestmark = pytest.mark.slow


@pytest.fixture(params=BATCH)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


def templates(document: Document) -> dict[str, Document]:
    """Pod templates of a Job or a RayJob, by what runs in them."""
    spec = document["spec"]
    if document["kind"] == "Job":
        return {"batch": spec["template"]}
    cluster = spec["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    return {
        "submitter": spec["submitterPodTemplate"],
        "head": cluster["headGroupSpec"]["template"],
        "workers": workers["template"],
    }


def job(rendered: Rendered) -> Document:
    (found,) = (one for one in rendered.documents if one["kind"] in ("Job", "RayJob"))
    return found


def as_kubernetes_sees_it(rendered: Rendered) -> list[Document]:
    """The RayJob replaced by its pods: KubeRay submits from a Job, the others are bare pods."""
    documents = [one for one in rendered.documents if one["kind"] != "RayJob"]
    if rendered.of("RayJob"):
        for name, template in templates(job(rendered)).items():
            metadata = {"name": name, "namespace": "oko-batch"}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata | template["metadata"]}
            submitter = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
            documents.append(
                submitter | {"spec": {"template": template}}
                if name == "submitter"
                else pod | {"spec": template["spec"]}
            )
    return documents


def written(rendered: Rendered, folder: Path) -> Path:
    path = folder / f"{rendered.overlay}.yaml"
    path.write_text(yaml.safe_dump_all(as_kubernetes_sees_it(rendered)), encoding="utf-8")
    return path


def test_schemas(rendered: Rendered, tmp_path: Path) -> None:
    path = written(rendered, tmp_path)
    done = tool("kubernetes-validate", "--strict", "--kubernetes-version", KUBERNETES, str(path))
    said = (done.stdout + done.stderr).splitlines()
    assert sum(" passed " in line for line in said) == len(as_kubernetes_sees_it(rendered)), said


def test_policies(tmp_path: Path) -> None:
    for overlay in BATCH:
        written(Rendered(overlay), tmp_path)
    config = ("--config-file", "k8s/checkov.yaml", "--directory", str(tmp_path))
    report = json.loads(tool("checkov", *config, "--output", "json").stdout)
    failed = [f"{one['resource']}: {one['check_id']}" for one in report["results"]["failed_checks"]]
    assert not failed, failed
    assert report["summary"]["passed"] > 300


def test_pods_are_restricted(rendered: Rendered) -> None:
    for template in templates(job(rendered)).values():
        pod = template["spec"]
        (container,) = pod["containers"]
        assert pod["serviceAccountName"] == "batch"
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
        for amounts in container["resources"].values():
            assert amounts.keys() == {"cpu", "memory"}
        mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert "/tmp" in mounts


def test_every_document_is_in_the_namespace(rendered: Rendered) -> None:
    (namespace,) = rendered.of("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for document in rendered.documents:
        if document["kind"] != "Namespace":
            assert document["metadata"]["namespace"] == namespace["metadata"]["name"]


def test_the_command_takes_these_arguments(rendered: Rendered) -> None:
    """Variables are those that the container has."""
    document = job(rendered)
    settings = rendered.named("ConfigMap", "batch-settings")["data"]
    if document["kind"] == "Job":
        (container,) = templates(document)["batch"]["spec"]["containers"]
        command = [*container["command"], *container["args"]]
        known = settings.keys() | {variable["name"] for variable in container["env"]}
        assert document["spec"]["completionMode"] == "Indexed"
        assert f"/{document['spec']['completions']}" in container["args"][-1]
    else:
        command = shlex.split(document["spec"]["entrypoint"])
        known = settings.keys()
    used = set(re.findall(r"\$\(?([A-Z_]+)", " ".join(command)))
    assert used <= known
    assert command[:3] == ["python", "-m", "oko.batch"]
    app = typer.Typer()
    app.command()(batch)
    parsed = typer.main.get_command(app).make_context("batch", command[3:])
    cores = parsed.params["cores"]
    name = "batch" if document["kind"] == "Job" else "workers"
    (container,) = templates(document)[name]["spec"]["containers"]
    assert container["resources"]["limits"]["cpu"] == str(cores)


def test_network(rendered: Rendered) -> None:
    assert rendered.named("NetworkPolicy", "nothing-by-default")["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    names = {policy["metadata"]["name"] for policy in rendered.of("NetworkPolicy")}
    assert ("batch-ray" in names) == bool(rendered.of("RayJob"))
    for template in templates(job(rendered)).values():
        assert template["metadata"]["labels"]["app.kubernetes.io/name"] == "batch"


def test_ray_is_bounded_and_closed() -> None:
    rendered = Rendered("batch-ray")
    cluster = job(rendered)["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    (workers,) = cluster["workerGroupSpecs"]
    for group in (cluster["headGroupSpec"], workers):
        store = int(group["rayStartParams"]["object-store-memory"])
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        limit = megabytes(container["resources"]["limits"]["memory"])
        assert 3 * store / 1e6 < limit
        (shared,) = (one for one in pod["volumes"] if one["name"] == "shared-memory")
        assert store / 1e6 < megabytes(shared["emptyDir"]["sizeLimit"]) < limit
    requirements = (Path(__file__).parents[2] / "requirements" / "batch.txt").read_text()
    assert f"ray=={cluster['rayVersion']}\n" in requirements
