"""The commands that documents show for the demo, so that they are printed and run as they stand there."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def session(name):
    """The commands of README.md's block ```console session=NAME."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(rf"^```console session={name}\n(.*?)^```", text, re.DOTALL | re.MULTILINE).group(1)
    return [line.removeprefix("$ ") for line in block.splitlines()]


def demo():
    """Each command of the demo, and the status that its comment begins with."""
    for line in session("demo"):
        command, _, comment = line.partition(" # ")
        yield command.rstrip(), comment.split()[0]


def shown():
    """Each command of the blocks ```console demo, with its page and the lines of output below it."""
    for page in ("docs/operations.md", "docs/deploy/compose.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for block in re.findall(r"^```console demo\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            for part in block.removeprefix("$ ").split("\n$ "):
                command, *lines = part.splitlines()
                yield page, command, lines
