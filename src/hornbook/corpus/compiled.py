"""Which installed files the interpreter has compiled already, and so need not be parsed again to know that they are
Python. Parsing is what cleaning takes longest at: ten times as long as all the other rules together.
"""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

HEADER_BYTES = 16
BY_TIME, BY_CHECKED_HASH = 0, 3  # flags of the header (PEP 552)
SITE = frozenset({"site-packages", "dist-packages"})


@cache
def library_folders() -> tuple[str, ...]:
    """The folders of the standard library and of installed packages, each with a slash at its end."""
    folders = {sysconfig.get_paths()["stdlib"], *(folder for folder in sys.path if Path(folder).name in SITE)}
    return tuple(sorted(f"{folder}/" for folder in folders))


def compiled(url: str, data: bytes | None) -> bool:
    """Whether the running interpreter has compiled an installed file as it stands.

    The header of the file's compiled form in `__pycache__` must name this interpreter's bytecode, and the source's size
    and time of change, or its hash: what an import goes by. Only the interpreter's own folders are looked at, since
    whoever can write there can run code anyway. A source that declares an encoding is not taken: it was compiled as
    something else than what `rules` reads.
    """
    if data is None or not url.startswith(library_folders()) or b"coding" in b" ".join(data.split(b"\n", 2)[:2]):
        return False
    try:
        with open(cache_from_source(url), "rb") as stream:
            header = stream.read(HEADER_BYTES)
        changed = int(Path(url).stat().st_mtime)
    except (OSError, NotImplementedError, ValueError):
        return False
    return header == as_compiled(changed, len(data)) or header == as_hashed(data)


def as_compiled(changed: int, size: int) -> bytes:
    """The header of what was compiled from a source of this time of change and size."""
    numbers = (BY_TIME, changed & 0xFFFFFFFF, size & 0xFFFFFFFF)
    return MAGIC_NUMBER + b"".join(number.to_bytes(4, "little") for number in numbers)


def as_hashed(data: bytes) -> bytes:
    """The header of what was compiled from these bytes and is checked by their hash."""
    return MAGIC_NUMBER + BY_CHECKED_HASH.to_bytes(4, "little") + source_hash(data)
