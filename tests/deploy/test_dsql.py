"""What Amazon's linter for Aurora DSQL says of the statements of the store in PostgreSQL. docs/postgresql.md says the same."""

import json
import re
import subprocess
import sys
from pathlib import Path

POSTGRES = Path(__file__).parents[2] / "crates/store/src/postgres"
LINTER = Path(sys.executable).with_name("dsql-lint")
# A text of Rust's, after what begins a statement.
STATEMENT = re.compile(r'(?:\btext: |\bPostgresStep\()\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)
# Where one says that it goes on, without the blanks before what follows.
CONTINUED = re.compile(r"\\\n\s*")


def statements():
    files = [POSTGRES / name for name in ("schema.rs", "migration.rs", "statements.rs")]
    found = [text for file in files for text in STATEMENT.findall(file.read_text())]
    return [CONTINUED.sub("", text) for text in found]


def refusals(sql: str) -> list[dict]:
    lint = [LINTER, "--format", "json", "-"]
    said = subprocess.run(lint, input=sql, capture_output=True, text=True, check=False)
    (file,) = json.loads(said.stdout)["files"]
    assert file["error"] is None, said.stdout
    return file["diagnostics"]


def test_all_statements_are_found():
    # Four make the tables, two ask for them, seven are about who makes them; six are the engine's.
    assert len(statements()) == 19


def test_nothing_but_the_index_is_refused():
    (refused,) = refusals(";\n".join(statements()) + ";")
    assert refused["rule"] == "index_async"
