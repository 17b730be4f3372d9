"""What moto and SeaweedFS are known to do otherwise than S3, in `known/`. Each entry must come true: a test that is
expected to fail and passes is a failure. Of Daypass there is nothing to say here."""

import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "known"
# For each store the reasons, and the tests that fail for them: `file.Class.function`, or with `[case]`.
KNOWN = {file.stem: tomllib.loads(file.read_text()) for file in HERE.glob("*.toml")}


def mark(item, store):
    """Marks a test that this store is known to fail. What hangs or is left to chance does not run."""
    known = KNOWN.get(store, {})
    for reason in reasons(known.get("fails", {}), item, store):
        item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    for reason in reasons(known.get("hangs", {}), item, store):
        item.add_marker(pytest.mark.skip(reason=reason))


def reasons(table, item, store):
    function = ".".join([item.path.stem, *item.nodeid.split("::")[1:-1], item.originalname])
    names = {function, f"{function}[{case(item, store)}]"}
    return [reason for reason, tests in table.items() if names & set(tests)]


def case(item, store):
    """The parameters of a test but for the store, as pytest writes them."""
    return "-".join(part for part in item.callspec.id.split("-") if part != store)
