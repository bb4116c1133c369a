#!/usr/bin/env python3
"""prose: finds words in comments, messages and documents that make sentences hard to read.

CONTRIBUTING.md, *Style*, says how the project writes. No tracked file has any of these words. The subjects of new commits
are checked too.
"""

import fnmatch
import io
import pathlib
import re
import subprocess
import sys
import tokenize

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Each pattern, and how to write instead.
PATTERNS = {
    "that which": (r"that which", "name the thing"),
    "whom": (r"whom(?:ever)?", "name the person: the user, the client"),
    "whoever": (r"who(?:so)?ever", "anyone who"),
    "what as a subject": (r"(?<![^.!;])(?:(?<=[.!;]) )?(?:What|Who) [^.?!;]*[.!;](?!\w)", "name the thing"),
    "is told": (r"(?:is|are|be|was|were|been) told", "name the act: is logged, is configured, is distinguished"),
    "is said": (r"(?:is|are|be|was|were|been) said", "name the act: is documented, is logged"),
    "stands": (r"stands", "is, is present, comes"),
    "of its own": (r"of (?:its|their|one's|our) own", "its; separate"),
    "by itself": (r"by (?:itself|themselves)", "separately; automatically; or leave it out"),
    "good for": (r"good for", "valid for"),
    "as wished": (r"as wished", "as configured"),
    "none is": (r"none is", "nothing is; no NOUN is; without"),
    "he": (r"(?:he|him|his|himself)", "they, them, their"),
}

# Other people's text, other languages, and this list.
EXCEPT = (
    *("LICENSE", "Cargo.lock", "tools/prose.py", "tests/core/universal_vectors/*"),
    *("src/page/text/de.rs", "src/page/text/es.rs", "src/page/text/fr.rs", "src/page/text/ja.rs"),
)

# Commits since then are checked. Earlier subjects cannot be changed.
SINCE = "2026-11-29T14:45:00Z"
MAX_SUBJECT = 72
SUBJECT = re.compile(r"[a-z0-9_.-]+(?:, [a-z0-9_.-]+)*: (?P<verb>[a-z-]+) \S.*[^.]")
NO_VERB = set("a an the one two no each every all what which who its more some this that only".split())
VERBS = set("pass process address discuss press focus miss feed embed need speed bring string".split())


def rust(text):
    """Comments, strings, and names of functions as words, in the places where they are."""
    part = re.compile(
        r"""(?P<doc>//[/!]?\ ?(?P<comment>[^\n]*))|(?P<raw>r(?P<hash>\#*)"(?P<rawtext>.*?)"(?P=hash))"""
        r"""|"(?P<string>(?:\\.|[^"\\])*)"|'(?:\\.|[^'\\\n])'|\bfn\ (?P<name>\w+)""",
        re.DOTALL | re.VERBOSE,
    )
    for found in part.finditer(text):
        if (comment := found["comment"]) is not None:
            yield found.start("comment"), re.sub(r"`[^`\n]*`", "CODE", comment), True
        elif (string := found["string"] or found["rawtext"]) is not None:
            yield found.start(), re.sub(r"\\\n\s*", "", string), False
        elif found["name"]:
            yield found.start(), found["name"].replace("_", " "), False


def python(text):
    starts = [0, 0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)):
            yield starts[token.start[0]] + token.start[1], token.string.lstrip("# \"'"), token.type == tokenize.COMMENT


def markdown(text):
    in_code = False
    at = 0
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            # A line break is no end of a sentence; a heading, a cell and an item are.
            plain = re.sub(r"`[^`\n]*`", "CODE", line.rstrip("\n"))
            yield at, re.sub(r"^\s*(?:#+|[-*]|\d+\.)\s", "", plain), not re.match(r"\s*(?:#|\||[-*] |\d+\. |$)", line)
        at += len(line)


def hashes(text):
    for found in re.finditer(r"(?m)(?:^|(?<=\s))#+ ?(.*)$", text):
        yield found.start(1), found[1], True


def whole(text):
    yield 0, text, False


READERS = {
    ".rs": rust,
    ".py": python,
    ".md": markdown,
    ".sh": hashes,
    ".toml": hashes,
    ".yaml": hashes,
    ".yml": hashes,
    ".tpl": hashes,
    ".html": whole,
    ".js": whole,
    ".mjs": whole,
    ".css": whole,
}


