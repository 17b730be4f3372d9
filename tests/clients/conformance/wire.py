"""Requests as an SDK puts them on the wire, but with whatever in them: SDKs refuse to send much of what a server has to
refuse to take."""

import json
import re
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from conformance import answers, model
from support import aws, login


class Wire:
    """One service of a running Daypass."""

    def __init__(self, daypass, findings):
        self.daypass, self.findings = daypass, findings
        self._credentials = Credentials(*aws.developer_key(daypass))

    def is_public(self, operation):
        return self.service.operation_model(operation).auth_type == "none"

    def input_shape(self, operation):
        return self.service.operation_model(operation).input_shape

    def send(self, operation, parameters, signed=None):
        """Sends a request and answers with the bare HTTP answer. It is signed with the developer's key if the model
        says so, or as `signed` says: whether, or with what."""
        return self.send_body(operation, self.encode(operation, parameters), signed)

    def send_body(self, operation, body, signed=None):
        request = AWSRequest("POST", self.daypass.server_url + "/", headers=self.headers(operation), data=body)
        signed = not self.is_public(operation) if signed is None else signed
        if signed:
            credentials = self._credentials if signed is True else signed
            SigV4Auth(credentials, self.service.signing_name, self.daypass.region).add_auth(request)
        return login.HTTP.request("POST", request.url, body=body, headers=dict(request.headers), redirect=False)

    def call(self, operation, **parameters):
        """A request that has to succeed; what the answer says."""
        answer = self.send(operation, parameters)
        assert answer.status == 200, f"{operation}: {answer.data.decode()}"
        said = self.read_success(self.service.operation_model(operation), answer)
        self.findings.of(operation).succeeded(said)
        return said

    def refusal(self, operation, parameters, signed=None):
        """A request that has to fail; the code and the message of the answer."""
        return self.read_refusal(operation, self.send(operation, parameters, signed))

    def read_refusal(self, operation, answer):
        assert answer.status >= 400, f"{operation} did not refuse"
        code, message = self.read_error(answer)
        if operation in self.findings:
            self.findings.of(operation).errors.add(code)
        return code, message


class CognitoIdentity(Wire):
    """AWS JSON 1.1."""

    service = model.COGNITO_IDENTITY
    validation_code = "ValidationException"
    no_signature = "MissingAuthenticationTokenException"
    read_success = staticmethod(answers.check_json_success)
    read_error = staticmethod(answers.check_json_error)

    def headers(self, operation):
        target = f"{self.service.metadata['targetPrefix']}.{operation}"
        return {"Content-Type": answers.JSON_TYPE, "X-Amz-Target": target}

    def encode(self, _, parameters):
        return json.dumps(parameters).encode()

    @staticmethod
    def shown(text):
        """A text as it comes back within a message."""
        return text


class Sts(Wire):
    """The Query protocol."""

    service = model.STS
    validation_code = "ValidationError"
    no_signature = "MissingAuthenticationToken"
    read_success = staticmethod(answers.check_query_success)
    read_error = staticmethod(answers.check_query_error)

    def headers(self, _):
        return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

    def encode(self, operation, parameters):
        return urlencode({"Action": operation, "Version": self.service.api_version, **parameters}).encode()

    @staticmethod
    def shown(text):
        """XML 1.0 holds no control characters but three (section 2.2)."""
        return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd", text)
