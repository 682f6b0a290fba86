"""A server on loopback with a Batch API: files, batches, results; as slow, lossy or broken as a test wants it."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MULTIPART = re.compile(rb'filename="[^"]*".*?\r\n\r\n(.*)\r\n--', re.DOTALL)


class BatchServer:
    """Batches end after `polls` looks as `status`; `outcome(custom_id, body)` is a line's response or error.

    `batches`: id → the batch. `fail_create`: the creation answers 500 although it was made.
    """

    def __init__(self, polls: int = 1, status: str = "completed", fail_create: bool = False) -> None:
        self.polls, self.status, self.fail_create = polls, status, fail_create
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.chats = 0
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def __enter__(self) -> BatchServer:
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    def asked(self) -> list[str]:
        """The custom id of every request of every batch."""
        lines = (line for batch in self.batches.values() for line in self.files[batch["input_file_id"]].splitlines())
        return [json.loads(line)["custom_id"] for line in lines]

    def outcome(self, body: dict[str, Any]) -> dict[str, Any]:
        """What one request of a batch comes to."""
        content = body["messages"][0]["content"]
        if content == "refuse":
            return {"response": {"status_code": 400, "body": {"error": "no"}}, "error": None}
        if content == "forget":
            return {}
        usage = {"prompt_tokens": 10, "completion_tokens": 10}
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content + "!"}}
        return {"response": {"status_code": 200, "body": {"choices": [choice], "usage": usage}}, "error": None}

    def create(self, given: dict[str, Any]) -> dict[str, Any]:
        """Take a batch on."""
        name = f"batch_{len(self.batches)}"
        kept = {"id": name, "object": "batch", "created_at": 0, "status": "in_progress", "looks": 0}
        self.batches[name] = {**given, **kept}
        return self.batches[name]

    def look(self, name: str) -> dict[str, Any]:
        """How a batch stands; it ends when it has been looked at often enough."""
        batch = self.batches[name]
        batch["looks"] += 1
        if batch["looks"] > self.polls and batch["status"] == "in_progress":
            batch["status"] = self.status
            lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
            ends = [{"custom_id": line["custom_id"], **self.outcome(line["body"])} for line in lines]
            good = [end for end in ends if end.get("response")]
            batch["output_file_id"] = f"out_{name}"
            self.files[f"out_{name}"] = "".join(json.dumps(end) + "\n" for end in reversed(good)).encode()
        return batch

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """The class that serves one connection."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = self.path.split("?")[0].removeprefix("/v1/").split("/")
                if parts == ["batches"]:
                    self.give({"object": "list", "data": list(server.batches.values()), "has_more": False})
                elif parts[0] == "batches":
                    self.give(server.look(parts[1]))
                else:
                    self.give(server.files[parts[1]])

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path.endswith("/files"):
                    name = f"file_{len(server.files)}"
                    server.files[name] = MULTIPART.search(data)[1].rstrip(b"\r\n")  # type: ignore[index]
                    self.give({"id": name, "object": "file", "bytes": 0, "created_at": 0, "filename": "f"})
                elif self.path.endswith("/batches"):
                    made = server.create(json.loads(data))
                    self.give(made, 500 if server.fail_create else 200)
                else:
                    server.chats += 1
                    self.give(server.outcome(json.loads(data))["response"]["body"])

            def give(self, data: Any, status: int = 200) -> None:
                sent = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/octet-stream" if data is sent else "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