def passages(reader, text):
    """The prose of a file: runs of joined pieces, each with the places where its pieces begin."""
    joined, places = "", []
    for at, piece, goes_on in reader(text):
        if joined and not (goes_on and text.count("\n", places[-1][1], at) <= 1):
            yield joined, places
            joined, places = "", []
        if joined:
            joined += " "
        places.append((len(joined), at))
        joined += piece.strip()
    if joined:
        yield joined, places


def findings(reader, text):
    """Each pattern that is found, with the number of its line."""
    for passage, places in passages(reader, text):
        for name, (pattern, _) in PATTERNS.items():
            flags = 0 if name == "what as a subject" else re.IGNORECASE
            edge = "" if name == "what as a subject" else r"\b"
            for found in re.finditer(edge + pattern.replace(" ", r"\s+") + edge, passage, flags):
                at = max((place for place in places if place[0] <= found.start()), default=places[0])[1]
                yield text.count("\n", 0, at) + 1, name, " ".join(found[0].split())[:60]


def reader_of(path):
    if path.name == "Makefile" or "/.ci/" in f"/{path}":
        return hashes
    return READERS.get(path.suffix)


def files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in sorted(set(listed.stdout.splitlines())):
        path = pathlib.PurePath(name)
        reader = reader_of(path)
        if reader and (ROOT / path).is_file() and not is_one_of(path, EXCEPT):
            yield path, reader


def is_one_of(path, globs):
    return any(fnmatch.fnmatchcase(str(path), glob) for glob in globs)


def subjects():
    """Faults of the subjects of new commits."""
    command = ["git", "log", "--no-merges", f"--since={SINCE}", "--format=%h %s"]
    log = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for line in log.splitlines():
        commit, _, subject = line.partition(" ")
        yield from (f"commit {commit}: {fault}: {subject}" for fault in subject_faults(subject))


def subject_faults(subject):
    if len(subject) > MAX_SUBJECT:
        yield f"{len(subject)} characters, of at most {MAX_SUBJECT}"
    form = SUBJECT.fullmatch(subject)
    if not form:
        yield "not of the form `area: imperative`, without a full stop"
        return
    verb = form["verb"]
    if verb not in VERBS and (verb in NO_VERB or re.search(r"(?:ing|ed|[^s]s)$", verb)):
        yield f"`{verb}` is not an imperative"


# What has to be found, and what must not be.
PLANTED = [
    (rust, "/// The user that\n/// which asks.\n", "that which"),
    (rust, 'let text = "Ask whoever \\\n    knows.";', "whoever"),
    (rust, "fn user_is_told_why() {}", "is told"),
    (rust, "/// Yes. Who has no device is refused.", "what as a subject"),
    (python, '"""Makes a thing of its own."""', "of its own"),
    (python, "x = 1  # The user and his phone.", "he"),
    (markdown, "Text that is\ngood for one hour.\n", "good for"),
    (markdown, "| a | the header by itself |\n", "by itself"),
    (hashes, "key: value  # which stands here", "stands"),
    (rust, "let he = whom; /// `whom`\n", None),
    (rust, "/// What is it? The name.\n", None),
    (markdown, "```yaml\nname: whoever\n```\nThe key `whoever`.\n", None),
    (hashes, "whoever: 1", None),
]


def missed():
    for reader, text, expected in PLANTED:
        found = {name for _, name, _ in findings(reader, text)}
        if found != ({expected} if expected else set()):
            yield f"planted {text!r}: found {sorted(found)}, not {expected}"
    for subject, is_fine in [
        ("policy: match subdomains by suffix", True),
        ("http, gate: pass the body", True),
        ("policy: a host below another is told by its end", False),
        ("policy: matches subdomains", False),
        ("Match subdomains", False),
        ("policy: match " + "x" * 60, False),
    ]:
        if is_fine == bool(list(subject_faults(subject))):
            yield f"planted subject {subject!r}"


def main():
    wrong = list(missed())
    for path, reader in files():
        text = (ROOT / path).read_text(encoding="utf-8")
        for number, name, found in findings(reader, text):
            wrong.append(f"{path}:{number}: {name}: {found} (write: {PATTERNS[name][1]})")
    wrong += subjects()
    print("\n".join(wrong), end="\n" if wrong else "")
    print(f"prose: {len(wrong)} faults; {len(PLANTED)} were planted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
