"""Programs that speak S3, run as a user runs them: told where the store is, and nothing of this machine."""

import os
import subprocess
import sysconfig
import threading
from pathlib import Path

LIMIT = 60  # seconds; only what hangs meets it


def in_environment(name):
    """A program that came with the Python packages of these tests."""
    return str(Path(sysconfig.get_path("scripts")) / name)


def run(*command, environment, directory=None, status=0, stdin="", limit=LIMIT):
    """Runs a program to its end, and answers what it printed: all of it, unless it has to succeed."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory or "/nonexistent"), "LANG": "C.UTF-8", **environment},
    )
    watchdog = threading.Timer(limit, process.kill)
    watchdog.start()
    out, errors = process.communicate(stdin)
    watchdog.cancel()
    assert status in (None, process.returncode), f"{command} ended with {process.returncode}:\n{out}{errors}"
    return out if status == 0 else out + errors


# Names and sizes that make clients do all that they can: nothing, something, much; in folders, with marks and umlauts.
FILES = {
    "empty.txt": b"",
    "note.txt": b"hello",
    "a folder/more & more+more.txt": b"more" * 1000,
    "a folder/deeper/ümläut 日本.bin": bytes(range(256)) * 50,
    "large.bin": bytes(range(251)) * 40_000,
    "also empty": b"",
}


def write_tree(directory, files=None):
    for name, content in (FILES if files is None else files).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def read_tree(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }
