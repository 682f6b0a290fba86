"""The Batch API: thousands of requests in one file, half the price, answers within a day.

What is under way stands in `<responses>/batches.jsonl`, so that a run that was killed, or stopped with Ctrl-C, takes
its batches up again and pays for none twice:

    {"v": 1, "nonce": …, "url": …, "keys": […]}      before anything is sent; the nonce goes with the batch as metadata
    {"v": 1, "nonce": …, "batch": …}                 its id at the server; lost in a kill, it is found by the nonce
    {"v": 1, "nonce": …, "ended": …}                 every answer is in the store
"""

from __future__ import annotations

import fcntl
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.artifacts import append_jsonl
from hornbook.errors import RequestError, WorkError
from hornbook.extras import require
from hornbook.progress import say
from hornbook.teacher.ask import Teacher
from hornbook.teacher.endpoint import api_key
from hornbook.teacher.faults import Fault
from hornbook.teacher.money import BYTES_PER_TOKEN, Bill
from hornbook.teacher.request import Request, Usage
from hornbook.teacher.store import ResponseStore
from hornbook.teacher.structure import chat_body

if TYPE_CHECKING:
    from openai.types import Batch

FILE, LOCK = "batches.jsonl", "batches.lock"
MOST = 10_000  # requests of one batch; servers take 50,000 and 200 MB
ENDED = ("completed", "failed", "expired", "cancelled")

Keep = Callable[[Request, dict[str, Any]], None]
Lose = Callable[[Request, Fault], None]


