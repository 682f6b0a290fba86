"""Tables as streams: local or remote, plain or compressed. What swells as only a bomb does is refused on the way."""

from __future__ import annotations

import gzip
import io
import resource
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from hornbook.corpus.sources import Item

FREE_BYTES = 16 << 20  # that a stream may always grow to
SPARE_BYTES = 1 << 30  # for the decoding of a Parquet file
MOST_SWELLING = 100  # times its stored size, beyond that; source text shrinks to a tenth, seldom to a fiftieth


class Swollen(OSError):
    """A stream that grows as only a bomb does."""


# What pyarrow and the decompressors raise on damaged data.
DAMAGE = (pa.ArrowException, OSError, EOFError, zlib.error, ValueError, OverflowError, MemoryError)


def check_swelling(grown: int, stored: int) -> None:
    """Raise Swollen where so many bytes are too many for so many stored ones."""
    if grown > FREE_BYTES + MOST_SWELLING * max(stored, 0):
        raise Swollen(f"it grows to more than {MOST_SWELLING} times its size: a compression bomb")


@contextmanager
def limited_memory() -> Iterator[None]:
    """Let this process map no more than so much memory besides what it has. One cell of a Parquet file may grow to
    gigabytes, and nothing in the file has to tell so beforehand; with a limit, that is an error like another."""
    if not sys.platform.startswith("linux"):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    least = min(limit for limit in (mapped + SPARE_BYTES, soft, hard) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (least, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class Expanding(io.RawIOBase):
    """A decompressed stream that is watched as it grows."""

    def __init__(self, inner: Any, stored: BinaryIO) -> None:
        self._inner, self._stored, self._grown = inner, stored, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        self._grown += len(data)
        check_swelling(self._grown, self._stored.tell())
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        self._stored.close()
        super().close()


def stored(item: Item) -> BinaryIO:
    """An item's file as it is stored."""
    return item.remote.open() if item.remote else open(item.url, "rb")


def opened(item: Item) -> BinaryIO:
    """An item's file, decompressed where its ending says so. Raises OSError when it cannot be opened."""
    raw = stored(item)
    if item.url.endswith(".gz"):
        inner: Any = gzip.GzipFile(fileobj=raw)
    elif item.url.endswith(".zst"):
        inner = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
    else:
        return raw
    return cast(BinaryIO, io.BufferedReader(Expanding(inner, raw), 1 << 16))


@contextmanager
def place(item: Item) -> Iterator[Any]:
    """What pyarrow is to open: a path of this machine, or a stream."""
    if item.remote is None:
        yield item.url
    else:
        with item.remote.open() as stream:
            yield stream
