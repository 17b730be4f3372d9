"""Signs Ada in at the sandbox without a browser, and walks the rest of the flow with unmodified boto3.

Usage: python walk.py READY.json [S3_URL BUCKET PREFIX]: the line of JSON that `daypass up` prints, and, if credentials come
from a store of your own, where it answers and where people have their folders."""

import base64
import hashlib
import json
import secrets
import sys
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import urllib3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

with open(sys.argv[1]) as file:
    up = json.load(file)
s3_url, bucket, prefix = sys.argv[2:5] or (up["s3_url"], up["bucket"], "")
http = urllib3.PoolManager()

# 1. The login. A person would press the button on the consent page; the form of that page can be posted as well.
providers = http.request("GET", up["server_url"] + "/v1/providers").json()["providers"]
snapchat = next(provider for provider in providers if provider["id"] == "snapchat")
verifier = secrets.token_urlsafe(48)
challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
state, redirect_uri = secrets.token_urlsafe(16), up["server_url"] + "/"
form = {
    "response_type": "code", "client_id": snapchat["client_id"], "redirect_uri": redirect_uri,
    "scope": snapchat["scope"], "state": state, "code_challenge": challenge, "code_challenge_method": "S256",
    "person": "ada", "decision": "allow", "share": snapchat["scope"].split(),
}  # fmt: skip
answer = http.request(
    "POST", snapchat["authorization_endpoint"], body=urlencode(form, doseq=True), redirect=False,
    headers={"Content-Type": "application/x-www-form-urlencoded"},
)  # fmt: skip
back = parse_qs(urlsplit(answer.headers["Location"]).query)
assert back["state"] == [state], "somebody else's login"

# 2 to 5. The exchange: the proof goes in, the identity and its OpenID token come out.
proof = {
    "provider": "snapchat", "code": back["code"][0], "code_verifier": verifier, "redirect_uri": redirect_uri,
}  # fmt: skip
ada = http.request("POST", up["server_url"] + "/v1/exchange", json=proof).json()
print("identity ", ada["identity_id"])

# 6. The token becomes temporary credentials. This call needs no credentials of its own.
unsigned = Config(signature_version=UNSIGNED)
cognito = boto3.client(
    "cognito-identity", endpoint_url=up["server_url"], region_name=up["region"], config=unsigned
)
given = cognito.get_credentials_for_identity(
    IdentityId=ada["identity_id"], Logins={"cognito-identity.amazonaws.com": ada["token"]}
)["Credentials"]
print("key      ", given["AccessKeyId"], "until", given["Expiration"])

# 7. S3, with nothing but those credentials.
s3 = boto3.client(
    "s3", endpoint_url=s3_url, region_name=up["region"], aws_access_key_id=given["AccessKeyId"],
    aws_secret_access_key=given["SecretKey"], aws_session_token=given["SessionToken"],
    config=Config(s3={"addressing_style": "path"}),
)  # fmt: skip
folder = f"{prefix}{ada['identity_id']}/"
key = folder + "hello.txt"
s3.put_object(Bucket=bucket, Key=key, Body=b"Hello from Ada")
listed = s3.list_objects_v2(Bucket=bucket, Prefix=folder)
print("list     ", [entry["Key"] for entry in listed["Contents"]])
print("read     ", s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
try:
    s3.get_object(Bucket=bucket, Key=f"{prefix}us-east-1:somebody-else/diary.txt")
except ClientError as error:
    print("not hers ", error.response["Error"]["Code"])
