"""The response store: what teachers answered, kept raw, append-only, outside every artifact.

One request, one row of `<folder>/responses.jsonl`. The key is the digest of everything that shapes the answer, so
editing a parser or a filter re-pays nothing, and changing one row re-pays one row. The first answer to a request
counts: a later one, from another process, is not kept.

    {"key": …, "response": {…}}                                       version 1, still read
    {"v": 2, "key": …, "response": {…}, "request": {…}, "mode": …}    version 2: what was asked, live or in a batch
    {"v": 2, "key": …, "unanswered": …}                               why there is none: replays repeat it

A kill can tear at most the line being written, which is skipped when read; several processes can append at once, and
each sees what the others wrote. A row of a later version is read if it has these fields, and passed over if it has not.
Memory holds places of rows, not rows.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from hornbook.artifacts import read_jsonl
from hornbook.errors import InfrastructureError, InputError

FILE = "responses.jsonl"
VERSION = 2

Place = tuple[int, int]  # where a row begins in the file, and its length in bytes


class ResponseStore:
    """Raw responses by request key, in `<folder>/responses.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        self._places: dict[str, Place] = {}
        self._unanswered: dict[str, str] = {}
        self._owners: dict[str, tuple[str, Place]] = {}  # id of a reply → the request it came to first, and where
        self._read_to = 0
        self._refresh()

    def __len__(self) -> int:
        return len(self._places)

    def holds(self, key: str) -> bool:
        """Whether a response to the request is there, from whatever process."""
        if key not in self._places:
            self._refresh()
        return key in self._places

    def get(self, key: str) -> dict[str, Any] | None:
        """The raw response to a request, or None."""
        row = self.row(key)
        return None if row is None else dict(row["response"])

    def row(self, key: str) -> dict[str, Any] | None:
        """The whole row of a response: `request` and `mode` beside it, where it is of version 2."""
        return self._at(self._places[key]) if self.holds(key) else None

    def _at(self, place: Place) -> dict[str, Any]:
        with self.path.open("rb") as stream:
            found: dict[str, Any] = json.loads(os.pread(stream.fileno(), place[1], place[0]))
        return found

    def owner(self, response: Mapping[str, Any]) -> str | None:
        """The request that a reply came to before, byte for byte and with its id."""
        self._refresh()
        key, place = self._owners.get(str(response.get("id")), ("", None))
        return key if place is not None and self._at(place)["response"] == response else None

    def put(self, key: str, response: dict[str, Any], **about: Any) -> dict[str, Any]:
        """Append a response, in ASCII, which holds all that JSON can say; it is with the system (no fsync) on return.

        `about`: further fields of the row. Returns the response that counts: another process may have been first.
        Raises InfrastructureError when it cannot be written.
        """
        self._append(key, {"response": response, **about})
        return self.get(key) or response

    def adopt(self, folder: Path) -> None:
        """Take over what another store holds and this one lacks. Raises InputError when there is no store."""
        if not (folder / FILE).is_file():
            raise InputError(f"responses: {folder} holds no {FILE}; give a folder of stored answers, or leave it out")
        for row in read_jsonl(folder / FILE):
            key = str(row.get("key"))
            if isinstance(row.get("response"), dict):
                known, fields = self.holds(key), {name: row[name] for name in row.keys() - {"v", "key"}}
            else:
                known, fields = key in self._unanswered, {"unanswered": str(row.get("unanswered"))}
            if not known:
                self._append(key, fields)

    def put_unanswered(self, key: str, reason: str) -> None:
        """Note why a request ended without an answer. A response that comes later counts all the same."""
        if self.unanswered(key) != reason:
            self._append(key, {"unanswered": reason})

    def unanswered(self, key: str) -> str | None:
        """Why a request has no response, or None when nothing is known of it."""
        return self._unanswered.get(key)

    def _append(self, key: str, fields: Mapping[str, Any]) -> None:
        line = json.dumps({"v": VERSION, "key": key, **fields}, sort_keys=True).encode() + b"\n"
        try:
            with self.path.open("ab+") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                self._refresh()
                if key not in self._places:
                    stream.write(line if self._ends_whole(stream) else b"\n" + line)
        except OSError as error:
            raise InfrastructureError(f"{self.path}: {error.strerror}; the response was not kept, free space") from None
        self._refresh()

    def _refresh(self) -> None:
        """Take in what was appended since, by this process or another."""
        if not self.path.is_file() or self.path.stat().st_size <= self._read_to:
            return
        with self.path.open("rb") as stream:
            stream.seek(self._read_to)
            for line in stream:
                if not self._note(line, self._read_to) and not line.endswith(b"\n"):
                    return  # half a line, so far: the rest of it would be read as a line of its own
                self._read_to += len(line)

    def _note(self, line: bytes, start: int) -> bool:
        """Remember a row, the first of its key; whether the line is one."""
        try:
            row = json.loads(line)
            key = str(row["key"])
            if isinstance(row.get("response"), dict):
                self._places.setdefault(key, (start, len(line)))
                if name := row["response"].get("id"):
                    self._owners.setdefault(str(name), (key, (start, len(line))))
            else:
                self._unanswered[key] = str(row["unanswered"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return False  # torn by a kill, or of a later version; its request is asked again
        return True

    @staticmethod
    def _ends_whole(stream: IO[bytes]) -> bool:
        if stream.seek(0, os.SEEK_END) == 0:
            return True
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"
