"""The Helm chart: Helm lints and renders it, Kubernetes' schemas fit what comes out, and it holds what the docs promise. It was
applied to no cluster."""

import json
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from chart import ARGUMENTS, CHART, CONFIG, EVERYTHING, EXAMPLE, helm, rendered, template
from conftest import ROOT
from test_configuration import mistakes, secret_files
from test_container import last_stage
from test_proxy import INSIDE, ROUTES

ALWAYS = {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"}
ON_REQUEST = {"HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "ServiceMonitor"}
# The oldest that the chart is for, and the newest that there are schemas of.
VERSIONS = ["1.30", "1.37"]
# Of the Prometheus operator.
NOT_KUBERNETES_OWN = {"ServiceMonitor"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("helm")


@pytest.fixture(scope="module")
def plain(folder: Path) -> dict[str, dict[str, Any]]:
    return rendered("--set=ingress.enabled=false", folder=folder)


@pytest.fixture(scope="module")
def everything(folder: Path) -> dict[str, dict[str, Any]]:
    return rendered(*EVERYTHING, folder=folder)


def pod(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return manifests["Deployment"]["spec"]["template"]["spec"]


def container(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (only,) = pod(manifests)["containers"]
    return only


@pytest.mark.parametrize("more", [[], EVERYTHING], ids=["example", "everything"])
def test_the_linter_has_nothing_to_say(folder: Path, more: list[str]) -> None:
    said = helm("lint", "--strict", "--quiet", str(CHART), *ARGUMENTS, *more, folder=folder)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_what_is_optional_is_there_when_it_is_wanted(plain: dict[str, Any], everything: dict[str, Any]) -> None:
    assert plain.keys() == ALWAYS
    assert everything.keys() == ALWAYS | ON_REQUEST


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(plain: dict[str, Any], everything: dict[str, Any], version: str) -> None:
    for manifests in (plain, everything):
        for kind in manifests.keys() - NOT_KUBERNETES_OWN:
            kubernetes_validate.validate(manifests[kind], version, strict=True)


def test_the_versions_are_those_of_the_chart_and_of_today() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={VERSIONS[0]}.0-0"
    assert kubernetes_validate.latest_version().startswith(VERSIONS[1])
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())
    assert chart["appVersion"] == cargo["workspace"]["package"]["version"]


def test_the_configuration_comes_as_it_was_written(plain: dict[str, Any]) -> None:
    data = plain["ConfigMap"]["data"]
    assert data == {path.name: path.read_text() for path in EXAMPLE.iterdir() if path.name != "values.yaml"}
    assert mistakes(data["daypass.toml"]) == []


def test_every_secret_of_the_example_is_a_file_of_the_mounted_secret(plain: dict[str, Any]) -> None:
    mounts = {mount["name"]: mount for mount in container(plain)["volumeMounts"]}
    assert all(mount["readOnly"] for mount in mounts.values())
    (secrets,) = [volume for volume in pod(plain)["volumes"] if "secret" in volume]
    assert secrets["secret"] == {"secretName": "daypass", "defaultMode": 0o440}
    references = secret_files(tomllib.loads(CONFIG))
    assert len(references) == 4
    assert all(Path(file).parent == Path(mounts["secrets"]["mountPath"]) for file in references)
    page = (ROOT / "docs/kubernetes.md").read_text()
    for file in references:
        assert f"--from-file={Path(file).name}" in page
    assert "env" not in container(plain)


def test_a_pod_has_no_rights_and_writes_nowhere(everything: dict[str, Any]) -> None:
    assert container(everything)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    context = pod(everything)["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"], context["fsGroup"]) == (True, 65532, 65532)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(everything)["automountServiceAccountToken"] is False
    assert everything["ServiceAccount"]["automountServiceAccountToken"] is False
    assert {next(iter(volume.keys() - {"name"})) for volume in pod(everything)["volumes"]} == {"configMap", "secret"}


def test_a_pod_that_ends_has_time_to_answer(plain: dict[str, Any]) -> None:
    grammar = (ROOT / "docs/reference/configuration.md").read_text()
    assert "| `drain_timeout` | duration | 35s |" in grammar
    before = container(plain)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod(plain)["terminationGracePeriodSeconds"] > before + 35 + 5


def test_no_pod_goes_before_another_one_is_ready(plain: dict[str, Any], everything: dict[str, Any]) -> None:
    spec = plain["Deployment"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert spec["replicas"] == 3 and "replicas" not in everything["Deployment"]["spec"]
    assert container(plain)["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container(plain)["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_one_pod_is_no_budget(folder: Path) -> None:
    assert "PodDisruptionBudget" not in rendered("--set=replicas=1", folder=folder)


def test_a_pod_runs_what_the_image_would(plain: dict[str, Any]) -> None:
    (command,) = [arguments for name, arguments in last_stage() if name == "CMD"]
    assert container(plain)["args"] == json.loads(command)


def test_everything_means_the_same_pods(everything: dict[str, Any]) -> None:
    spec = everything["Deployment"]["spec"]
    labels = spec["selector"]["matchLabels"]
    assert spec["template"]["metadata"]["labels"] == labels
    assert everything["Service"]["spec"]["selector"] == labels
    for kind in ("PodDisruptionBudget", "ServiceMonitor"):
        assert everything[kind]["spec"]["selector"]["matchLabels"] == labels
    assert everything["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    for constraint in spec["template"]["spec"]["topologySpreadConstraints"]:
        assert constraint["labelSelector"]["matchLabels"] == labels
    assert everything["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "daypass"
    assert {"/healthz", "/readyz"} < {path for _, path in ingress_paths(everything)}


def test_metrics_are_asked_for_with_the_token_of_the_secret(everything: dict[str, Any]) -> None:
    (endpoint,) = everything["ServiceMonitor"]["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    assert endpoint["authorization"] == {"credentials": {"name": "daypass", "key": "metrics-token"}}


@pytest.mark.parametrize("route", ROUTES)
def test_the_ingress_passes_every_path(everything: dict[str, Any], route: str) -> None:
    assert passes(everything, route.replace("{provider}", "snapchat").replace("{*path}", "x.js")) == (
        route not in INSIDE
    )


@pytest.mark.parametrize("path", ["/metrics", "/x", "/.well-known/acme-challenge/x", "/loginx", "/playground/app.js"])
def test_the_ingress_passes_nothing_else(everything: dict[str, Any], path: str) -> None:
    assert not passes(everything, path)


def ingress_paths(manifests: dict[str, Any]) -> list[tuple[str, str]]:
    (rule,) = manifests["Ingress"]["spec"]["rules"]
    return [(path["pathType"], path["path"]) for path in rule["http"]["paths"]]


def passes(manifests: dict[str, Any], asked: str) -> bool:
    """As Kubernetes says of its types: `Prefix` goes by whole elements of a path."""
    return any(
        asked == path or (kind == "Prefix" and asked.startswith(f"{path}/")) for kind, path in ingress_paths(manifests)
    )


@pytest.mark.parametrize("change", ["files.new\\.json=x", "config=x = 1"])
def test_another_configuration_is_another_pod(plain: dict[str, Any], folder: Path, tmp_path: Path, change: str) -> None:
    key, text = change.split("=", 1)
    file = tmp_path / "changed"
    file.write_text(text)
    changed = rendered(f"--set-file={key}={file}", folder=folder)
    assert checksum(changed) != checksum(plain)


def checksum(manifests: dict[str, Any]) -> str:
    return manifests["Deployment"]["spec"]["template"]["metadata"]["annotations"]["checksum/config"]


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("--set=image.repository=", "image/repository"),
        ("--set=secretName=", "secretName"),
        ("--set=secretName=master_key", "secretName"),
        ("--set=replicas=0", "replicas"),
        ("--set=ingress.host=", "ingress/host"),
        ("--set=networkPolicy.enabled=true", "networkPolicy/from"),
        ("--set=replica=3", "replica"),
        ("--set=files.daypass\\.toml=x", "daypass.toml"),
    ],
)
def test_values_that_mean_nothing_are_refused(folder: Path, argument: str, complaint: str) -> None:
    done = template(*ARGUMENTS, argument, folder=folder)
    assert done.returncode != 0 and complaint in done.stderr


@pytest.mark.parametrize(
    "store", ['[store]\nurl = "sqlite:daypass.db"', "[store]\n  url='memory:'", 'store.url = "memory:"']
)
def test_a_store_of_one_pod_alone_is_refused(folder: Path, tmp_path: Path, store: str) -> None:
    file = tmp_path / "daypass.toml"
    file.write_text(store)
    done = template(f"--values={EXAMPLE / 'values.yaml'}", f"--set-file=config={file}", folder=folder)
    assert done.returncode != 0 and "postgres:// or dynamodb:" in done.stderr


def test_every_value_is_in_the_schema_and_used() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    templates = "\n".join(file.read_text() for file in (CHART / "templates").iterdir())
    assert schema["properties"].keys() == values.keys() | {"global"}
    for name, value in values.items():
        known = schema["properties"][name]
        if known.get("additionalProperties") is False:
            assert known["properties"].keys() == value.keys()
        for used in ([f"{name}.{key}" for key in value] if "properties" in known else [name]):
            assert f".Values.{used}" in templates, used
