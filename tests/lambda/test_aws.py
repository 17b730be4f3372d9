"""The function as a whole: its zip file behind API Gateway, with secrets in Parameter Store and Secrets Manager, all of
them ministack's."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import pytest
import urllib3

from events import event
from function import CLIENT_SECRET, MASTER_KEY, Function, lay_out
from provider import NAME, proof
from test_dynamodb import REDIRECT_URI, START, VERIFIER

HTTP = urllib3.PoolManager(retries=False)
REFERENCES = {"master_key": '{ ssm = "/daypass/master-key" }', "client_secret": '{ secrets_manager = "snap#secret" }'}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class Aws:
    """ministack, on a port of its own."""

    def __init__(self, directory):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "TMPDIR": str(directory),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "LAMBDA_EXECUTOR": "local",
            "PERSIST_STATE": "0",
        }
        self.log = directory / "ministack.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ministack"], stdout=log, stderr=log, env=environment, cwd=directory
            )
        self.directory = directory

    def __enter__(self):
        for _ in range(600):
            try:
                HTTP.request("GET", self.url + "/_ministack/health", timeout=1)
                return self
            except urllib3.exceptions.HTTPError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        for process in self.left_behind():
            os.kill(process, signal.SIGKILL)

    def left_behind(self):
        """ministack leaves functions running: those that run from below its directory are ours to end."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                program = os.readlink(entry / "exe")
            except OSError:
                continue
            if program.startswith(f"{self.directory}/"):
                yield int(entry.name)

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with Aws(tmp_path_factory.mktemp("ministack")) as running:
        ssm = running.client("ssm")
        ssm.put_parameter(Name="/daypass/master-key", Value=MASTER_KEY, Type="SecureString")
        secret = json.dumps({"secret": CLIENT_SECRET})
        running.client("secretsmanager").create_secret(Name="snap", SecretString=secret)
        yield running


