"""The response store: what teachers answered, kept raw, append-only, outside every artifact.

One request, one row. The key is the digest of everything that shapes the answer, so editing a parser or a filter
re-pays nothing, and changing one row re-pays one row. A kill can tear at most the line being written, which is skipped
when read; two processes can append at once.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hornbook.errors import InfrastructureError

FILE = "responses.jsonl"


class ResponseStore:
    """Raw responses by request key, in `<folder>/responses.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, dict[str, Any]] = dict(self._read())

    def _read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            for line in stream:
                try:
                    row = json.loads(line)
                    yield row["key"], row["response"]
                except (ValueError, KeyError, TypeError):
                    continue  # the torn line of a killed run; its request is asked again

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> dict[str, Any] | None:
        """The raw response to a request, or None."""
        return self._known.get(key)

    def put(self, key: str, response: dict[str, Any]) -> None:
        """Append a response, in ASCII, which holds all that JSON can say; it is with the system (no fsync) on return.

        Raises InfrastructureError when it cannot be written.
        """
        line = json.dumps({"key": key, "response": response}, sort_keys=True).encode() + b"\n"
        try:
            with self.path.open("ab+") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                if stream.tell() and not self._ends_whole(stream):
                    line = b"\n" + line
                stream.write(line)
        except OSError as error:
            raise InfrastructureError(f"{self.path}: {error.strerror}; the response was not kept, free space") from None
        self._known[key] = response

    @staticmethod
    def _ends_whole(stream: Any) -> bool:
        stream.seek(-1, 2)
        return bool(stream.read(1) == b"\n")
