"""`docs/reference/s3-operations.md`: what the run has shown, in the frame that people wrote."""

import json
from importlib.metadata import version
from pathlib import Path

from support.server import REPOSITORY

HERE = Path(__file__).parent
DOCUMENT = REPOSITORY / "docs/reference/s3-operations.md"
TEMPLATE = HERE / "operations.template.md"

PYTHON = {
    "boto3": "resources, transfer manager, presigned addresses and forms; random operations against a model",
    "awscli": "`aws s3` `sync`, `cp`, `mv`, `rm`, `ls`, `presign`, pipes",
    "s3fs": "fsspec, and pandas on top of it",
    "pyarrow": "file system, datasets, Parquet by its pages",
    "polars": "`scan_parquet`, `sink_parquet`",
    "duckdb": "`httpfs`",
    "minio": "both listings, tags, compositions, forms",
    "opendal": "files and folders",
    "obstore": "the Rust crate `object_store`: ranges, conditions, parts, addresses",
}
JAVASCRIPT = {
    "@aws-sdk/client-s3": "in Node.js and Chromium",
    "@aws-sdk/lib-storage": "in Node.js and Chromium: parts, progress, giving up",
    "@aws-sdk/s3-presigned-post": "used by a page",
    "minio": "both listings, streams, tags, forms",
}
DEBIAN = {
    "rclone": "`sync` both ways and again, `check`, moves, listings",
    "restic": "`init`, `backup`, `check --read-data`, `restore`, `forget --prune`",
    "s3cmd": "`sync`, `put`, `get`, `cp`, `mv`, `del`, `info`",
    "AWS SDK for Go v2": "objects, listings, `manager`, addresses",
}


def render(answers):
    """The document for these answers of operations."""
    rows = [f"| {name} | {answer} |" for name, answer in sorted(answers.items())]
    return TEMPLATE.read_text().replace(
        "<!-- table: operations -->", table(("Operation", "Answer"), rows)
    ).replace("<!-- table: clients -->", table(("Client", "Version", "What it does here"), list(clients())))  # fmt: skip


def table(names, rows):
    return "\n".join([f"| {' | '.join(names)} |", "|---" * len(names) + "|", *rows])


def clients():
    for name, what in PYTHON.items():
        yield f"| {name} (Python) | {version(name)} | {what} |"
    pinned = json.loads((HERE / "js/package.json").read_text())["devDependencies"]
    for name, what in JAVASCRIPT.items():
        yield f"| {name} (JavaScript) | {pinned[name]} | {what} |"
    for name, what in DEBIAN.items():
        yield f"| {name} | Debian's | {what} |"
