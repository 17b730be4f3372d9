"""What an app does without a browser: logs a person in at the sandbox by a form post, with PKCE, and trades the
proof for an identity at `/v1/exchange`."""

import base64
import contextlib
import hashlib
import json
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

SCOPE = "https://auth.snapchat.com/oauth2/api/user."
EXTERNAL_ID, DISPLAY_NAME = SCOPE + "external_id", SCOPE + "display_name"

HTTP = urllib3.PoolManager(retries=False)


@dataclass(frozen=True)
class Code:
    """An authorization code and what else is needed to redeem it."""

    code: str
    code_verifier: str
    redirect_uri: str

    def proof(self):
        return {"provider": "snapchat", **self.__dict__}


@dataclass(frozen=True)
class Person:
    """Somebody who logged in: the identity and its OpenID token."""

    identity_id: str
    token: str

    @property
    def logins(self):
        return {"cognito-identity.amazonaws.com": self.token}


class Refused(Exception):
    """An answer of `/v1/exchange` that is not 200."""

    def __init__(self, status, problem, text):
        super().__init__(f"{status} {problem}")
        self.status, self.problem, self.text = status, problem, text


@contextlib.contextmanager
def refused(status, code):
    """Expects a refusal in the form of RFC 9457, with this stable code."""
    with pytest.raises(Refused) as caught:
        yield caught
    assert (caught.value.status, caught.value.problem["code"]) == (status, code)
    assert caught.value.problem["status"] == status
    assert caught.value.problem["request_id"]


def get_json(url):
    answer = HTTP.request("GET", url)
    assert answer.status == 200, answer.data
    return answer.json()


def provider(daypass, provider_id):
    """What a login page may know of a provider."""
    providers = get_json(f"{daypass.server_url}/v1/providers")["providers"]
    return next(entry for entry in providers if entry["id"] == provider_id)


def other_app(daypass):
    """Another company's client of the same identity provider, with its secret."""
    clients = get_json(f"{daypass.sandbox_url}/sandbox.json")["clients"]
    return next(client for client in clients if "client_secret" in client)


def our_app(daypass):
    """Our client, as a login page knows it."""
    ours = provider(daypass, "snapchat")
    return {"client_id": ours["client_id"], "redirect_uris": [f"{daypass.server_url}/"]}


def authorize(daypass, person, app=None, share=(EXTERNAL_ID, DISPLAY_NAME)):
    """The person picks themselves on the consent page and allows what is in `share`; the app gets a code."""
    app = app or our_app(daypass)
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    back = consent(daypass, person, app, share, response_type="code", **pkce)
    return Code(parse_qs(back.query)["code"][0], verifier, app["redirect_uris"][0])


def bare_access_token(daypass, person):
    """What the provider's old browser SDK leaves the app with: the implicit grant, a token and no proof of for whom."""
    back = consent(daypass, person, our_app(daypass), (EXTERNAL_ID, DISPLAY_NAME), response_type="token")
    return parse_qs(back.fragment)["access_token"][0]


def consent(daypass, person, app, share, **request):
    """Posts the form of the consent page, and answers the address to which the person is sent back."""
    ours = provider(daypass, "snapchat")
    redirect_uri, state = app["redirect_uris"][0], secrets.token_urlsafe(16)
    request |= {"client_id": app["client_id"], "redirect_uri": redirect_uri, "scope": ours["scope"], "state": state}
    decision = [("person", person), ("decision", "allow"), *(("share", scope) for scope in share)]
    answer = post_form(ours["authorization_endpoint"], [*request.items(), *decision])
    assert answer.status in (302, 303), answer.data
    location = answer.headers["Location"]
    back = urlsplit(location)
    assert location.startswith(redirect_uri)
    assert state in (back.query or back.fragment)
    return back


def redeem(daypass, code, app):
    """The app redeems its code itself, as in AWS's blog post, and holds a bare access token."""
    form = {"grant_type": "authorization_code", "client_id": app["client_id"], **code.__dict__}
    if "client_secret" in app:
        form["client_secret"] = app["client_secret"]
    answer = post_form(f"{daypass.sandbox_url}/accounts/oauth2/token", form)
    assert answer.status == 200, answer.data
    return answer.json()["access_token"]


def exchange(daypass, body, headers=None):
    """`POST /v1/exchange`: the answer, or [`Refused`]."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    answer = HTTP.request("POST", f"{daypass.server_url}/v1/exchange", body=text, headers=headers, redirect=False)
    if answer.status != 200:
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        raise Refused(answer.status, answer.json(), answer.data.decode())
    return answer.json()


def log_in(daypass, person):
    """The whole login of one person."""
    answer = exchange(daypass, authorize(daypass, person).proof())
    return Person(answer["identity_id"], answer["token"])


def post_form(url, form):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return HTTP.request("POST", url, body=urlencode(form), headers=headers, redirect=False)
