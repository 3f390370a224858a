#!/usr/bin/env python3
"""Checks that every document for users says the same in English and in Chinese, as far as a program can see: the same headings, commands, tables and
links, in the same order; and that links to files of the repository lead somewhere. Prints what differs, and exits with 1 if anything does."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").glob("*.md") if not path.name.endswith(".zh-CN.md"))]


def skeleton(path):
    """What both languages have in common, line by line."""
    found, code = [], None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            code = None if code else line.strip()
            found.append(("code", line.strip()))
        elif code:
            # Comments, and words in double quotes, may be translated.
            command = re.sub(r"\s*(#|--|//) .*$", "", line)
            found.append(("code", re.sub(r'f?"[^"$/=]*"', '"…"', command).rstrip()))
        elif heading := re.match(r"(#+) ", line):
            found.append(("heading", heading[1]))
        elif line.startswith("|"):
            found.append(("row of a table with columns", len(re.split(r"(?<!\\)\|", line)) - 2))
    return found


def links(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target) and not (path.parent / target.split("#")[0]).exists():
            yield f"{path.relative_to(ROOT)}: {target} does not exist"


def difference(english, chinese):
    if not chinese.exists():
        return f"{chinese.relative_to(ROOT)} is missing"
    ours, theirs = skeleton(english), skeleton(chinese)
    for number, (one, other) in enumerate(zip(ours, theirs)):
        if one != other:
            return f"{chinese.relative_to(ROOT)}: part {number}: {other} where {english.name} has {one}"
    if len(ours) != len(theirs):
        rest = (ours if len(ours) > len(theirs) else theirs)[min(len(ours), len(theirs))]
        return f"{english.name} and {chinese.name}: only one of them has {rest}"
    return None


def main():
    problems = []
    for english in DOCUMENTS:
        chinese = english.with_name(english.stem + ".zh-CN.md")
        problems += [problem for problem in [difference(english, chinese)] if problem]
        problems += [problem for path in (english, chinese) if path.exists() for problem in links(path)]
    print("\n".join(problems) if problems else f"{len(DOCUMENTS)} documents are in step")
    return 1 if problems else 0


sys.exit(main())
