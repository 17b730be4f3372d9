"""Signed requests as no SDK sends them: every header and every byte of the body is the test's. The signature is made by
botocore's signer, the request by `http.client`."""

import contextlib
import datetime
import hashlib
import html
import http.client
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stores import LIMIT

NOTHING = hashlib.sha256(b"").hexdigest()


def path_of(bucket, key=None):
    return f"/{bucket}" + ("" if key is None else "/" + quote(key, safe="/-_.~"))


def query_of(parameters):
    """A query as it is signed: a parameter whose value is None is written by its name alone."""
    words = [quote(name, safe="-_.~") + ("" if value is None else "=" + quote(str(value), safe="-_.~"))
             for name, value in parameters.items()]  # fmt: skip
    return "?" + "&".join(words) if words else ""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def xml(self):
        """The document of the answer, without namespaces."""
        root = ET.fromstring(self.body)
        for element in root.iter():
            element.tag = element.tag.rsplit("}", 1)[-1]
        return root

    @property
    def code(self):
        return self.text("Code")

    def text(self, name):
        """What the element of this name says, also of a document that has characters which XML does not have."""
        found = re.search(f"<{name}>(.*?)</{name}>".encode(), self.body, re.DOTALL)
        return found and html.unescape(found[1].decode())

    def texts(self, path):
        return [element.text or "" for element in self.xml.findall(path)]


class Signer(S3SigV4Auth):
    """Signs what the test says that the payload is."""

    def __init__(self, store, payload):
        super().__init__(Credentials(*store.keys), "s3", store.region)
        self._payload = payload

    def payload(self, request):
        return self._payload


class Signed:
    """A signed request, and the signatures that go on from its own."""

    def __init__(self, store, method, target, headers, payload):
        self._signer = Signer(store, payload)
        self.request = AWSRequest(method, store.url + target, headers=headers)
        self._signer.add_auth(self.request)
        self.method, self.target = method, target
        self._last = self.request.headers["Authorization"].rsplit("Signature=", 1)[1]

    @property
    def headers(self):
        return dict(self.request.headers.items())

    def next_signature(self, data):
        """That of the next chunk."""
        return self._chain("AWS4-HMAC-SHA256-PAYLOAD", NOTHING, hashlib.sha256(data).hexdigest())

    def trailer_signature(self, text):
        return self._chain("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(text).hexdigest())

    def _chain(self, kind, *hashes):
        when = self.request.context.get("timestamp") or self.request.headers["X-Amz-Date"]
        words = [kind, when, self._signer.credential_scope(self.request), self._last, *hashes]
        self._last = self._signer.signature("\n".join(words), self.request)
        return self._last


class Wire:
    """Sends requests over one connection, as long as the server keeps it."""

    def __init__(self, store):
        self.store = store
        self.connection = self.connect()

    def connect(self):
        address = urlsplit(self.store.url)
        return http.client.HTTPConnection(address.hostname, address.port, timeout=LIMIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def sign(self, method, key, headers=None, query=None, payload=NOTHING, bucket=None, path=None):
        """The request for an object, for the bucket if `key` is None, or for a `path` as it is spelt."""
        target = (path or path_of(bucket or self.store.bucket, key)) + query_of(query or {})
        return Signed(self.store, method, target, headers or {}, payload)

    def send(self, method, key, headers=None, body=b"", payload=None, **where):
        """Sends a whole request; `payload` is what is signed of the body, in place of its hash."""
        payload = payload or hashlib.sha256(body).hexdigest()
        return self.deliver(self.sign(method, key, headers, payload=payload, **where), body)

    def deliver(self, signed, body=b"", **more):
        """Sends a signed request with this body and, unsigned, the headers in `more`."""
        headers = {"Content-Length": str(len(body)), **signed.headers, **more}
        if "Transfer-Encoding" in headers:
            del headers["Content-Length"]
        self.begin(signed, headers)
        # A server may answer, and close, before it has the whole body.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(body)
        return self.receive()

    def begin(self, signed, headers):
        """Sends what stands before the body."""
        self.connection.putrequest(signed.method, signed.target, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name, value)
        self.connection.endheaders()

    def receive(self):
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def get(self, key, headers=None, **where):
        return self.send("GET", key, headers, **where)

    def head(self, key, headers=None, **where):
        return self.send("HEAD", key, headers, **where)

    def put(self, key, body=b"", headers=None, **more):
        return self.send("PUT", key, headers, body, **more)


def http_date(seconds=0):
    """The time of now, or so many seconds later, as HTTP writes it."""
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return when.strftime("%a, %d %b %Y %H:%M:%S GMT")
