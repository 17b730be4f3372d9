"""What moto and SeaweedFS are known to do otherwise than S3. Each entry must come true: a test that is expected to fail
and passes is a failure. Of Daypass there is nothing to say here."""

import pytest

MOTO = {}
SEAWEEDFS = {}
# What never ends, or whose outcome is left to chance.
NOT_RUN = {"moto": {}, "seaweedfs": {}}

KNOWN = {"moto": MOTO, "seaweedfs": SEAWEEDFS}


def mark(item, store):
    """Marks a test that this store is known to fail."""
    for reason in reasons(NOT_RUN.get(store, {}), item, store):
        item.add_marker(pytest.mark.skip(reason=reason))
    for reason in reasons(KNOWN.get(store, {}), item, store):
        item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def reasons(table, item, store):
    names = {f"{item.path.stem}.{item.originalname}", f"{item.path.stem}.{item.originalname}[{case(item, store)}]"}
    return [reason for reason, tests in table.items() if names & set(tests)]


def case(item, store):
    """The parameters of a test but for the store, as pytest writes them."""
    parts = item.callspec.id
    return parts.removeprefix(f"{store}-") if parts.startswith(f"{store}-") else parts.removesuffix(f"-{store}")
