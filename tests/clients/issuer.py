"""An issuer of ID tokens on loopback, as far as a relying party gets to see one: discovery, a JWK set, and tokens
signed with a key in it. A Cognito user pool looks the same from there, but for the name that it goes by."""

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT = "my-app"
# The account of every `daypass up`.
ACCOUNT_ID = "000000000000"


class Issuer:
    """A running issuer with one signing key. It reads no request but for its path."""

    def __init__(self, algorithm="RS256", realm="/realm"):
        self._algorithm = algorithm
        self.rotate()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"issuer": self}))
        self.path = realm
        self.url = f"http://127.0.0.1:{self._server.server_port}{realm}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """From now on nobody answers at this address."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def login_key(self):
        """The key in `Logins`: the URL without its scheme."""
        return self.url.split("://", 1)[1]

    @property
    def arn(self):
        """What a pool calls it, as an OIDC provider of the account."""
        return f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{self.login_key}"

    def rotate(self):
        """Signs with a new key from now on, and withdraws the old one."""
        self._key, self._key_id = self._new_key(), secrets.token_urlsafe(8)

    def _new_key(self):
        if self._algorithm == "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, subject, **claims):
        """An ID token for our client. A claim that is `None` is left out."""
        return self._sign(self._key, subject, claims)

    def forged(self, subject):
        """What somebody else makes of it who knows everything but the key."""
        return self._sign(self._new_key(), subject, {})

    def _sign(self, key, subject, claims):
        now = int(time.time())
        usual = {"iss": self.url, "sub": subject, "aud": CLIENT, "iat": now, "exp": now + 3600}
        claims = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(claims, key, self._algorithm, headers={"kid": self._key_id})

    def logins(self, subject, **claims):
        """The `Logins` map of somebody who just logged in here."""
        return {self.login_key: self.token(subject, **claims)}

    def documents(self):
        """What it publishes, by path."""
        key = jwt.get_algorithm_by_name(self._algorithm).to_jwk(self._key.public_key(), as_dict=True)
        # PyJWT writes what few issuers do, and what AWS takes amiss.
        key.pop("key_ops", None)
        keys = {"keys": [{**key, "kid": self._key_id, "alg": self._algorithm, "use": "sig"}]}
        jwks = f"{self.path}/.well-known/jwks.json"
        configuration = {"issuer": self.url, "jwks_uri": f"{self.url}/.well-known/jwks.json"}
        return {jwks: keys, f"{self.path}/.well-known/openid-configuration": configuration}


class UserPool(Issuer):
    """A Cognito user pool that is not where its name says, as an emulator runs one."""

    NAME = "cognito-idp.us-east-1.amazonaws.com/us-east-1_example"
    # A name of the kind that user pools give their clients.
    CLIENT = "1example23456789"

    def __init__(self):
        super().__init__(realm="/us-east-1_example")

    @property
    def login_key(self):
        return self.NAME

    @property
    def mapping_key(self):
        """The key in `RoleMappings`."""
        return f"{self.NAME}:{self.CLIENT}"

    def token(self, subject, **claims):
        return super().token(subject, **{"aud": self.CLIENT, "token_use": "id", **claims})


class _Handler(BaseHTTPRequestHandler):
    """Bound to its issuer by subclassing, because the server makes the instances."""

    issuer: Issuer

    def do_GET(self):
        document = self.issuer.documents().get(self.path)
        body = json.dumps(document).encode()
        self.send_response(404 if document is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing on stderr."""
