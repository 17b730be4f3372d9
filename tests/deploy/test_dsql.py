"""What Amazon's linter for Aurora DSQL says of the statements of the store: of those for DSQL, and of those for PostgreSQL."""

import json
import re
import subprocess
import sys
from pathlib import Path

POSTGRES = Path(__file__).parents[2] / "crates/store/src/postgres"
LINTER = Path(sys.executable).with_name("dsql-lint")
# The dialects, and the file of what the engine asks in each.
ENGINES = {"dsql": "dsql.rs", "postgresql": "statements.rs"}
# A text of Rust's, after what begins a statement of everybody's, or of a dialect.
STATEMENT = re.compile(r'(?:\b(text|postgresql|dsql): |\bPostgresStep::alike\()\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)
# Where one says that it goes on, without the blanks before what follows.
CONTINUED = re.compile(r"\\\n\s*")


def statements(dialect: str):
    files = [POSTGRES / name for name in ("schema.rs", "migration.rs", ENGINES[dialect])]
    found = [match for file in files for match in STATEMENT.findall(file.read_text())]
    return [CONTINUED.sub("", text) for whose, text in found if whose in ("", "text", dialect)]


def refusals(sql: str) -> list[dict]:
    lint = [LINTER, "--format", "json", "-"]
    said = subprocess.run(lint, input=sql, capture_output=True, text=True, check=False)
    (file,) = json.loads(said.stdout)["files"]
    assert file["error"] is None, said.stdout
    return file["diagnostics"]


def test_all_statements_are_found():
    # Four make the tables, two ask for them, seven are about who makes them; six are the engine's.
    for dialect in ENGINES:
        assert len(statements(dialect)) == 19


def test_nothing_for_dsql_is_refused():
    assert refusals(";\n".join(statements("dsql")) + ";") == []


def test_nothing_for_dsql_needs_what_only_its_documentation_refuses():
    # The linter lets these pass: locks, which are there to be waited for, and keys of bytes, which have no index.
    asked = " ".join(statements("dsql"))
    assert not re.search(r"\bFOR UPDATE\b|\bSKIP LOCKED\b|\b(partition|sort) bytea\b", asked)


def test_the_linter_refuses_what_is_for_postgresql():
    (refused,) = refusals(";\n".join(statements("postgresql")) + ";")
    assert refused["rule"] == "index_async"
