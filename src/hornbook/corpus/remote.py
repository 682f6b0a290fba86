"""Files that fsspec reaches: object stores, other machines, archives. They are listed with their size and a mark of
their content, and read as streams. Credentials are the business of fsspec and its backends.

A file that the store refuses or that is damaged is a counted reject. A store that fails (a network that is down, a
server that is busy) ends the run instead: whether a file belongs to the corpus must not depend on the weather.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from hornbook.errors import InfrastructureError, InputError

URL = re.compile(r"[a-z][a-z0-9+.-]*(://|::)", re.IGNORECASE)
READ_AT_ONCE = 64  # files, each of which is asked for no more than the corpus allows

# What stores tell of a file: that which follows from its bytes; where nothing does, when it was written.
CONTENT = (
    *("ETag", "etag", "md5Hash", "md5", "content_md5", "contentMd5", "sha256", "checksum", "crc32c", "CRC", "blob_id"),
    *("oid", "generation"),
)
TIME = ("LastModified", "last_modified", "mtime", "updated", "modified", "created", "date_time")

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)  # of an archive: its file will never be read
REFUSAL = (FileNotFoundError, PermissionError, IsADirectoryError)


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a store. `size` is None where the store does not tell; `mark` changes when the content does."""

    store: Any  # fsspec.AbstractFileSystem
    name: str
    size: int | None
    mark: str

    def open(self) -> BinaryIO:
        """The file as a stream. Raises OSError where it cannot be read, InfrastructureError where the store fails."""
        try:
            return cast(BinaryIO, io.BufferedReader(Watched(self.store.open(self.name, "rb"), self.name)))
        except Exception as error:
            raise told(error, self.name) from error


class Watched(io.RawIOBase):
    """A stream whose errors are sorted into those of the file and those of the store."""

    def __init__(self, inner: Any, name: str) -> None:
        self._inner, self._name = inner, name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._inner.seekable())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._inner.seek(offset, whence))

    def tell(self) -> int:
        return int(self._inner.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._inner.read(len(buffer))
        except Exception as error:
            raise told(error, self._name) from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


def told(error: Exception, name: str) -> Exception:
    """An error of the file as an OSError; any other as one of the store."""
    if isinstance(error, REFUSAL):
        return error
    if isinstance(error, DAMAGE) or (isinstance(error, RuntimeError) and "encrypted" in str(error)):
        return OSError(f"damaged: {type(error).__name__}")
    return InfrastructureError(f"curate: the store failed on {name}: {said(error)}; run again")


def said(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0].removesuffix(": ")


def is_remote(given: str) -> bool:
    """Whether a path is a URL, or a chain of them, and not a local one.

    >>> is_remote("s3://bucket/*.py"), is_remote("zip://*.py::local.zip"), is_remote("folder/*.py")
    (True, True, False)
    """
    return bool(URL.match(given)) and not given.startswith("file://")


def listed(given: str) -> tuple[str, list[tuple[str, Remote]]]:
    """The files under a URL, and where it starts from: the name of that folder, bucket or archive.

    Raises InputError when the backend's package is missing, the store cannot be asked, or nothing is there.
    """
    try:
        import fsspec

        store, path = fsspec.core.url_to_fs(given)
        root, infos = found(store, path)
    except ImportError as error:
        raise InputError(f"paths: {given}: {error}; it is a package of its own") from error
    except FileNotFoundError as error:
        raise InputError(f"paths: {given}: no such file or folder") from error
    except Exception as error:
        raise InputError(f"paths: {given}: {said(error)}") from error
    files = [(inside(str(info["name"]), root), remote(store, info)) for info in infos]
    return PurePosixPath(root).name or PurePosixPath(given.split("::")[-1]).name or "files", files


def found(store: Any, path: str) -> tuple[str, list[Mapping[str, Any]]]:
    """The folder that a path starts from, and what the store tells of each file there, in order."""
    if any(mark in path for mark in "*?["):
        fixed = re.split(r"[*?\[]", path, maxsplit=1)[0].rpartition("/")[0]
        infos = store.glob(path, detail=True)
    elif store.isdir(path):
        fixed, infos = path.rstrip("/"), store.find(path, detail=True)
    else:
        fixed, infos = path.rpartition("/")[0], {path: store.info(path)}
    return fixed, [info for _, info in sorted(infos.items()) if info.get("type") == "file"]


def inside(name: str, root: str) -> str:
    """A file's path below its root."""
    return name.removeprefix(root).lstrip("/")


def remote(store: Any, info: Mapping[str, Any]) -> Remote:
    """A file from what its store tells of it."""
    size = info.get("size")
    return Remote(store, str(info["name"]), int(size) if size is not None else None, mark(info))


def mark(info: Mapping[str, Any]) -> str:
    """What tells one content of a file from another: its size and the store's checksums, or else its time."""
    known = {name: info[name] for name in CONTENT if info.get(name)} or {
        name: info[name] for name in TIME if info.get(name)
    }
    return json.dumps([info.get("size"), known], default=str, sort_keys=True)


def fetched(files: Sequence[Remote], most_bytes: int) -> Iterator[bytes | OSError]:
    """The beginning of each file, at most so many bytes, or why it cannot be read; a few dozen at once.

    Raises InfrastructureError when a store fails.
    """
    for _, group in groupby(files, key=lambda file: id(file.store)):
        waiting = list(group)
        for start in range(0, len(waiting), READ_AT_ONCE):
            yield from fetched_together(waiting[start : start + READ_AT_ONCE], most_bytes)


def fetched_together(files: Sequence[Remote], most_bytes: int) -> Iterator[bytes | OSError]:
    """As `fetched`, of files in one store. Stores do not like to be asked for a part of an empty file."""
    wanted = [file for file in files if file.size != 0]
    try:
        answers = files[0].store.cat_ranges([file.name for file in wanted], 0, most_bytes, on_error="return")
    except Exception as error:
        raise told(error, files[0].name) from error
    parts = iter(answers)
    for file in files:
        answer = next(parts) if file.size != 0 else b""
        if not isinstance(answer, Exception):
            yield bytes(answer)
        elif isinstance(fault := told(answer, file.name), OSError):
            yield fault
        else:
            raise fault
