"""An OpenID Connect issuer for trying things out: whoever asks for a token gets one. Never expose it.

Usage: python oidc_issuer.py PORT. Then `GET /token?sub=ada&aud=my-app` answers an ID token; every other parameter
becomes a claim, a list if it stands there twice."""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

PORT = int(sys.argv[1])
ISSUER = f"http://127.0.0.1:{PORT}"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
# Without the `key_ops` that PyJWT writes: AWS takes no key that has any, and neither does Daypass.
JWK = {"kid": "1", "use": "sig", "alg": "RS256"} | {name: PUBLIC[name] for name in ("kty", "n", "e")}


def id_token(query):
    asked = {name: values if len(values) > 1 else values[0] for name, values in parse_qs(query).items()}
    now = int(time.time())
    claims = {"iss": ISSUER, "iat": now, "exp": now + 3600} | asked
    return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "1"})


class Issuer(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urlsplit(self.path)
        if asked.path == "/.well-known/openid-configuration":
            self.answer(json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}))
        elif asked.path == "/jwks":
            self.answer(json.dumps({"keys": [JWK]}))
        elif asked.path == "/token":
            self.answer(id_token(asked.query))
        else:
            self.send_error(404)

    def answer(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", PORT), Issuer).serve_forever()
