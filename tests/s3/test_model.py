"""Random sequences of operations: the store answers each as a simple model of S3 does, and holds the same in the end.
What fails is shortened to the fewest steps that still fail."""

import itertools

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test

import model
from place import Place

# Few keys, so that operations meet: names beside those that they begin, markers of folders, order by bytes.
KEYS = ["a", "a/", "a/b", "a//b", "a/b/c", "a!", "B", "ü", "ü/日", "𐀀", "\uffee", "x+y z", "%41", "..", "a/../b"]
WIRE_ONLY = {"..", "a/../b"}  # urllib3, which boto3 sends with, takes these for paths
keys = st.sampled_from([key for key in KEYS if key not in WIRE_ONLY])
bodies = st.binary(max_size=40)
metadata = st.dictionaries(st.sampled_from(["one", "two-words"]), st.sampled_from(["1", "a b", "c;d"]), max_size=2)
prefixes = st.sampled_from(["", "a", "a/", "a/b", "ü", "nothing"])
delimiters = st.sampled_from(["", "/", "/b", "b"])

_numbers = itertools.count(1)


def machine(store):
    """A machine that asks this store."""

    class Machine(RuleBasedStateMachine):
        uploads = Bundle("uploads")

        def __init__(self):
            super().__init__()
            self.s3 = store.client()
            self.place = Place(self.s3, store.bucket, f"{store.prefix}model {next(_numbers)}/")
            self.model = model.Model()

        def same(self, expected, ask):
            """Asks both; they answer alike, or refuse with the same code."""
            try:
                wanted, refused = expected(), None
            except model.Refused as error:
                wanted, refused = None, str(error)
            try:
                answer = ask()
            except ClientError as error:
                assert error.response["Error"]["Code"] == refused, (error.response["Error"], refused)
                return None
            assert refused is None, f"the store answered what S3 refuses with {refused}"
            return answer, wanted

        @rule(key=keys, body=bodies, said=metadata)
        def put(self, key, body, said):
            self.same(lambda: self.model.put(key, body, said), lambda: self.place.put(key, body, Metadata=said))

        @rule(key=keys, body=bodies)
        def put_where_nothing_is(self, key, body):
            self.same(
                lambda: self.model.put(key, body, {}, none_match=True),
                lambda: self.place.put(key, body, IfNoneMatch="*"),
            )

        @rule(key=keys, body=bodies, known=bodies)
        def put_over_what_is_known(self, key, body, known):
            etag = (
                self.model.objects[key].etag if key in self.model.objects and len(known) % 2 else model.etag_of(known)
            )
            self.same(
                lambda: self.model.put(key, body, {}, match=etag), lambda: self.place.put(key, body, IfMatch=etag)
            )

        @rule(key=keys)
        def get(self, key):
            both = self.same(lambda: self.model.get(key), lambda: self.s3.get_object(**self.place.at(key)))
            if both:
                answer, wanted = both
                assert answer["Body"].read() == wanted.body
                assert (answer["ETag"], tuple(sorted(answer["Metadata"].items()))) == (wanted.etag, wanted.metadata)

        @rule(key=keys, first=st.integers(0, 50), size=st.integers(1, 50))
        def get_a_range(self, key, first, size):
            last = first + size - 1
            both = self.same(
                lambda: self.model.range(key, first, last),
                lambda: self.place.read(key, Range=f"bytes={first}-{last}"),
            )
            assert both is None or both[0] == both[1]

        @rule(key=keys)
        def delete(self, key):
            self.same(lambda: self.model.delete(key), lambda: self.s3.delete_object(**self.place.at(key)))

        @rule(some=st.lists(keys, min_size=1, max_size=4, unique=True))
        def delete_several(self, some):
            objects = {"Objects": [{"Key": self.place.key(key)} for key in some]}
            answer = self.s3.delete_objects(Bucket=self.place.bucket, Delete=objects)
            assert "Errors" not in answer
            self.model.delete(*some)

        @rule(source=keys, key=keys, said=st.none() | metadata)
        def copy(self, source, key, said):
            more = {} if said is None else {"MetadataDirective": "REPLACE", "Metadata": said}
            self.same(
                lambda: self.model.copy(source, key, said),
                lambda: self.s3.copy_object(**self.place.at(key), CopySource=self.place.at(source), **more),
            )

        @rule(prefix=prefixes, delimiter=delimiters, after=st.none() | keys, limit=st.integers(1, 6))
        def list(self, prefix, delimiter, after, limit):
            # Of a beginning within a common prefix, S3's documentation says nothing.
            after = None if delimiter else after
            more = {"Delimiter": delimiter} if delimiter else {}
            if after:
                more["StartAfter"] = self.place.key(after)
            answer = self.s3.list_objects_v2(
                Bucket=self.place.bucket, Prefix=self.place.prefix + prefix, MaxKeys=limit, **more
            )
            cut = len(self.place.prefix)
            found = [entry["Key"][cut:] for entry in answer.get("Contents", [])]
            common = [entry["Prefix"][cut:] for entry in answer.get("CommonPrefixes", [])]
            assert (found, common, answer["IsTruncated"]) == self.model.list(prefix, delimiter, after or "", limit)

        @rule(target=uploads, key=keys, said=metadata)
        def begin(self, key, said):
            upload_id = self.s3.create_multipart_upload(**self.place.at(key), Metadata=said)["UploadId"]
            self.model.begin(upload_id, key, said)
            return (upload_id, key)

        def is_over(self, upload):
            """moto answers of an upload that is over in ways of its own, as test_multipart.py shows."""
            return upload[0] not in self.model.uploads and store.name == "moto"

        def at(self, upload):
            return {**self.place.at(upload[1]), "UploadId": upload[0]}

        @rule(upload=uploads, number=st.integers(1, 3), body=bodies)
        def part(self, upload, number, body):
            if self.is_over(upload):
                return
            self.same(
                lambda: self.model.part(upload[0], number, body),
                lambda: self.s3.upload_part(**self.at(upload), PartNumber=number, Body=body),
            )

        @rule(upload=uploads)
        def complete(self, upload):
            parts = self.model.uploads[upload[0]].parts if upload[0] in self.model.uploads else {1: b""}
            listed = [{"PartNumber": number, "ETag": model.etag_of(body)} for number, body in sorted(parts.items())]
            if self.is_over(upload) or (upload[0] not in self.model.uploads and upload[1] in self.model.objects):
                return  # S3 may answer once more what it has answered before
            self.same(
                lambda: self.model.complete(upload[0]),
                lambda: self.s3.complete_multipart_upload(**self.at(upload), MultipartUpload={"Parts": listed}),
            )

        @rule(upload=uploads)
        def parts(self, upload):
            if self.is_over(upload):
                return
            both = self.same(lambda: self.model.pending(upload[0]).parts, lambda: self.s3.list_parts(**self.at(upload)))
            if both:
                found = {part["PartNumber"]: part["Size"] for part in both[0].get("Parts", [])}
                assert found == {number: len(body) for number, body in both[1].items()}

        def teardown(self):
            for key, wanted in self.model.objects.items():
                assert self.place.read(key) == wanted.body, key
            assert self.place.names() == sorted(self.model.objects, key=str.encode)

    return Machine


@pytest.mark.stores("daypass", "moto")
def test_the_store_is_the_model(store):
    """SeaweedFS, which keeps keys as paths, has another order and other names."""
    run_state_machine_as_test(
        machine(store),
        settings=settings(
            max_examples=25 if store.daypass else 8,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
