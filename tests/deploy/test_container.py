"""The container: what the linter says, and that what runs has neither root nor a shell."""

import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path

from conftest import DEPLOY, ROOT

FILE = DEPLOY / "container/Containerfile"


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"(?m)^#.*\n", "", FILE.read_text()).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line]


def last_stage() -> list[tuple[str, str]]:
    all_of_them = instructions()
    begin = max(index for index, (name, _) in enumerate(all_of_them) if name == "FROM")
    return all_of_them[begin:]


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    said = subprocess.run([hadolint, FILE], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_what_runs_is_not_root_and_has_no_shell() -> None:
    stage = last_stage()
    assert ("USER", "65532:65532") in stage
    assert stage[0] == ("FROM", "gcr.io/distroless/cc-debian12:nonroot")
    assert "RUN" not in dict(stage), "there is no shell in there to run anything"
    for name in ("ENTRYPOINT", "CMD"):
        assert dict(stage)[name].startswith("[")


def test_it_is_built_by_the_compiler_and_for_the_system_that_the_tests_use() -> None:
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())
    assert instructions()[0] == ("FROM", f"docker.io/library/rust:{cargo['workspace']['package']['rust-version']}"
                                         "-slim-bookworm AS build")


def test_the_whole_workspace_is_there_to_be_built() -> None:
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())
    copied = [arguments.split()[0] for name, arguments in instructions() if name == "COPY"]
    for member in cargo["workspace"]["members"]:
        assert any(member == path or member.startswith(f"{path}/") for path in copied), member
    for path in copied:
        assert path.startswith("--from") or (ROOT / path).exists(), path
