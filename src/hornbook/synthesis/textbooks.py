"""Textbook sections: front matter, prose, ```python blocks that run in order, and ```output blocks they must print.

A section of the kind `prose` may do without blocks, and is held to other things instead (`prose.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Literal, get_args

import yaml

from hornbook.errors import InputError
from hornbook.records import Provenance, Section, content_id
from hornbook.sandbox.run import BlockResult, Sandbox, execute_many
from hornbook.synthesis.prose import prose_fault, retold

Kind = Literal["code", "prose"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# what follows the language's name is for renderers; a block that nobody closed runs to the end, as in CommonMark
FENCE = re.compile(r"^```[ \t]*(\w*)[^\n`]*\n(.*?)(?:^```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
PYTHON = {"python", "python3", "py"}
FRONT_MATTER = re.compile(r"\A---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A piece of code, and what the text says it prints; None where the text says nothing."""

    code: str
    output: str | None


def shelf(kinds: Collection[Kind] = KINDS) -> list[Section]:
    """The packaged sections of these kinds, in file-name order, not yet verified."""
    folder = resources.files("hornbook.synthesis").joinpath("shelf")
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".md")), key=lambda item: item.name)
    sections = [read_section(item.read_text("utf-8"), item.name) for item in files]
    return [section for section in sections if kind_of(section) in kinds]


def read_section(text: str, name: str) -> Section:
    """A section from Markdown with front matter. Raises InputError naming the file and what is missing or unknown."""
    found = FRONT_MATTER.match(text)
    about = yaml.safe_load(found[1]) if found else None
    if not found or not isinstance(about, dict):
        raise InputError(f"{name}: no front matter; begin with --- topic: … audience: … style: … ---")
    missing = [key for key in ("topic", "audience", "style") if not about.get(key)]
    if missing:
        raise InputError(f"{name}: front matter lacks {', '.join(missing)}")
    kind = about.get("kind", "code")
    if kind not in KINDS:
        raise InputError(f"{name}: kind: {kind!r} is unknown; write {' or '.join(KINDS)}, or leave it out for code")
    body = text[found.end() :].strip() + "\n"
    return Section(
        id=content_id(body),
        text=body,
        topic=str(about["topic"]),
        audience=str(about["audience"]),
        style=str(about["style"]),
        license=["Apache-2.0"],
        parents=[],
        provenance=Provenance(writer="shelf", recipe=name if kind == "code" else f"{kind}/{name}"),
    )


def kind_of(section: Section) -> Kind:
    """Prose is what the shelf says is prose, and what a teacher was asked to write about common sense."""
    about = section.provenance
    if about.writer == "llm":
        return "prose" if '"half": "common sense"' in about.recipe else "code"
    return "prose" if about.writer == "shelf" and about.recipe.startswith("prose/") else "code"


def blocks(markdown: str) -> list[Block]:
    """The ```python blocks in order, each with the ```output block that follows it, if one does."""
    found: list[Block] = []
    for match in FENCE.finditer(markdown):
        language, content = match[1].lower(), match[2]
        if language in PYTHON:
            found.append(Block(content, None))
        elif language == "output" and found and found[-1].output is None:
            found[-1] = replace(found[-1], output=content)
    return found


def verify(sections: Sequence[Section], sandbox: Sandbox) -> Iterable[tuple[Section, str]]:
    """Run every block of every section; yield (section with `verified` set, what went wrong or "").

    Prose is also held to its length and questions, and may not share thirteen words in a row with any section here.
    """
    parts = [blocks(section.text) for section in sections]
    results = execute_many(sandbox, [[block.code for block in part] for part in parts])
    prose = {place for place, section in enumerate(sections) if kind_of(section) == "prose"}
    again = retold([section.text for section in sections], prose)
    for place, (section, part, ran) in enumerate(zip(sections, parts, results, strict=True)):
        fault = first_fault(part, ran) if part or place not in prose else ""
        if place in prose and not fault:
            fault = prose_fault(section.text) or (f"also told elsewhere: {again[place]}" if place in again else "")
        yield replace(section, verified=not fault), fault


def first_fault(expected: Sequence[Block], ran: Sequence[BlockResult]) -> str:
    """The first block that failed or printed something else, in words; "" when all is well."""
    if not expected:
        return "no python block to verify"
    for number, block in enumerate(expected, 1):
        if number > len(ran):
            return f"block {number} did not run"
        result = ran[number - 1]
        if result.error is not None:
            return f"block {number} failed: {result.error}"
        if block.output is not None and stripped(block.output) != stripped(result.stdout):
            return f"block {number} printed {result.stdout.strip()[:80]!r}, the text says {block.output.strip()[:80]!r}"
    return ""


def stripped(text: str) -> list[str]:
    """Lines without trailing white space, and without empty lines at the end."""
    return [line.rstrip() for line in text.rstrip().splitlines()]
