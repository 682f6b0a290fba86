"""Hosts foreign code in its contained child: a candidate that answers calls, or a section's blocks in order."""

from __future__ import annotations

import io
import sys
import types
from typing import Any

from .codec import decode, encode
from .examine import describe
from .peer import Peer, allow_all
from .plain import Malformed
from .stream import Gone, Stream


class Printed(io.StringIO):
    """Standard output of foreign code, kept up to a number of characters; more raises OSError."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.left = limit

    def write(self, text: str) -> int:
        self.left -= len(text)
        if self.left < 0:
            raise OSError("too much output")
        return super().write(text)

    def drain(self) -> str:
        """What was printed since the last time."""
        text = self.getvalue()
        if text:
            self.seek(0)
            self.truncate()
        return text


def new_module(name: str) -> types.ModuleType:
    """An empty module that classes defined in it can be found by."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    return module


def serve_candidate(stream: Stream, output: int) -> None:
    """Load the program that the first request brings, then answer calls until the judge hangs up."""
    printed = sys.stdout = Printed(output)

    def load(source: str, wanted: list[str]) -> dict[str, Any]:
        module = new_module("candidate")
        exec(compile(source, "<candidate>", "exec"), module.__dict__)
        return {name: module.__dict__[name] for name in wanted if name in module.__dict__}

    peer = Peer(stream, allow_all, printed=printed.drain, hear=len)
    peer.refer(load)
    try:
        peer.serve()
    except (Gone, Malformed):
        return


def serve_blocks(stream: Stream, output: int) -> None:
    """Run code blocks one by one in a shared namespace; reply to each with what it printed and how it failed."""
    printed = sys.stdout = Printed(output)
    space = new_module("__main__").__dict__
    while True:
        block = decode(stream.receive())
        error = run_block(block, space)
        try:
            stream.send(encode((printed.drain(), error)))
        except ValueError:
            stream.send(encode(("", "OSError: too much output")))


def run_block(block: str, space: dict[str, Any]) -> str:
    """Run one block; returns a line that describes its error, or nothing."""
    try:
        exec(compile(block, "<block>", "exec"), space)
    except Gone:
        raise
    except BaseException as error:
        return describe(error, block)
    return ""