def zipped(directory):
    """What `cargo xtask package` makes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ["bootstrap", "daypass.toml", "policy.json"]:
            archive.write(directory / name, name)
    return made.getvalue()


def deploy(aws, name, directory):
    """Asks an HTTP API with the function behind it."""
    function = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role="arn:aws:iam::000000000000:role/daypass",
        Code={"ZipFile": zipped(directory)},
        Timeout=15,
        MemorySize=128,
        Environment={"Variables": {"AWS_ENDPOINT_URL": aws.url}},
    )
    gateway = aws.client("apigatewayv2")
    api = gateway.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function["FunctionArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)

    def request(method, path, headers=None, **body):
        # By the host's name, ministack would answer /oauth2/token itself, for user pools.
        url = f"{aws.url}/_aws/execute-api/{api}/$default{path}"
        return HTTP.request(method, url, headers=headers, redirect=False, **body)

    return request


@pytest.fixture(scope="module")
def api(aws, provider, tmp_path_factory):
    return deploy(aws, "daypass", lay_out(tmp_path_factory.mktemp("zip"), provider.url, **REFERENCES))


@pytest.fixture(scope="module")
def api_with_table(aws, provider, tmp_path_factory):
    """The same with a table as its store."""
    directory = lay_out(tmp_path_factory.mktemp("zip"), provider.url, **REFERENCES)
    file = directory / "daypass.toml"
    file.write_text(file.read_text().replace('"memory:"', f'"dynamodb:daypass?region=us-east-1&endpoint={aws.url}"'))
    made = subprocess.run(
        [directory / "bootstrap", "store", "create", "--config", file],
        env=CREDENTIALS | {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "us-east-1"},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made
    return deploy(aws, "daypass-with-table", directory)


def test_the_zip_file_answers_behind_api_gateway(api):
    answer = api("GET", "/healthz")
    assert (answer.status, answer.data) == (200, b"ok\n"), answer.data


def test_a_person_signs_in_by_the_page_and_stays_signed_in_behind_api_gateway(api_with_table):
    started = api_with_table("GET", f"/login/snapchat?{START}")
    assert started.status in (302, 303), started.data
    state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
    cookies = "; ".join(cookie.split(";")[0] for cookie in started.headers.getlist("set-cookie"))
    query = urlencode({"state": state, "code": "a-code"})
    ended = api_with_table("GET", f"/login/snapchat/callback?{query}", {"Cookie": cookies})
    assert ended.status in (302, 303), ended.data
    code = parse_qs(urlsplit(ended.headers["location"]).query)["code"][0]
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    form = {"encode_multipart": False}
    signed_in = api_with_table("POST", "/oauth2/token", fields=grant | {"client_id": "web"}, **form)
    assert signed_in.status == 200, signed_in.data
    refresh = {"grant_type": "refresh_token", "client_id": "web"}
    renewed = api_with_table(
        "POST", "/oauth2/token", fields=refresh | {"refresh_token": signed_in.json()["refresh_token"]}, **form
    )
    assert renewed.status == 200, renewed.data
    assert renewed.json()["identity_id"] == signed_in.json()["identity_id"]
    again = api_with_table("POST", "/oauth2/token", fields=grant | {"client_id": "web"}, **form)
    assert again.json()["error"] == "invalid_grant", "a code counts once"
    ended = api_with_table(
        "POST", "/oauth2/token", fields=refresh | {"refresh_token": renewed.json()["refresh_token"]}, **form
    )
    assert ended.json()["reason"] == "reused", "and ends what it began if it is shown again"


def test_a_person_signs_in_behind_api_gateway_with_secrets_that_aws_keeps(api, provider):
    answer = api("POST", "/v1/exchange", json=proof())
    assert answer.status == 200, answer.data
    assert answer.json()["user"]["name"] == NAME
    expected = urllib3.make_headers(basic_auth=f"the-client:{CLIENT_SECRET}")["authorization"]
    assert provider.secrets[-1] == expected


def test_aws_json_behind_api_gateway_whose_body_arrives_in_base64(api):
    person = api("POST", "/v1/exchange", json=proof()).json()
    body = {"IdentityId": person["identity_id"], "Logins": {"cognito-identity.amazonaws.com": person["token"]}}
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AWSCognitoIdentityService.GetCredentialsForIdentity",
    }
    answer = api("POST", "/", headers, body=json.dumps(body))
    assert answer.status == 200, answer.data
    assert answer.json()["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_what_is_refused_stays_refused_behind_api_gateway(api):
    answer = api("POST", "/v1/exchange", {"Content-Type": "application/json"}, body=b"{")
    assert (answer.status, answer.json()["code"]) == (400, "malformed_request")
    assert answer.headers["content-type"] == "application/problem+json"


def test_secrets_that_are_not_there_are_all_named(aws, tmp_path):
    directory = lay_out(tmp_path, master_key='{ ssm = "/gone" }', client_secret='{ secrets_manager = "gone#secret" }')
    function = Function(directory, AWS_ENDPOINT_URL=aws.url, **CREDENTIALS)
    assert function.end() == 1
    _, error = function.api.start_error
    for key in ["master_key", '[[provider]] id = "snapchat": client_secret']:
        assert f"{key}: there is none of the name that is written there in us-east-1" in error["errorMessage"]
    assert "gone" not in error["errorMessage"]


def test_a_secret_that_was_rotated_is_used_without_a_restart(aws, provider, tmp_path):
    directory = lay_out(tmp_path, provider.url, **REFERENCES)
    configuration = directory / "daypass.toml"
    configuration.write_text(configuration.read_text() + '\n[secrets]\nrefresh = "1s"\n')
    manager = aws.client("secretsmanager")
    exchange = event(
        "http-api", "POST", "/v1/exchange", headers={"content-type": "application/json"}, body=json.dumps(proof())
    )
    with Function(directory, AWS_ENDPOINT_URL=aws.url, **CREDENTIALS) as function:
        assert function.invoke(exchange).status == 200
        manager.put_secret_value(SecretId="snap", SecretString=json.dumps({"secret": "another"}))
        function.freeze()
        time.sleep(1.5)
        function.thaw()
        assert function.invoke(exchange).status == 200
    manager.put_secret_value(SecretId="snap", SecretString=json.dumps({"secret": CLIENT_SECRET}))
    assert provider.secrets[-1] == urllib3.make_headers(basic_auth="the-client:another")["authorization"]
