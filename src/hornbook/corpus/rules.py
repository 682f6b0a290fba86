"""The cleaning rules: each has a name, a docstring that explains it, and one reason for which it refuses a page.

A rule is a function from a page and the thresholds to the detail of its refusal, or None to let the page pass. `RULES`
is the order in which they are asked; the first refusal counts. Its docstring names the thresholds it reads. Between the
rules two things are taken out of pages that stay: licence headers (`headers`) and secrets and addresses (`redact`).
"""

from __future__ import annotations

import codecs
import hashlib
import re
import symtable
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import Field

from hornbook.config import Config
from hornbook.corpus.findings import KINDS, Kind
from hornbook.corpus.headers import notice
from hornbook.corpus.redact import redact

EXCERPT_CHARACTERS = 200
HEAD_LINES = 40  # where a mark of a generated file is looked for
TABLE_LINES = 20  # shorter files are never tables of literals


class Cleaning(Config):
    """Thresholds of the cleaning rules, and what is taken out of the texts that stay.

    `max_bytes`: a bigger file is refused by its size, unread. `min_characters` counts the text without the white space
    around it. `max_line_length`, `mean_line_length`: characters, the second for Python only. `letter_share`: least
    share of letters (`_` and everything beyond ASCII count as such) among the characters that are not white space; a
    table of numbers lies below 0.25, nearly all tests full of numbers above. `literal_share`: a Python file with a
    larger share of lines that begin with a string or a number is a table. `strip_license_headers`: whether notices at
    the head of Python files go; their licences are recorded either way. `redact`: whether secrets and addresses are
    replaced by placeholders, or a list of the kinds that are.
    """

    max_bytes: int = Field(default=1_000_000, ge=1)
    min_characters: int = Field(default=100, ge=1)
    max_line_length: int = Field(default=1000, ge=40)
    mean_line_length: int = Field(default=100, ge=40)
    letter_share: float = Field(default=0.25, ge=0, le=0.9)
    literal_share: float = Field(default=0.9, ge=0, le=1)
    strip_license_headers: bool = True
    redact: bool | list[Kind] = True

    @property
    def redacted_kinds(self) -> tuple[Kind, ...]:
        """The kinds of findings that are replaced."""
        return KINDS if self.redact is True else tuple(self.redact or ())


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a page was refused: the rule's name, what it measured, and the page's beginning."""

    reason: str
    detail: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The text of a page that stays, the licences its header names, and what was taken out of it."""

    text: str
    licenses: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A file as the rules see it. `data` is None where it could not be read, else the text in UTF-8; `fault` says why
    it could not be decoded; `declared` is its encoding where that is not UTF-8; `parses` that it was parsed already."""

    data: bytes | None
    text: str
    lines: list[str]
    python: bool
    fault: str = ""
    declared: str = ""
    parses: bool = False

    @classmethod
    def of(cls, data: bytes | None, path: str, parses: bool = False) -> Page:
        """Decode a file: UTF-8, with or without byte order mark, or what it declares; line ends become newlines."""
        declared = fault = ""
        try:
            text = (data or b"").decode("utf-8-sig")
        except UnicodeDecodeError as error:
            text, declared = decoded(data or b"")
            fault = "" if declared else f"{error.reason} at byte {error.start}"
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        data = text.encode("utf-8", "replace") if declared else data
        return cls(data, text, text.split("\n"), path.endswith((".py", ".pyi")), fault, declared, parses)


MARKED = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
DECLARATION = re.compile(rb"^(?:[ \t\f]*(?:#[^\n]*)?\r?\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
NO_CHARSETS = frozenset({"utf-8", "idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"})


def decoded(data: bytes) -> tuple[str, str]:
    """The text of a file that is not UTF-8, and the encoding it declares: by byte order mark or on one of the first two
    lines (PEP 263). Without one under which all of it can be decoded, the encoding is empty."""
    found = DECLARATION.match(data)
    name = MARKED.get(data[:2]) or (found[1].decode().lower().replace("_", "-") if found else "")
    try:
        charset = codecs.lookup(name).name if name else ""
        if charset and charset not in NO_CHARSETS:
            return data.decode(charset), charset
    except (LookupError, ValueError):
        pass
    return data.decode("utf-8", "replace"), ""


def unreadable(page: Page, _: Cleaning) -> str | None:
    """The file cannot be opened: no permission, a broken link, a link loop, not a plain file, a damaged table."""
    return "cannot be read" if page.data is None else None


def too_large(page: Page, limits: Cleaning) -> str | None:
    """The file has more than `max_bytes` bytes. Files are weighed before they are read."""
    return oversize(len(page.data or b""), limits)


def oversize(size_bytes: int, limits: Cleaning) -> str | None:
    """The detail of a refusal by size, or None when the size is allowed."""
    return f"{size_bytes} bytes, {limits.max_bytes} allowed" if size_bytes > limits.max_bytes else None


def encoding(page: Page, _: Cleaning) -> str | None:
    """The file is neither UTF-8 nor in the encoding that it declares, by a byte order mark (UTF-16) or as Python files
    do on one of their first two lines (PEP 263)."""
    return page.fault or None


def nul_bytes(page: Page, _: Cleaning) -> str | None:
    """The file holds NUL bytes: it is binary, or text in UTF-16 without a byte order mark."""
    return f"{page.text.count(chr(0))} NUL characters" if "\0" in page.text else None


def empty(page: Page, _: Cleaning) -> str | None:
    """There is nothing but white space."""
    return "no text" if not page.text or page.text.isspace() else None


def too_short(page: Page, limits: Cleaning) -> str | None:
    """There are fewer than `min_characters` characters."""
    count = len(page.text.strip())
    return f"{count} characters, {limits.min_characters} needed" if count < limits.min_characters else None


def minified(page: Page, limits: Cleaning) -> str | None:
    """A line is longer than `max_line_length`, or Python's lines are longer than `mean_line_length` on average.

    The Stack was filtered by the same two measures at 1000 and 100 (Kocetkov et al. 2022, arXiv 2211.15533).
    """
    longest = max(map(len, page.lines))
    if longest > limits.max_line_length:
        return f"a line of {longest} characters, {limits.max_line_length} allowed"
    count = len(page.lines) - (page.lines[-1] == "")
    mean = (len(page.text) - len(page.lines) + 1) / count
    if page.python and mean > limits.mean_line_length:
        return f"{mean:.1f} characters a line on average, {limits.mean_line_length} allowed"
    return None


HINTS = re.compile("generated|edit|modify", re.IGNORECASE)  # every mark holds one; most lines hold none
MARKS = re.compile(
    r"""
    \bthis\ (file|module|code)\b.{0,30}?\b(auto-?|automatically\ |machine[- ])?generated\b
    | ^(auto-?|auto\ |automatically\ |machine[- ])generated\b
    | ^@generated\b
    | ^file\ generated\ (by|from)\b
    | \bcodec\b.*\bgenerated\ from\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
