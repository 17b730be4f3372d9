"""Addresses and forms that were signed beforehand, as boto3 makes them, used by who holds no key."""

import base64
import datetime
import hashlib
import hmac
import json
import select
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
import urllib3
from botocore import auth
from botocore.crt import auth as crt

from answers import assert_refused, refused
from support import aws
from upload import begin
from wire import Answer

HTTP = urllib3.PoolManager(retries=False)
LIMIT = 20


def ask(method, url, **more):
    answer = HTTP.request(method, url, redirect=False, timeout=LIMIT, **more)
    return Answer(answer.status, answer.headers, answer.data)


def set_clock(monkeypatch, minutes):
    """Lets botocore believe that it is so many minutes later. It signs by its common runtime where that is there."""
    real = auth.get_current_datetime
    later = datetime.timedelta(minutes=minutes)
    for signer in (auth, crt):
        monkeypatch.setattr(signer, "get_current_datetime", lambda *how, **named: real(*how, **named) + later)


class TestAddresses:
    @pytest.fixture
    def presign(self, place):
        def presign(operation, name, client=place.s3, expires=60, **more):
            return client.generate_presigned_url(operation, Params={**place.at(name), **more}, ExpiresIn=expires)

        return presign

    def test_an_object_goes_up_down_and_away(self, place, presign):
        assert ask("PUT", presign("put_object", "a b+ü.txt"), body=b"content").status == 200
        answer = ask("GET", presign("get_object", "a b+ü.txt"))
        assert (answer.status, answer.body) == (200, b"content")
        head = ask("HEAD", presign("head_object", "a b+ü.txt"))
        assert (head.status, head.headers["Content-Length"]) == (200, "7")
        assert ask("DELETE", presign("delete_object", "a b+ü.txt")).status == 204
        assert ask("GET", presign("get_object", "a b+ü.txt")).status == 404

    def test_headers_that_were_signed_are_asked_for(self, place, presign):
        url = presign("put_object", "object", ContentType="text/html", Metadata={"mood": "good"})
        refusal = ask("PUT", url, body=b"x", headers={"Content-Type": "text/plain", "x-amz-meta-mood": "good"})
        assert_refused(refusal, "SignatureDoesNotMatch", status=403)
        assert place.names() == []
        assert (
            ask("PUT", url, body=b"x", headers={"Content-Type": "text/html", "x-amz-meta-mood": "good"}).status == 200
        )
        head = place.head("object")
        assert (head["ContentType"], head["Metadata"]) == ("text/html", {"mood": "good"})

    def test_an_answer_looks_as_it_was_asked_for(self, place, presign):
        place.put("object", b"x")
        wanted = {
            "ResponseContentType": "text/html",
            "ResponseContentDisposition": 'attachment; filename="ü.html"',
            "ResponseCacheControl": "no-cache",
            "ResponseContentLanguage": "de",
            "ResponseContentEncoding": "identity",
        }
        answer = ask("GET", presign("get_object", "object", **wanted))
        assert answer.headers["Content-Type"] == "text/html"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Content-Language"] == "de"

    def test_a_range_of_it(self, place, presign):
        place.put("object", b"content")
        answer = ask("GET", presign("get_object", "object"), headers={"Range": "bytes=1-2"})
        assert (answer.status, answer.body) == (206, b"on")

    def test_a_listing(self, place):
        place.put("object")
        url = place.s3.generate_presigned_url(
            "list_objects_v2", Params={"Bucket": place.bucket, "Prefix": place.prefix, "Delimiter": "/"}
        )
        assert [unquote_plus(key) for key in ask("GET", url).texts("Contents/Key")] == [place.key("object")]

    def test_a_part_of_an_upload(self, place, presign):
        upload = begin(place, "object")
        url = presign("upload_part", "object", UploadId=upload.id, PartNumber=1)
        upload.parts[1] = ask("PUT", url, body=b"part").headers["ETag"]
        upload.complete()
        assert place.read("object") == b"part"

    @pytest.mark.parametrize("change", ["Signature", "Credential", "Date", "Expires", "key", "method", "query"])
    def test_an_address_that_was_changed(self, place, presign, change):
        place.put("object", b"secret")
        place.put("other", b"secret")
        url = presign("get_object", "object")
        changed = {
            "Signature": url[:-1] + ("0" if url[-1] != "0" else "1"),
            "Credential": url.replace("X-Amz-Credential=", "X-Amz-Credential=A"),
            "Date": url.replace("X-Amz-Date=20", "X-Amz-Date=19"),
            "Expires": url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
            "key": url.replace("/object?", "/other?"),
            "query": url + "&response-content-type=text%2Fhtml",
        }.get(change, url)
        answer = ask("PUT" if change == "method" else "GET", changed)
        assert answer.status in (400, 403), answer
        assert b"secret" not in answer.body

    def test_an_address_that_is_over(self, place, presign, monkeypatch):
        place.put("object", b"secret")
        set_clock(monkeypatch, -2)
        answer = ask("GET", presign("get_object", "object", expires=60))
        assert_refused(answer, "AccessDenied", status=403)
        assert "expired" in answer.text("Message").lower()

    @pytest.mark.parametrize("seconds", ["0", "604801", "-1", "x", ""])
    def test_a_time_that_is_none(self, place, presign, seconds):
        place.put("object", b"secret")
        url = presign("get_object", "object").replace("X-Amz-Expires=60", f"X-Amz-Expires={seconds}")
        answer = ask("GET", url)
        assert answer.status in (400, 403)

    @pytest.mark.stores("daypass")
    def test_the_written_profile_is_all_that_boto3_needs(self, store, place):
        """Left alone, boto3 signs addresses of endpoints like ours in a way of another decade."""
        place.put("object", b"content")
        s3 = aws.developer(store.daypass, "s3")
        url = s3.generate_presigned_url("get_object", Params=place.at("object"))
        assert ask("GET", url).body == b"content"
        form = s3.generate_presigned_post(**place.at("posted"))
        assert post(form, b"content").status == 204


