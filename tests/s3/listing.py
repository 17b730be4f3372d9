"""Both versions of the listing, asked by the same names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Listing:
    place: object
    version: int

    def ask(self, prefix="", **more):
        names = {"s3": self.place.s3}
        call = names["s3"].list_objects_v2 if self.version == 2 else names["s3"].list_objects
        return call(Bucket=self.place.bucket, Prefix=self.place.prefix + prefix, **more)

    def after(self, name):
        """What has a listing begin behind a name."""
        return {"StartAfter" if self.version == 2 else "Marker": self.place.key(name)}

    def next(self, answer):
        """What has the next listing go on where this one ended."""
        if self.version == 2:
            return {"ContinuationToken": answer["NextContinuationToken"]}
        last = answer.get("NextMarker") or answer["Contents"][-1]["Key"]
        return {"Marker": last}

    def entries(self, answer):
        """The names of the objects and the common prefixes of one answer."""
        cut = len(self.place.prefix)
        keys = [entry["Key"][cut:] for entry in answer.get("Contents", [])]
        return keys, [entry["Prefix"][cut:] for entry in answer.get("CommonPrefixes", [])]

    def pages(self, **parameters):
        """All entries, page by page."""
        more = {}
        while True:
            answer = self.ask(**{**parameters, **more})
            yield answer
            if not answer["IsTruncated"]:
                return
            more = self.next(answer)

    def whole(self, **parameters):
        keys, prefixes = [], []
        for answer in self.pages(**parameters):
            found = self.entries(answer)
            keys, prefixes = keys + found[0], prefixes + found[1]
        return keys, prefixes
