"""A login at the identity provider becomes an identity, or a refusal that says why and stores nothing."""

import datetime
import json

import pytest

from support import aws, login
from support.login import exchange, refused


def test_a_code_becomes_an_identity(daypass):
    answer = exchange(daypass, login.authorize(daypass, "ada").proof())
    assert answer["identity_id"].startswith(f"{daypass.region}:")
    assert answer["identity_pool_id"] == daypass.identity_pool_id
    assert (answer["region"], answer["provider"]) == (daypass.region, "snapchat")
    assert answer["user"]["name"] == "Ada"
    assert answer["token"].count(".") == 2
    expires_at = datetime.datetime.fromisoformat(answer["expires_at"])
    assert expires_at > datetime.datetime.now(datetime.UTC)
    assert "credentials" not in answer


def test_the_same_person_is_the_same_identity_and_another_is_another(daypass, ada, grace):
    assert login.log_in(daypass, "ada").identity_id == ada.identity_id
    assert grace.identity_id != ada.identity_id


def test_credentials_come_along_on_request(daypass):
    answer = exchange(daypass, {**login.authorize(daypass, "ada").proof(), "credentials": True})
    given = answer["credentials"]
    assert datetime.datetime.fromisoformat(given["expiration"])
    s3 = aws.s3(daypass, aws.keywords(given["access_key_id"], given["secret_access_key"], given["session_token"]))
    s3.list_objects_v2(Bucket=daypass.bucket, Prefix=answer["identity_id"] + "/")


def test_a_bare_access_token_is_taken_where_the_operator_says_so(daypass):
    """The flow of AWS's blog post."""
    proof = {"provider": "snapchat-token", "access_token": login.bare_access_token(daypass, "ada")}
    first, second = exchange(daypass, proof), exchange(daypass, proof)
    assert first["provider"] == "snapchat-token"
    assert first["identity_id"] == second["identity_id"]


def test_a_bare_access_token_is_refused_everywhere_else(daypass):
    with refused(401, "unbound_access_token"):
        exchange(daypass, {"provider": "snapchat", "access_token": login.bare_access_token(daypass, "ada")})


def test_another_apps_access_token_opens_nobodys_identity(daypass, ada):
    """It is taken where bare tokens are, which is what they cost, and yet it names somebody else."""
    app = login.other_app(daypass)
    stolen = login.redeem(daypass, login.authorize(daypass, "ada", app), app)
    own = {"provider": "snapchat-token", "access_token": login.bare_access_token(daypass, "ada")}
    answer = exchange(daypass, {"provider": "snapchat-token", "access_token": stolen})
    assert answer["identity_id"] not in (ada.identity_id, exchange(daypass, own)["identity_id"])


@pytest.fixture
def nothing_is_stored(daypass, pools):
    before = aws.identity_ids(pools, daypass.identity_pool_id)
    yield
    assert aws.identity_ids(pools, daypass.identity_pool_id) == before


@pytest.mark.usefixtures("nothing_is_stored", "ada")
class TestRefusedProofs:
    def test_a_code_is_good_once(self, daypass):
        proof = login.authorize(daypass, "ada").proof()
        exchange(daypass, proof)
        with refused(401, "proof_refused"):
            exchange(daypass, proof)

    def test_a_code_without_the_browser_that_asked_for_it(self, daypass):
        one, other = login.authorize(daypass, "ada"), login.authorize(daypass, "ada")
        with refused(401, "proof_refused"):
            exchange(daypass, {**one.proof(), "code_verifier": other.code_verifier})

    def test_a_code_stolen_from_another_app(self, daypass):
        stolen = login.authorize(daypass, "ada", login.other_app(daypass))
        with refused(400, "redirect_uri_not_registered"):
            exchange(daypass, stolen.proof())
        with refused(401, "proof_refused"):
            exchange(daypass, {**stolen.proof(), "redirect_uri": f"{daypass.server_url}/"})

    def test_a_person_who_does_not_share_the_external_id(self, daypass):
        code = login.authorize(daypass, "ada", share=[login.DISPLAY_NAME])
        with refused(401, "subject_missing"):
            exchange(daypass, code.proof())

    def test_a_person_whose_profile_the_provider_withholds(self, daypass):
        with refused(401, "provider_reported_error"):
            exchange(daypass, login.authorize(daypass, "oscar").proof())

    def test_an_invented_access_token(self, daypass):
        with refused(401, "proof_refused"):
            exchange(daypass, {"provider": "snapchat-token", "access_token": "invented"})

    def test_no_refusal_repeats_a_proof(self, daypass):
        proof = login.authorize(daypass, "ada").proof()
        exchange(daypass, proof)
        with refused(401, "proof_refused") as caught:
            exchange(daypass, proof)
        assert proof["code"] not in caught.value.text
        assert proof["code_verifier"] not in caught.value.text


@pytest.mark.parametrize(
    "change",
    [
        {"code": None},
        {"code_verifier": None},
        {"redirect_uri": None},
        {"access_token": "a second proof"},
        {"no_such_member": 1},
        {"token_duration": 0},
        {"token_duration": 86_401},
    ],
    ids=json.dumps,
)
def test_a_request_of_another_form(daypass, change):
    with refused(400, "malformed_request"):
        body = {**login.authorize(daypass, "ada").proof(), **change}
        exchange(daypass, {name: value for name, value in body.items() if value is not None})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b'{"provider":7}'])
def test_a_body_that_is_no_request(daypass, body):
    with refused(400, "malformed_request"):
        exchange(daypass, body)


def test_an_unknown_provider(daypass):
    with refused(400, "unknown_provider"):
        exchange(daypass, {**login.authorize(daypass, "ada").proof(), "provider": "nobody"})


def test_a_body_without_end(daypass):
    with refused(413, "body_too_large"):
        exchange(daypass, b'{"provider":"' + b"x" * 1_000_000)


def test_a_page_of_another_origin(daypass):
    with refused(403, "origin_not_allowed"):
        proof = login.authorize(daypass, "ada").proof()
        exchange(daypass, proof, {"Origin": "https://other-games.example"})
