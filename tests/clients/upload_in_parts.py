"""Uploads eight parts, one after the other, as the profile in the environment. While the third is on its way, its credentials
come to their end: an hour passes, for every process whose clock is in the file. Prints the access key of each part."""

import json
import sys
from io import BytesIO
from pathlib import Path

import boto3
from boto3.s3.transfer import TransferConfig

MB = 1024 * 1024
PARTS = 8


def main(clock, bucket, key):
    s3 = boto3.client("s3")
    keys = []

    def note(request, **_):
        keys.append(request.headers["Authorization"].decode().partition("Credential=")[2].partition("/")[0])

    def pass_an_hour(**_):
        if len(keys) == 3:
            Path(clock).write_text("+3700")

    s3.meta.events.register("before-send.s3.UploadPart", note)
    s3.meta.events.register("after-call.s3.UploadPart", pass_an_hour)
    config = TransferConfig(multipart_threshold=5 * MB, multipart_chunksize=5 * MB, use_threads=False)
    s3.upload_fileobj(BytesIO(bytes((PARTS - 1) * 5 * MB + 1)), bucket, key, Config=config)
    print(json.dumps(keys))


main(*sys.argv[1:])
