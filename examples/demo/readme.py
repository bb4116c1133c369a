"""The commands that README.md shows, so that they are printed and run as they stand there."""

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
