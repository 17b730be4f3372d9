"""A folder of a test: the names that it uses are relative to it, so that no test meets what another has left."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    s3: object
    bucket: str
    prefix: str

    def key(self, name):
        return self.prefix + name

    def at(self, name):
        """The arguments of boto3 that say which object is meant."""
        return {"Bucket": self.bucket, "Key": self.key(name)}

    def put(self, name, body=b"content", **more):
        return self.s3.put_object(**self.at(name), Body=body, **more)

    def read(self, name, **more):
        return self.s3.get_object(**self.at(name), **more)["Body"].read()

    def head(self, name, **more):
        return self.s3.head_object(**self.at(name), **more)

    def names(self, prefix=""):
        """What is listed here, in the order of the listing, page by page."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + prefix)
        found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return [key.removeprefix(self.prefix) for key in found]

    def has(self, name):
        """Whether there is such an object, as HEAD says."""
        try:
            self.head(name)
        except self.s3.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404, error
            return False
        return True

    def clear(self):
        for name in self.names():
            self.s3.delete_object(**self.at(name))
