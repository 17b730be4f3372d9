"""What Amazon's linter for Aurora DSQL says of the statements of the store: of those for DSQL, and of those for PostgreSQL."""

import json
import re
import subprocess
import sys
from pathlib import Path

POSTGRES = Path(__file__).parents[2] / "crates/store/src/postgres"
LINTER = Path(sys.executable).with_name("dsql-lint")
# A text of Rust's, after what begins a statement.
STATEMENT = re.compile(r'(?:\btext: |= step\(|^ +step\()\s*"((?:[^"\\]|\\.)*)"', re.DOTALL | re.MULTILINE)
# Where one says that it goes on, without the blanks before what follows.
CONTINUED = re.compile(r"\\\n\s*")


def statements(dialect: str):
    files = [POSTGRES / "schema.rs", POSTGRES / dialect]
    found = [text for file in files for text in STATEMENT.findall(file.read_text())]
    return [CONTINUED.sub("", text) for text in found]


def refusals(sql: str) -> list[dict]:
    lint = [LINTER, "--format", "json", "-"]
    said = subprocess.run(lint, input=sql, capture_output=True, text=True, check=False)
    (file,) = json.loads(said.stdout)["files"]
    assert file["error"] is None, said.stdout
    return file["diagnostics"]


def test_all_statements_are_found():
    # One asks for the tables, four make them; six are the engine's.
    assert len(statements("dsql.rs")) == 11
    assert len(statements("statements.rs")) == 11


def test_nothing_for_dsql_is_refused():
    assert refusals(";\n".join(statements("dsql.rs")) + ";") == []


def test_nothing_for_dsql_needs_what_only_its_documentation_refuses():
    # The linter lets these pass: locks, which are there to be waited for, and keys of bytes, which have no index.
    asked = " ".join(statements("dsql.rs"))
    assert not re.search(r"\bFOR UPDATE\b|\bSKIP LOCKED\b|\b(partition|sort) bytea\b", asked)


def test_the_linter_refuses_what_is_for_postgresql():
    (refused,) = refusals(";\n".join(statements("statements.rs")) + ";")
    assert refused["rule"] == "index_async"