def post(form, content, fields=None, file_first=False, name="a file.txt"):
    """Sends a form as a browser does: the file comes last."""
    file = ("file", (name, content, "application/octet-stream"))
    fields = list({**form["fields"], **(fields or {})}.items())
    body, kind = urllib3.encode_multipart_formdata([file, *fields] if file_first else [*fields, file])
    return ask("POST", form["url"], body=body, headers={"Content-Type": kind})


class TestForms:
    """Presigned POST, with the conditions of its policy."""

    @pytest.fixture
    def sign(self, place):
        def sign(name="posted", fields=None, conditions=None, expires=60):
            return place.s3.generate_presigned_post(
                **place.at(name), Fields=fields, Conditions=conditions, ExpiresIn=expires
            )

        return sign

    def test_a_file_goes_up(self, place, sign):
        answer = post(sign(), b"content")
        assert (answer.status, answer.body) == (204, b"")
        assert answer.headers["ETag"] == place.head("posted")["ETag"]
        assert place.read("posted") == b"content"

    def test_what_the_fields_say_of_it(self, place, sign):
        said = {
            "Content-Type": "text/html",
            "Cache-Control": "no-cache",
            "Content-Disposition": "inline",
            "x-amz-meta-mood": "good",
        }
        post(sign(fields=said, conditions=[{name: value} for name, value in said.items()]), b"content")
        head = place.head("posted")
        assert (head["ContentType"], head["CacheControl"], head["ContentDisposition"]) == (
            "text/html",
            "no-cache",
            "inline",
        )
        assert head["Metadata"] == {"mood": "good"}

    def test_the_name_of_the_file(self, place, sign):
        form = sign("dir/${filename}")
        assert post(form, b"content", name="ä b.txt").status == 204
        assert place.names() == ["dir/ä b.txt"]

    @pytest.mark.parametrize(("asked", "status"), [("200", 200), ("201", 201), ("204", 204), ("999", 204)])
    def test_the_status_that_was_asked_for(self, place, sign, asked, status):
        said = {"success_action_status": asked}
        answer = post(sign(fields=said, conditions=[said]), b"content")
        assert answer.status == status
        if status == 201:
            assert (answer.text("Bucket"), answer.text("Key")) == (place.bucket, place.key("posted"))
            assert answer.text("ETag") == place.head("posted")["ETag"]
            assert answer.text("Location")

    def test_the_page_that_comes_after(self, place, sign):
        said = {"success_action_redirect": "http://app.example.com/done"}
        answer = post(sign(fields=said, conditions=[said]), b"content")
        assert answer.status == 303
        location = urlsplit(answer.headers["Location"])
        query = parse_qs(location.query)
        assert location.netloc == "app.example.com"
        assert (query["bucket"], query["key"]) == ([place.bucket], [place.key("posted")])
        assert query["etag"] == [place.head("posted")["ETag"]]

    @pytest.mark.parametrize(
        ("size", "code"), [(9, "EntityTooSmall"), (21, "EntityTooLarge"), (3_000_000, "EntityTooLarge")]
    )
    def test_a_file_of_another_size(self, place, sign, size, code):
        form = sign(conditions=[["content-length-range", 10, 20]])
        assert_refused(post(form, bytes(size)), code)
        assert place.names() == []
        assert post(form, bytes(20)).status == 204

    @pytest.mark.parametrize("size", [21, 100_000, 3_000_000])
    @pytest.mark.parametrize("form", ["large", "expired"])
    def test_the_connection_of_a_refused_form_goes_on_or_says_that_it_ends(self, wire, store, place, sign, form, size):
        signed = sign(conditions=[["content-length-range", 1, 20]])
        if form == "expired":
            signed = self.signed_by_hand(store, place, "2020-01-01T00:00:00Z")
        fields = [*signed["fields"].items(), ("file", ("name", bytes(size)))]
        body, kind = urllib3.encode_multipart_formdata(fields)
        for _ in range(5):
            sent = wire.connection.sock
            wire.connection.request("POST", f"/{place.bucket}", body, {"Content-Type": kind})
            answer = wire.receive()
            assert answer.status in (400, 403), answer
            assert wire.get(place.key("missing")).status == 404
            assert answer.headers["Connection"] == "close" or sent in (None, wire.connection.sock)
        assert place.names() == []

    @pytest.mark.parametrize("size", [100, 50_000])
    @pytest.mark.parametrize("wrong", ["type", "size"])
    def test_a_refusal_reaches_who_still_sends(self, wire, place, sign, wrong, size):
        """A form is sent piece by piece. An answer that comes meanwhile is not lost by a connection that is closed, and
        one that is to be closed says so."""
        form = sign(conditions=[["starts-with", "$Content-Type", "image/"], ["content-length-range", 1, 50]])
        kind_of_file = "text/html" if wrong == "type" else "image/png"
        fields = [*form["fields"].items(), ("Content-Type", kind_of_file), ("file", ("name", bytes(size)))]
        body, kind = urllib3.encode_multipart_formdata(fields)
        for _ in range(4):
            wire.connection.putrequest("POST", f"/{place.bucket}")
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body))}.items():
                wire.connection.putheader(name, value)
            wire.connection.endheaders()
            for at in range(0, len(body), len(body) // 8):
                wire.connection.send(body[at : at + len(body) // 8])
                select.select([wire.connection.sock], [], [], 0.02)
            assert wire.receive().status in (400, 403)
        assert place.names() == []

    def test_a_beginning_that_is_kept(self, place, sign):
        conditions = [["starts-with", "$Content-Type", "image/"]]
        assert_refused(
            post(sign(conditions=conditions), b"x", {"Content-Type": "text/html"}), "AccessDenied", status=403
        )
        assert_refused(post(sign(conditions=conditions), b"x"), "AccessDenied", status=403)
        assert place.names() == []
        assert post(sign(conditions=conditions), b"x", {"Content-Type": "image/png"}).status == 204

    def test_any_beginning_is_nothing_that_is_kept(self, place, sign):
        conditions = [["starts-with", "$Content-Type", ""]]
        assert post(sign(conditions=conditions), b"x", {"Content-Type": "text/html"}).status == 204
        assert place.head("posted")["ContentType"] == "text/html"

    @pytest.mark.parametrize(
        "field",
        [
            {"Content-Type": "text/html"},
            {"x-amz-meta-mood": "good"},
            {"acl": "private"},
            {"success_action_redirect": "http://evil.example.net/"},
        ],
        ids=str,
    )
    def test_a_field_that_the_policy_does_not_name(self, place, sign, field):
        assert_refused(post(sign(), b"x", field), "AccessDenied", status=403)
        assert place.names() == []

    def test_fields_that_may_be_anything(self, place, sign):
        assert post(sign(), b"x", {"x-ignore-this": "anything"}).status == 204

    @pytest.mark.parametrize("field", ["key", "policy", "x-amz-signature", "x-amz-credential", "x-amz-date"])
    def test_a_field_that_was_changed(self, place, sign, field):
        form = sign()
        value = form["fields"][field]
        change = "0" + value[1:] if value[0] != "0" else "1" + value[1:]
        if field in ("key", "policy"):
            change = place.key("other") if field == "key" else self.widened(value)
        answer = post(form, b"x", {field: change})
        assert answer.status in (400, 403), answer
        assert place.names() == []

    def widened(self, policy):
        document = json.loads(base64.b64decode(policy))
        document["expiration"] = "2099-01-01T00:00:00Z"
        return base64.b64encode(json.dumps(document).encode()).decode()

    @pytest.mark.parametrize("field", ["key", "policy", "x-amz-signature", "x-amz-credential", "x-amz-algorithm"])
    def test_a_field_that_is_missing(self, place, sign, field):
        form = sign()
        del form["fields"][field]
        answer = post(form, b"x")
        assert answer.status in (400, 403), answer
        assert place.names() == []

    def test_what_stands_behind_the_file_is_not_read(self, place, sign):
        answer = post(sign(), b"x", file_first=True)
        assert answer.status in (400, 403), answer
        assert place.names() == []

    def test_a_form_without_a_file(self, place, sign):
        form = sign()
        body, kind = urllib3.encode_multipart_formdata(form["fields"])
        answer = ask("POST", form["url"], body=body, headers={"Content-Type": kind})
        assert answer.status == 400
        assert place.names() == []

    def test_a_form_that_is_over(self, store, place, sign):
        form = self.signed_by_hand(store, place, "2020-01-01T00:00:00Z")
        assert_refused(post(form, b"x"), "AccessDenied", status=403)
        assert place.names() == []
        assert post(self.signed_by_hand(store, place, "2099-01-01T00:00:00Z"), b"x").status == 204

    def signed_by_hand(self, store, place, expiration):
        """A form as boto3 makes it, with another time."""
        form = place.s3.generate_presigned_post(**place.at("posted"))
        policy = json.loads(base64.b64decode(form["fields"]["policy"]))
        policy["expiration"] = expiration
        text = base64.b64encode(json.dumps(policy).encode()).decode()
        key = b"AWS4" + store.keys[1].encode()
        for word in form["fields"]["x-amz-credential"].split("/")[1:]:
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        form["fields"] |= {"policy": text, "x-amz-signature": signature}
        return form

    def test_another_bucket(self, place, sign):
        form = sign()
        form["url"] = form["url"].replace(place.bucket, "other-bucket")
        answer = post(form, b"x")
        assert answer.status in (403, 404), answer
        assert place.names() == []

    @pytest.mark.stores("person")
    def test_nobody_signs_more_than_they_may(self, s3, place):
        theirs = "us-east-1:00000000-0000-4000-8000-000000000000/"
        form = s3.generate_presigned_post(Bucket=place.bucket, Key=theirs + "x")
        assert_refused(post(form, b"x"), "AccessDenied", status=403)
        form = s3.generate_presigned_post(Bucket=place.bucket, Key=place.prefix + "${filename}")
        assert post(form, b"x", name=f"../../{theirs}x").status in (204, 400)
        with refused("NoSuchKey", "AccessDenied"):
            s3.get_object(Bucket=place.bucket, Key=theirs + "x")