COMMENT_MARKS = re.compile(
    r"""
    ^(contents?\ )?generated\ (content|by|from|using|with)\b
    | \b(do\ not|don't)\ (edit|modify)(\ (it|this\ (file|module)))?(\ (directly|manually|by\ hand))?\s*([.!:;,*]|$)
    | \b(do\ not|don't)\ (edit|modify)\ (it|this\ file)\b
    | \bautomatically\ generated\ code\b
    | ^(\w+\ )?code\ generated\ (by|from|using|with)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def generated(page: Page, _: Cleaning) -> str | None:
    """The first lines say that a program wrote this file: "generated by", "do not edit" and their like.

    "Do not edit" counts in comments only: documentation speaks of generated files, too.
    """
    for line in page.lines[:HEAD_LINES]:
        if not HINTS.search(line):
            continue
        bare = line.strip(" \t#*/<!-\"'")
        comment = line.lstrip().startswith(("#", "<!--", "//", "/*"))
        if MARKS.search(bare) or (comment and COMMENT_MARKS.search(bare)):
            return f"it says: {bare[:100]}"
    return None


SPACES = b" \t\n\r\f\v"
LETTERS = bytes([*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1), ord("_"), *range(0x80, 0x100)])
LITERAL_STARTS = frozenset("0123456789'\"")


def data_table(page: Page, limits: Cleaning) -> str | None:
    """Numbers or strings in rows: a share of letters below `letter_share`, or (Python) a share of lines that begin with
    a string or a number above `literal_share`."""
    dense = (page.data or b"").translate(None, SPACES)
    share = 1 - len(dense.translate(None, LETTERS)) / len(dense)
    if share < limits.letter_share:
        return f"{share:.3f} of it is letters, {limits.letter_share} needed"
    if page.python and len(page.lines) >= TABLE_LINES:
        rows = literal_lines(page.lines, limits.literal_share)
        if rows > limits.literal_share:
            return f"{rows:.3f} of its lines are literals, {limits.literal_share} allowed"
    return None


def literal_lines(lines: list[str], limit: float) -> float:
    """The share of lines that begin with a string or a number, opening brackets and blank lines aside; 0 as soon as
    there are too many others for it to be more than `limit`, in ordinary code after a tenth of the lines."""
    literals, others, most = 0, 0, (1 - limit) * len(lines) + 1
    for line in lines:
        start = line.lstrip(" \t([{-+")
        if not start or start.isspace():
            continue
        if start[0] in LITERAL_STARTS and not start.startswith('"""'):
            literals += 1
        elif (others := others + 1) > most:
            return 0.0
    return literals / max(literals + others, 1)


def not_python(page: Page, _: Cleaning) -> str | None:
    """A Python file that the running interpreter cannot parse."""
    return syntax_fault(page.text) if page.python and not page.parses else None


def syntax_fault(text: str) -> str | None:
    """What keeps a text from being Python, or None. How deep expressions may nest depends on how deep the call stack
    is already, so a text that fails on that account is judged again on the empty stack of a fresh thread."""
    try:
        return parse_fault(text)
    except RecursionError:
        faults: list[str | None] = []
        thread = threading.Thread(target=lambda: faults.append(fault_of_nested(text)))
        thread.start()
        thread.join()
        return faults[0]


def fault_of_nested(text: str) -> str | None:
    """As `parse_fault`, where too deep nesting is a fault."""
    try:
        return parse_fault(text)
    except RecursionError:
        return "nested too deeply"


ONE_AT_A_TIME = threading.Lock()  # the filters of warnings belong to the whole process


def parse_fault(text: str) -> str | None:
    """The parser's complaint, or None. Building symbol tables is the quickest way of parsing in the standard library:
    1.7 times as fast as `ast.parse`, which must also make Python objects of the tree."""
    with ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            symtable.symtable(text, "<document>", "exec")
        except SyntaxError as error:
            return f"line {error.lineno}: {error.msg}"
        except (ValueError, MemoryError) as error:
            return str(error) or "too complex for the parser"
    return None


Rule = Callable[[Page, Cleaning], str | None]

RULES: dict[str, Rule] = {
    "unreadable": unreadable,
    "too-large": too_large,
    "encoding": encoding,
    "nul-bytes": nul_bytes,
    "empty": empty,
    "too-short": too_short,
    "minified": minified,
    "generated": generated,
    "data-table": data_table,
    "not-python": not_python,
}


TO_READ = ("unreadable", "too-large", "encoding", "nul-bytes")
TO_PARSE = ("not-python",)


def clean(
    data: bytes | None, path: str, limits: Cleaning, suspect: bool = True, compiled: bool = False
) -> Cleaned | Refusal:
    """The text of a file, or why it is refused. `path` tells the kind of file by its ending; `suspect` is what
    `redact.suspects` says of the data; `compiled` that the interpreter has compiled it, it need not be parsed."""
    page = Page.of(data, path, compiled)
    if why := refusal(page, limits, TO_READ):
        return why
    original, header = page.text, notice(page.lines) if page.python else None
    if header and limits.strip_license_headers:
        page = with_text(page, "\n".join(header.lines))
    if why := refusal(page, limits, [name for name in RULES if name not in TO_READ + TO_PARSE]):
        return why
    page, counts = redacted(page, limits) if suspect or page.declared else (page, Counter())
    if why := refusal(page, limits, TO_PARSE):
        return why
    notes: dict[str, Any] = {"encoding": page.declared} if page.declared else {}
    if header and limits.strip_license_headers:
        notes["license_header"] = len(header.text)
    if counts:
        notes["redacted"] = dict(sorted(counts.items()))
    if page.text != original:
        notes["original"] = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()
    return Cleaned(page.text, header.licenses if header else (), notes)


def refusal(page: Page, limits: Cleaning, names: Sequence[str]) -> Refusal | None:
    """The refusal of the first of these rules that has one."""
    for name in names:
        if (detail := RULES[name](page, limits)) is not None:
            return Refusal(name, detail, excerpt(page.text))
    return None


def with_text(page: Page, text: str) -> Page:
    """The page with another text."""
    return replace(page, text=text, lines=text.split("\n"), data=text.encode("utf-8", "surrogatepass"))


def redacted(page: Page, limits: Cleaning) -> tuple[Page, Counter[Kind]]:
    """The page with placeholders, and how many stand for what. A Python file must not be broken by one: where the
    result cannot be parsed, only what stands in strings and comments is replaced (`w@x.name` may be a product)."""
    text, counts = redact(page.text, limits.redacted_kinds)
    if not counts:
        return page, counts
    if not page.python or syntax_fault(text) is None:
        return replace(page, text=text, parses=True), counts
    text, counts = redact(page.text, limits.redacted_kinds, literals_only=True)
    return replace(page, text=text, parses=False), counts


def excerpt(text: str) -> str:
    """The beginning of a text, at most 200 characters, redacted, NUL made visible."""
    head = text[: 2 * EXCERPT_CHARACTERS]
    return redact(head, KINDS)[0][:EXCERPT_CHARACTERS].replace("\0", "␀")
