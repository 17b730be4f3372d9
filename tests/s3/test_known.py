"""What is known of others is about tests that there are."""

import re
from pathlib import Path

import pytest

from known import KNOWN

ENTRIES = [
    (store, entry)
    for store, known in KNOWN.items()
    for table in known.values()
    for tests in table.values()
    for entry in tests
]


def test_nothing_is_known_of_daypass():
    assert KNOWN.keys() == {"moto", "seaweedfs"}


@pytest.mark.parametrize("file", sorted({entry.partition(".")[0] for _, entry in ENTRIES}))
def test_each_entry_names_a_test(file):
    text = (Path(__file__).parent / f"{file}.py").read_text()
    for _, entry in ENTRIES:
        module, *names = re.sub(r"\[.*", "", entry, flags=re.DOTALL).split(".")
        if module == file:
            *classes, function = names
            assert f"def {function}(" in text, entry
            assert all(f"class {name}:" in text for name in classes), entry
