"""A real HTTP server on loopback that answers chats, and goes wrong in twelve ways as often as it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
import time
from collections import Counter
from typing import Any

WAYS = (
    "429",
    "429-retry-after",
    "500",
    "drop",
    "drop-midway",
    "hang",
    "drip",
    "truncated-json",
    "wrong-schema",
    "empty-choice",
    "duplicate-reply",
    "reply-twice",
)
WHOLE = ("fine", "wrong-schema", "reply-twice")  # the answer to this request is received in full, and is not empty
PROMPT_TOKENS, COMPLETION_TOKENS = 100, 50


class Unruly:
    """Echoes the first user message as {"echo": …}. `share` of the requests meet one of `ways`, drawn by `seed`.

    `log`: (the messages as JSON, the way it went), in order of arrival. `whole`: the messages whose answer was sent in
    full. `under_way`: those that were received and not yet answered.
    """

    def __init__(self, share: float = 0.0, seed: int = 0, ways: tuple[str, ...] = WAYS, seconds: float = 0.003) -> None:
        self.share, self.ways, self.seconds, self.draw = share, ways, seconds, random.Random(seed)
        self.log: list[tuple[str, str]] = []
        self.whole: Counter[str] = Counter()
        self.under_way: Counter[str] = Counter()
        self.most_under_way = 0
        self.count, self.last = 0, b""
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._handle, "127.0.0.1", 0, backlog=512))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ready.set()
        self.loop.run_forever()

    def close(self) -> None:
        """Stop serving, in the middle of whatever is going on."""
        asyncio.run_coroutine_threadsafe(self._cancel(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _cancel(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def await_arrivals(self, number: int) -> None:
        """Wait until so many requests have arrived in all."""
        until = time.monotonic() + 60
        while len(self.log) < number:
            assert time.monotonic() < until
            time.sleep(0.001)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        body = json.loads(await reader.readexactly(length))
        asked = json.dumps(body["messages"])
        way = self.draw.choice(self.ways) if self.draw.random() < self.share else "fine"
        self.log.append((asked, way))
        self.under_way[asked] += 1
        self.most_under_way = max(self.most_under_way, self.under_way.total())
        try:
            await asyncio.sleep(self.seconds * self.draw.uniform(0.5, 1.5))
            return await self._go(way, body, asked, b"connection: close" in head, reader, writer)
        finally:
            self.under_way -= Counter([asked])

    async def _go(
        self,
        way: str,
        body: dict[str, Any],
        asked: str,
        close: bool,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        if way == "hang":
            await asyncio.sleep(30)
        if way in ("hang", "drop"):
            return False
        if way == "drip":
            writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 9999\r\n\r\n")
            for _ in range(600):  # half a minute, always a little more
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
            return False
        data = self.reply(way, body)
        if way == "duplicate-reply" and self.last:
            data = self.last
        status, more = {"429": (429, ""), "429-retry-after": (429, "retry-after-ms: 20\r\n"), "500": (500, "")}.get(
            way, (200, "")
        )
        if status != 200:
            data = b'{"error": {"message": "not now"}}'
        whole = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{more}content-length: {len(data)}\r\n\r\n"
        sent = whole.encode() + data
        if way == "drop-midway":
            sent = sent[: -len(data) // 2]
        if way in WHOLE:
            self.whole[asked] += 1
        writer.write(sent * 2 if way == "reply-twice" else sent)
        await writer.drain()
        if way in WHOLE and close:
            await reader.read()  # the client has it when it hangs up
            self.last = data
        return way != "drop-midway" and not close

    def reply(self, way: str, body: dict[str, Any]) -> bytes:
        """The body of an answer."""
        self.count += 1
        first = next(message["content"] for message in body["messages"] if message["role"] == "user")
        content = json.dumps({"wrong": 1} if way == "wrong-schema" else {"echo": first})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS}
        raw = {"id": f"chatcmpl-{self.count}", "choices": [] if way == "empty-choice" else [choice], "usage": usage}
        data = json.dumps(raw).encode()
        return data[: len(data) // 2] if way == "truncated-json" else data
