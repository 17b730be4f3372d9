"""The Helm chart as Helm itself renders it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from conftest import DEPLOY

CHART = DEPLOY / "helm/daypass"
EXAMPLE = DEPLOY / "helm/example"
CONFIG = (EXAMPLE / "daypass.toml").read_text()
# How docs/kubernetes.md says it.
FILES = [
    f"--set-file=config={EXAMPLE / 'daypass.toml'}",
    f"--set-file=files.authenticated\\.json={EXAMPLE / 'authenticated.json'}",
]
ARGUMENTS = [f"--values={EXAMPLE / 'values.yaml'}", *FILES]
# Whatever is off until somebody wants it.
EVERYTHING = [
    "--set=autoscaling.enabled=true,networkPolicy.enabled=true,serviceMonitor.enabled=true",
    '--set-json=networkPolicy.from=[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"ingress"}}}]',
    '--set-json=env=[{"name":"AWS_REGION","value":"eu-west-1"}]',
    '--set-json=image.pullSecrets=[{"name":"registry"}]',
    '--set-json=nodeSelector={"kubernetes.io/arch":"amd64"}',
    '--set-json=tolerations=[{"key":"logins","operator":"Exists"}]',
    '--set-json=serviceAccount.annotations={"eks.amazonaws.com/role-arn":"arn:aws:iam::123456789012:role/daypass"}',
]


def helm(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Keeps whatever it wants to keep in the folder."""
    program = os.environ.get("DAYPASS_TEST_HELM") or shutil.which("helm")
    assert program, "there is no Helm: `cargo xtask test --only deploy` fetches it"
    homes = {f"HELM_{name}_HOME": str(folder) for name in ("CACHE", "CONFIG", "DATA")}
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env=os.environ | homes)


def template(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return helm("template", "daypass", str(CHART), "--namespace=login", *arguments, folder=folder)


def rendered(*arguments: str, folder: Path) -> dict[str, dict[str, Any]]:
    """The manifests, by their kinds."""
    done = template(*ARGUMENTS, *arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    manifests = [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]
    by_kind = {manifest["kind"]: manifest for manifest in manifests}
    assert len(by_kind) == len(manifests), "two of a kind"
    return by_kind