class Journal:
    """Which batches are under way at one server, on file."""

    def __init__(self, folder: Path, url: str) -> None:
        self.path, self.url = folder / FILE, url
        self._lock = folder / LOCK

    def open(self) -> dict[str, dict[str, Any]]:
        """Nonce → `keys` and, where it is known, `batch`, of what has not ended. Torn lines are passed over."""
        found: dict[str, dict[str, Any]] = {}
        for line in self.path.read_bytes().splitlines() if self.path.exists() else ():
            try:
                row = json.loads(line)
                found.setdefault(row["nonce"], {}).update(row)
            except (ValueError, KeyError, TypeError):
                continue
        return {n: row for n, row in found.items() if row.get("url") == self.url and "ended" not in row}

    def note(self, nonce: str, **fields: Any) -> None:
        """Append a row, on a line of its own whatever a kill left."""
        if self.path.exists() and self.path.read_bytes()[-1:] != b"\n":
            with self.path.open("ab") as stream:
                stream.write(b"\n")
        append_jsonl(self.path, {"v": 1, "nonce": nonce, **fields})

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep two processes from sending the same requests."""
        with self._lock.open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


class Desk:
    """Hands batches in and fetches them. `form`: how a schema is asked for; `update`: told what is going on."""

    def __init__(
        self, teacher: Teacher, store: ResponseStore, form: str, bill: Bill, update: Callable[..., None]
    ) -> None:
        require("endpoint")
        from openai import OpenAI

        self.teacher, self.store, self.form, self.bill, self.update = teacher, store, form, bill, update
        self.journal = Journal(store.folder, teacher.url)
        self.sdk = OpenAI(
            base_url=teacher.url, api_key=api_key(), max_retries=teacher.retries, timeout=teacher.timeout_seconds
        )

    def ask(self, requests: Sequence[Request], keep: Keep, lose: Lose) -> None:
        """Bring every request to an answer or a fault, as far as the cap allows. Raises RequestError or WorkError."""
        from openai import APIConnectionError, APIStatusError

        waiting = {request.key: request for request in requests}
        try:
            while self._hand_in(waiting) or self._ours(waiting):
                self._collect(waiting, keep, lose)
        except APIStatusError as error:
            said = " ".join(str(error.message).split())[:200]
            hint = "; has it no Batch API? use mode: live" if error.status_code in (404, 405, 501) else ""
            raise RequestError(f"{self.teacher.url}: {error.status_code} ({said}){hint}") from None
        except APIConnectionError as error:
            cause = error.__cause__ or error
            raise WorkError(f"{self.teacher.url}: cannot be reached ({cause}); run again to go on") from None

    def _ours(self, waiting: Mapping[str, Request]) -> dict[str, dict[str, Any]]:
        """The batches under way that hold something we wait for; others belong to another job."""
        return {nonce: row for nonce, row in self.journal.open().items() if not waiting.keys().isdisjoint(row["keys"])}

    def _adopt(self) -> None:
        """Find the ids of batches that a kill kept from being written down."""
        lost = [nonce for nonce, row in self.journal.open().items() if "batch" not in row]
        if not lost:
            return
        known = {(batch.metadata or {}).get("hornbook"): batch.id for batch in self.sdk.batches.list(limit=100)}
        for nonce in lost:
            self.journal.note(nonce, **({"batch": known[nonce]} if nonce in known else {"ended": "never began"}))

    def _hand_in(self, waiting: Mapping[str, Request]) -> bool:
        """Send what is in no batch yet, as much as the cap has room for; whether anything was sent."""
        with self.journal.alone():
            self._adopt()
            under_way = {key for row in self.journal.open().values() for key in row["keys"]}
            free = [request for key, request in waiting.items() if key not in under_way]
            chosen = free[: min(MOST, self._room(len(under_way & waiting.keys()), free))]
            if chosen:
                self._send(chosen)
        return bool(chosen)

    def _room(self, under_way: int, free: Sequence[Request]) -> int:
        """How many more requests the cap has room for, at what one has cost so far (at worst, before any has)."""
        teacher, price, spent = self.teacher, self.bill.price, self.bill.whole()
        if not free or (teacher.cap_dollars is None and teacher.cap_tokens is None):
            return len(free)
        known = self.bill.each or [Usage(free[0].bytes // BYTES_PER_TOKEN, free[0].max_tokens)]
        likely = [replace(usage, batch=True) for usage in known]
        room = float(len(free))
        if teacher.cap_tokens is not None:
            each = sum(usage.tokens for usage in likely) / len(likely)
            room = min(room, (teacher.cap_tokens - spent.tokens) / each - under_way)
        if teacher.cap_dollars is not None and price is not None:
            each = sum(map(price.of, likely)) / len(likely)
            room = min(room, (teacher.cap_dollars - spent.dollars) / each - under_way if each else room)
        return max(0 if under_way or self.bill.reached(teacher) else 1, int(room))

    def _send(self, requests: Sequence[Request]) -> None:
        nonce = uuid.uuid4().hex
        self.journal.note(nonce, url=self.teacher.url, keys=[request.key for request in requests])
        lines = [
            {"custom_id": r.key, "method": "POST", "url": "/v1/chat/completions", "body": chat_body(r, self.form)}
            for r in requests
        ]
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        file = self.sdk.files.create(file=("hornbook.jsonl", data), purpose="batch")
        once = self.sdk.with_options(max_retries=0)  # a second try might make a second batch
        batch = once.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={"hornbook": nonce},
        )
        self.journal.note(nonce, batch=batch.id)
        say(f"  batch {batch.id}: {len(requests):,} requests handed in; it may be interrupted, run again to go on")

    def _collect(self, waiting: dict[str, Request], keep: Keep, lose: Lose) -> None:
        """Look at every batch under way; take what has ended, else wait a while."""
        some = False
        for nonce, row in self._ours(waiting).items():
            if "batch" not in row:
                continue  # another process is handing it in
            batch = self.sdk.batches.retrieve(row["batch"])
            counts = batch.request_counts
            self.update(note=f"batch {batch.id} {batch.status}" + (f", {counts.completed:,} done" if counts else ""))
            if batch.status in ENDED:
                some = True
                why = self._take(batch, waiting, keep)
                self.journal.note(nonce, ended=batch.status)
                for key in waiting.keys() & set(row["keys"]):
                    lose(waiting.pop(key), why.get(key) or ended(batch))
        if not some:
            time.sleep(self.teacher.poll_seconds)

    def _take(self, batch: Batch, waiting: dict[str, Request], keep: Keep) -> dict[str, Fault]:
        """Bring the answers of an ended batch home, those too that this job does not ask for; why others have none."""
        why: dict[str, Fault] = {}
        for line in self._lines(batch):
            key, response = str(line.get("custom_id")), line.get("response") or {}
            if response.get("status_code") != 200 or not isinstance(response.get("body"), dict):
                why[key] = refused(batch, response, line.get("error"))
            elif key in waiting:
                keep(waiting.pop(key), response["body"])
            else:
                self.store.put(key, response["body"], mode="batch")
        return why

    def _lines(self, batch: Batch) -> Iterator[dict[str, Any]]:
        for name in (batch.output_file_id, batch.error_file_id):
            for line in self.sdk.files.content(name).read().splitlines() if name else ():
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                if isinstance(row, dict):
                    yield row


def refused(batch: Batch, response: Mapping[str, Any], error: Any) -> Fault:
    """Why one request of a batch has no answer."""
    status = int(response.get("status_code") or 500)
    said = str(error or response.get("body"))[:200]
    if 400 <= status < 500 and status != 429:
        return Fault("refused", RequestError(f"batch {batch.id}: {status} ({said})"), again=False)
    return Fault("server-error", WorkError(f"batch {batch.id}: {status} ({said}); run again to go on"))


def ended(batch: Batch) -> Fault:
    """Why a whole batch gave no answer to a request."""
    if batch.status == "failed":
        first = batch.errors.data[0].message if batch.errors and batch.errors.data else "no reason given"
        return Fault("refused", RequestError(f"batch {batch.id}: failed ({first})"), again=False, fatal=True)
    return Fault("expired", WorkError(f"batch {batch.id}: {batch.status} before it was done; run again to go on"))
