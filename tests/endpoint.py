"""A real HTTP server on loopback that answers as an OpenAI-compatible endpoint would, and fails when it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Answer = Callable[[dict[str, Any]], Any]


class Server:
    """Answers each body with `answer(body)`. `failing`: the statuses given before that, one a request."""

    def __init__(self, answer: Answer, failing: Sequence[int] = ()) -> None:
        self.answer, self.failing = answer, list(failing)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.keys: set[str | None] = set()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """The class that serves one connection."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append((self.path, body))
                server.keys.add(self.headers["Authorization"])
                status = server.failing.pop(0) if server.failing else 200
                found = server.answer(body) if status == 200 else {"error": {"message": "not now"}}
                data = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("retry-after-ms", "1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers, closed when the test is over."""
    servers: list[Server] = []

    def start(answer: Answer, failing: Sequence[int] = ()) -> Server:
        servers.append(Server(answer, failing))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()
