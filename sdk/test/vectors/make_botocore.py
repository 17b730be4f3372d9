"""Writes sigv4-botocore.json: requests that AWS's published examples leave out, signed by botocore.

Run by hand when a case is added, with botocore installed: python3 make_botocore.py
The addresses are written as they travel, in the canonical percent-encoding, because botocore signs
the path as it is given.
"""

import datetime
import json
import pathlib
from unittest import mock

import botocore
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

WHEN = datetime.datetime(2026, 11, 23, 9, 15, 30, tzinfo=datetime.timezone.utc)
KEYS = {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
SESSION = KEYS | {"sessionToken": "AQoDYXdzEPT//////////wEXAMPLE+token/with=padding=="}
S3 = "http://127.0.0.1:9401/daypass-demo"

CASES = [
    ("a session token is signed", "GET", f"{S3}/plain.txt", {}, "", "s3", SESSION),
    ("a space in the key", "GET", f"{S3}/a%20b.txt", {}, "", "s3", SESSION),
    ("a plus in the key", "GET", f"{S3}/1%2B1.txt", {}, "", "s3", SESSION),
    ("unicode in the key", "GET", f"{S3}/gr%C3%BC%C3%9Fe/%F0%9F%8E%AB.txt", {}, "", "s3", SESSION),
    ("an encoded slash and percent in the key", "GET", f"{S3}/100%25%2Foff", {}, "", "s3", SESSION),
    ("everything that encodeURIComponent leaves", "GET", f"{S3}/%21%27%28%29%2A", {}, "", "s3", SESSION),
    ("an identity ID as the prefix", "GET", f"{S3}/us-east-1%3A11111111-2222-3333-4444-555555555555/note.txt", {}, "", "s3", SESSION),
    ("empty segments are kept for S3", "GET", f"{S3}//a///b", {}, "", "s3", SESSION),
    ("a listing of a prefix", "GET", f"{S3}?list-type=2&max-keys=100&prefix=us-east-1%3Aabc%2F", {}, "", "s3", SESSION),
    ("a space and a plus in the query", "GET", f"{S3}?list-type=2&prefix=a%20b%2Bc", {}, "", "s3", SESSION),
    ("a put with a content type and a UTF-8 body", "PUT", f"{S3}/note.txt", {"content-type": "text/plain; charset=utf-8"}, "Grüße 🎫", "s3", SESSION),
    ("a delete without a session token", "DELETE", f"{S3}/note.txt", {}, "", "s3", KEYS),
    ("another service encodes the path twice", "GET", "https://api.example.com/a%20b/c%3Ad", {}, "", "execute-api", SESSION),
    ("a JSON call", "POST", "https://dynamodb.eu-west-3.amazonaws.com/", {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.ListTables"}, "{}", "dynamodb", SESSION),
]


def authorization(method, url, headers, body, service, keys):
    credentials = Credentials(keys["accessKeyId"], keys["secretAccessKey"], keys.get("sessionToken"))
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "eu-west-3")
    request = AWSRequest(method, url, headers=dict(headers), data=body.encode())
    with mock.patch("botocore.auth.get_current_datetime", return_value=WHEN):
        signer.add_auth(request)
    return request.headers["Authorization"]


def case(name, method, url, headers, body, service, keys):
    request = {"method": method, "url": url, "headers": headers, "body": body}
    return {"name": name, "request": request, "service": service, "credentials": keys,
            "authorization": authorization(method, url, headers, body, service, keys)}


document = {
    "provenance": f"make_botocore.py with botocore {botocore.__version__}",
    "region": "eu-west-3",
    "date": "2026-11-23T09:15:30Z",
    "cases": [case(*one) for one in CASES],
}
target = pathlib.Path(__file__).with_name("sigv4-botocore.json")
target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
