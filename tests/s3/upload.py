"""An upload in parts, step by step."""

from dataclasses import dataclass, field

MEBIBYTE = 1024 * 1024
SMALLEST = 5 * MEBIBYTE  # of every part but the last


@dataclass
class Upload:
    place: object
    name: str
    id: str
    parts: dict = field(default_factory=dict)

    @property
    def at(self):
        return {**self.place.at(self.name), "UploadId": self.id}

    def put(self, number, body, **more):
        """Uploads a part, and keeps what says so at the end."""
        answer = self.place.s3.upload_part(**self.at, PartNumber=number, Body=body, **more)
        self.parts[number] = answer["ETag"]
        return answer

    def copy(self, number, source, **more):
        answer = self.place.s3.upload_part_copy(**self.at, PartNumber=number, CopySource=self.place.at(source), **more)[
            "CopyPartResult"
        ]
        self.parts[number] = answer["ETag"]
        return answer

    def complete(self, parts=None, **more):
        parts = sorted(self.parts.items()) if parts is None else parts
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
        return self.place.s3.complete_multipart_upload(**self.at, MultipartUpload={"Parts": listed}, **more)

    def listed(self, **more):
        answer = self.place.s3.list_parts(**self.at, **more)
        return [(part["PartNumber"], part["ETag"], part["Size"]) for part in answer.get("Parts", [])]

    def abort(self):
        return self.place.s3.abort_multipart_upload(**self.at)


def begin(place, name, **more):
    return Upload(place, name, place.s3.create_multipart_upload(**place.at(name), **more)["UploadId"])
