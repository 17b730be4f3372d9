"""S3 as it should be, in the memory of the tests: what a key holds, what is listed, what is refused."""

import hashlib
from dataclasses import dataclass, field


class Refused(Exception):
    """An answer that is an error, with its code."""


def etag_of(body):
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


@dataclass(frozen=True)
class Object:
    body: bytes
    metadata: tuple = ()
    etag: str = ""

    @classmethod
    def of(cls, body, metadata):
        return cls(body, tuple(sorted(metadata.items())), etag_of(body))


@dataclass
class Upload:
    key: str
    metadata: dict
    parts: dict = field(default_factory=dict)


@dataclass
class Model:
    objects: dict = field(default_factory=dict)
    uploads: dict = field(default_factory=dict)

    def found(self, key):
        if key not in self.objects:
            raise Refused("NoSuchKey")
        return self.objects[key]

    def check(self, key, match, none_match):
        """The conditions of a write."""
        if none_match and key in self.objects:
            raise Refused("PreconditionFailed")
        if match and self.found(key).etag != match:
            raise Refused("PreconditionFailed")

    def put(self, key, body, metadata, match=None, none_match=False):
        self.check(key, match, none_match)
        self.objects[key] = Object.of(body, metadata)

    def get(self, key):
        return self.found(key)

    def delete(self, *keys):
        for key in keys:
            self.objects.pop(key, None)

    def copy(self, source, key, metadata):
        found = self.found(source)
        if source == key and metadata is None:
            raise Refused("InvalidRequest")
        self.objects[key] = (
            found if metadata is None else Object(found.body, tuple(sorted(metadata.items())), found.etag)
        )

    def range(self, key, first, last):
        body = self.found(key).body
        if first >= len(body):
            raise Refused("InvalidRange")
        return body[first : last + 1]

    def list(self, prefix, delimiter, after, limit):
        """The keys and common prefixes of one page, and whether more follow."""
        entries = []
        for key in sorted(self.objects, key=str.encode):
            if not key.startswith(prefix) or key.encode() <= after.encode():
                continue
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            entry = (key, False) if cut < 0 else (key[: cut + len(delimiter)], True)
            if entry not in entries:
                entries.append(entry)
        page = entries[:limit]
        return [e for e, common in page if not common], [e for e, common in page if common], len(entries) > limit

    def begin(self, upload_id, key, metadata):
        self.uploads[upload_id] = Upload(key, metadata)

    def part(self, upload_id, number, body):
        self.pending(upload_id).parts[number] = body

    def pending(self, upload_id):
        if upload_id not in self.uploads:
            raise Refused("NoSuchUpload")
        return self.uploads[upload_id]

    def complete(self, upload_id):
        upload = self.pending(upload_id)
        if not upload.parts:
            raise Refused("MalformedXML")
        bodies = [body for _, body in sorted(upload.parts.items())]
        if any(len(body) < 5 * 1024 * 1024 for body in bodies[:-1]):
            raise Refused("EntityTooSmall")
        digests = b"".join(hashlib.md5(body, usedforsecurity=False).digest() for body in bodies)
        etag = f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(bodies)}"'
        self.objects[upload.key] = Object(b"".join(bodies), tuple(sorted(upload.metadata.items())), etag)
        del self.uploads[upload_id]

    def abort(self, upload_id):
        self.pending(upload_id)
        del self.uploads[upload_id]
