"""What a client asks for beside an object: it is answered as S3 would show it, or refused, and never just forgotten."""

import pytest

ASKED = {
    "an ACL for everybody": {"x-amz-acl": "public-read"},
    "a grant": {"x-amz-grant-read": 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'},
    "encryption": {"x-amz-server-side-encryption": "AES256"},
    "encryption by a key of AWS": {"x-amz-server-side-encryption": "aws:kms"},
    "a storage class": {"x-amz-storage-class": "STANDARD_IA"},
    "an archive": {"x-amz-storage-class": "GLACIER"},
    "no storage class": {"x-amz-storage-class": "NONE"},
    "a redirect": {"x-amz-website-redirect-location": "/other"},
    "a lock": {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z"},
    "a hold": {"x-amz-object-lock-legal-hold": "ON"},
    "encryption by the client's key": {
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "x-amz-server-side-encryption-customer-key-MD5": "hRasmdxgYDKV3nvbahU1MA==",
    },
    "another owner": {"x-amz-expected-bucket-owner": "999999999999"},
}


@pytest.mark.parametrize("case", ASKED)
@pytest.mark.stores("daypass", "person", "seaweedfs")
def test_it_is_shown_or_refused(wire, place, case):
    asked = ASKED[case]
    answer = wire.put(place.key("object"), b"content", asked)
    if answer.status >= 400:
        assert answer.status in (400, 403, 501), answer
        assert answer.text("Message")
        assert place.names() == []
        return
    again = asked if "customer" in case or "client" in case else {}
    head = wire.head(place.key("object"), again)
    name, value = next(iter(asked.items()))
    assert head.headers[name] == value


@pytest.mark.parametrize("headers", [{"x-amz-acl": "private"}, {"x-amz-storage-class": "STANDARD"}], ids=str)
def test_what_is_so_anyway_may_be_asked_for(wire, place, headers):
    assert wire.put(place.key("object"), b"content", headers).status == 200
    assert place.read("object") == b"content"


@pytest.mark.parametrize("name", ["bucket-owner-full-control", "no-such-acl"])
@pytest.mark.stores("daypass", "person")
def test_other_acls(wire, place, name):
    """The owner has everything in any case. A word that is none is refused."""
    answer = wire.put(place.key("object"), b"content", {"x-amz-acl": name})
    assert answer.status == 200 if name == "bucket-owner-full-control" else answer.status in (400, 501)
