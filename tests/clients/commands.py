"""The commands of a page, run as they stand there, in one shell."""

import re
import subprocess


class Shell:
    """Somebody's shell, which stops at the first command that fails."""

    END = "-- that was all --"

    def __init__(self, directory):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._process = subprocess.Popen(["bash", "-eu"], cwd=directory, text=True, **pipes)

    def run(self, command):
        self._process.stdin.write(f"{command}\necho; echo '{self.END}'\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            if line.strip() == self.END:
                return "".join(lines).strip()
            lines.append(line)
        raise AssertionError(f"{command}\n{''.join(lines)}")

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def commands(page):
    """The commands of a page, in their order."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    return [command.rstrip() for block in blocks for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


def filled_in(command, value):
    """A command with what a reader fills in, by the name of its variable."""
    return re.sub(r"(\w+)=…", lambda found: f"{found[1]}='{value(found[1])}'", command)
