"""A thousand inputs that something is wrong with, the same for the same seed; and the run over them.

    python fuzz.py FOLDER OUT    curate FOLDER into OUT; prints the ledger's counts and the peak memory as JSON

Every file is called after its number, and so are the rows in it, so that each row of the result has an owner.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Rows = int | None  # how many rows the file makes; None: at least one, where damage decides
TABLES = [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet", "/Posts.xml"]
ENDINGS = [".py", ".md", ".txt", *TABLES]


def program(rng: random.Random) -> str:
    """Python in words of its own."""
    words = [f"word{rng.randrange(10**9)}" for _ in range(rng.randint(12, 60))]
    body = "".join(f"    {word} = number + {n}\n" for n, word in enumerate(words))
    return f"def {words[0]}(number):\n{body}    return {words[-1]}\n"


def flipped(rng: random.Random, data: bytes, start: int = 0) -> bytes:
    """The data with some bits or bytes changed."""
    made = bytearray(data)
    for _ in range(rng.choice([1, 2, 8, 64])):
        made[rng.randrange(start, len(made))] ^= rng.choice([1 << rng.randrange(8), rng.randrange(1, 256)])
    return bytes(made)


def cut(rng: random.Random, data: bytes) -> bytes:
    """A beginning of the data."""
    return data[: rng.randrange(1, len(data))]


def parquet(rng: random.Random, columns: dict[str, Any] | None = None) -> bytes:
    """A good Parquet file, of any layout."""
    rows = rng.choice([1, 20, 150])
    columns = columns or {
        "text": [program(rng) for _ in range(rows)],
        "stars": list(range(rows)),
        "license": [["MIT"] * (n % 3) for n in range(rows)],
        "metadata": [{"url": f"u{n}", "when": n} for n in range(rows)],
    }
    stream = io.BytesIO()
    layout = {
        "compression": rng.choice(["snappy", "zstd", "gzip", "none", "lz4"]),
        "use_dictionary": rng.random() < 0.5,
    }
    pq.write_table(pa.table(columns), stream, row_group_size=rng.choice([7, 1000]), data_page_size=512, **layout)
    return stream.getvalue()


def odd_parquet(rng: random.Random) -> tuple[bytes, Rows]:
    """A Parquet file whose columns are of other types than anyone expects."""
    texts: list[Any] = [
        pa.array([1, 2, None]),
        pa.array([[b"a"], None, []]),
        pa.array([{"a": 1}, None, {"a": 2}]),
        pa.array([True, False, None]),
        pa.array([b"\xff\xfe" * 100, None, b""]),
        pa.array([b"\xff" * 200, b"caf\xe9" * 50, b"ok" * 60]).view(pa.string()),
        pa.array([program(rng)] * 3).dictionary_encode(),
        pa.array([program(rng)] * 3, pa.large_string()),
        pa.array([None, None, None]),
        pa.array([10**17, 1, None], pa.timestamp("ms")),
        pa.array([None, None, None], pa.duration("ns")),
    ]
    names = pa.array([b"\xff\xfe", b"a.py", None]).view(pa.string())
    return parquet(
        rng, {"text": rng.choice(texts), "source": rng.choice([names, *texts]), "license": rng.choice(texts)}
    ), 3


def json_lines(rng: random.Random) -> tuple[bytes, Rows]:
    """Lines of which hardly two are in order."""
    deep = rng.choice([100, 10_000, 100_000])
    lines = [
        json.dumps({"text": program(rng)}).encode(),
        b"{broken",
        b"[1, 2]",
        b"null",
        b'{"text": 7}',
        b'{"text": null, "content": ["x"]}',
        b'{"text": "' + b"\\ud800" * 60 + b'", "source": "\\udfff", "license": "\\ud801"}',
        b'{"text": "' + b"\\u0000x" * 60 + b'"}',
        b'{"metadata": {"a": NaN, "b": 1e999}, "text": ' + json.dumps(program(rng)).encode() + b"}",
        b'{"text": "x", "metadata": ' + b'{"a":' * deep + b"1" + b"}" * deep + b"}",
        b"[" * deep,
        b'{"text": ' + b"9" * 20_000 + b"}",
        b"\xff\xfe{\x00}\x00",
        b"\x00" * 100,
        json.dumps({"text": program(rng), "license": {"a": 1}, "source": 1, "path": ["x"], "stars": "many"}).encode(),
        json.dumps({"text": program(rng), "source": "hornbook-planted", "metadata": "[1"}).encode(),
        b'{"text": "a", "text": "b"}',
        '{"text": "caf\xe9"}'.encode("latin-1"),
        b"",
    ]
    chosen = [rng.choice(lines) for _ in range(rng.randint(1, 30))] + [b"{}"]
    return b"\n".join(chosen), sum(bool(line.strip()) for line in chosen)


def giant_line(rng: random.Random) -> tuple[bytes, Rows]:
    """A line that no allowed text could make, before one that is in order."""
    return b'{"text": "' + b"x" * 5_000_000 + b'"}\n' + json.dumps({"text": program(rng)}).encode(), 2


def bomb(block: bytes) -> tuple[bytes, Rows]:
    """Half a gigabyte of spaces, of one text, or of rows, in half a megabyte."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as packed:
        for _ in range(64):
            packed.write(block)
    whole = stream.getvalue()
    return whole * 8, None


def posts(number: int, rng: random.Random) -> str:
    """A dump of a few posts."""
    rows = []
    for at in range(0, rng.randint(2, 40), 2):
        id, text = number * 1000 + at, program(rng).replace("\n", "&#10;")
        rows.append(
            f'<row Id="{id}" PostTypeId="1" Score="{at % 3}" Title="t{id}" Tags="&lt;python&gt;" Body="&lt;pre&gt;{text}" />'
        )
        rows.append(f'<row Id="{id + 1}" PostTypeId="2" ParentId="{id}" Score="{at % 4}" Body="&lt;p&gt;{text}" />')
    return '<?xml version="1.0" encoding="utf-8"?><posts>' + "\n".join(rows) + "</posts>"


def odd_xml(number: int, rng: random.Random) -> bytes:
    """A dump that is damaged, or something else."""
    text = posts(number, rng)
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    return rng.choice(
        [
            cut(rng, text.encode()),
            text.replace(rng.choice(' =<"rkx'), rng.choice('<>&"\0\ufffe'), rng.randint(1, 3)).encode(),
            f'<?xml version="1.0"?><!DOCTYPE posts [{laughs}]><posts><row Id="1" Body="&a11;"/></posts>'.encode(),
            b'<!DOCTYPE posts SYSTEM "file:///etc/passwd"><posts/>',
            text.encode("utf-16"),
            text.replace("utf-8", rng.choice(["utf-16", "latin-1", "none", "utf-7", "cp037"])).encode(),
            b"<posts>" * 50_000,
            b"<html><body>no</body></html>",
            b'<posts><row Id="1" ' + b"".join(b'a%d="x" ' % n for n in range(50_000)) + b"/></posts>",
            b'<posts><row Id="99999999999999999999" PostTypeId="1" Body=""/><row/><row Id="-1" PostTypeId="x"/></posts>',
        ]
    )


def odd_python(rng: random.Random) -> bytes:
    """Python that is damaged, deep, or in another encoding."""
    text, deep = program(rng), rng.choice([50, 5_000, 90_000])
    opened, closed = rng.choice(
        [("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("a.", ""), ("f(", ")"), ("{1:", "}")]
    )
    return rng.choice(
        [
            cut(rng, text.encode()),
            flipped(rng, text.encode()),
            text.encode("utf-16"),
            text.encode("utf-32"),
            b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
            b"# coding: latin-1\n# caf\xe9\n" + text.encode(),
            text.encode() + "größer".encode("cp037"),
            text.encode() + b"\0" * rng.randint(1, 5000),
            f"x = {opened * deep}1{closed * deep}\n{text}".encode(),
            "".join(f"{' ' * n}if x:\n" for n in range(300)).encode(),
            b"\n" * 100_000,
            b"x" * 1_000_001,
            rng.randbytes(rng.randint(1, 5000)),
        ]
    )


NAMES = [
    "%20%s.py",
    "a#b?c.py",
    "new\nline.py",
    "s p a c e.py",
    "st*r[x]{y}.py",
    "q'u\"o`te.py",
    "\u200b\U0001f600.py",
    "é" * 100 + ".py",
]


def special(path: Path, rng: random.Random) -> None:
    """Something under a name that promises a file."""
    ending = rng.choice(ENDINGS).replace("/", "-")
    path = path.with_name(path.name + rng.choice(["", "\n", os.fsdecode(b"\xff\xfe")]) + ending)
    kind = rng.choice(["loop", "dangling", "pipe", "socket", "long"])
    if kind == "loop":
        path.symlink_to(path)
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as unix:
            here = os.open(path.parent, os.O_RDONLY)  # a socket's path must be short
            unix.bind(f"/proc/self/fd/{here}/{path.name}")
            os.close(here)
    else:
        path.symlink_to("x" * 250)


Maker = Callable[[int, random.Random], tuple[str, bytes, Rows]]
MAKERS: dict[str, Maker] = {
    "python": lambda _, rng: (".py", program(rng).encode(), 1),
    "odd-python": lambda _, rng: (".py", odd_python(rng), 1),
    "name": lambda _, rng: (rng.choice(NAMES), program(rng).encode(), 1),
    "zero": lambda _, rng: (rng.choice(ENDINGS), b"", 1),
    "noise": lambda _, rng: (rng.choice(ENDINGS), rng.randbytes(rng.randint(1, 3000)), None),
    "cut-parquet": lambda _, rng: (".parquet", cut(rng, parquet(rng)), 1),
    "flipped-parquet": lambda _, rng: (".parquet", flipped(rng, parquet(rng)), None),
    "flipped-footer": lambda _, rng: (".parquet", flipped(rng, data := parquet(rng), max(0, len(data) - 2000)), None),
    "odd-parquet": lambda _, rng: (".parquet", *odd_parquet(rng)),
    "textless": lambda _, rng: (".parquet", parquet(rng, {"code": [1, 2]}), 1),
    "no-rows": lambda _, rng: (".parquet", parquet(rng, {"text": pa.array([], pa.string())}), 1),
    "json": lambda _, rng: (".jsonl", *json_lines(rng)),
    "utf16-json": lambda _, rng: (".jsonl", json_lines(rng)[0].decode("latin-1").encode("utf-16"), None),
    "gz": lambda _, rng: (".jsonl.gz", gzip.compress((made := json_lines(rng))[0], mtime=0), made[1]),
    "odd-gz": lambda _, rng: (
        ".jsonl.gz",
        rng.choice([cut, flipped])(rng, gzip.compress(json_lines(rng)[0], mtime=0)),
        None,
    ),
    "odd-zst": lambda _, rng: (
        ".jsonl.zst",
        rng.choice([cut, flipped])(rng, pa.compress(json_lines(rng)[0], "zstd", asbytes=True)),
        None,
    ),
    "posts": lambda n, rng: ("/Posts.xml", posts(n, rng).encode(), None),
    "odd-xml": lambda n, rng: ("/Posts.xml", odd_xml(n, rng), None),
}
RARE: dict[str, Maker] = {
    "giant": lambda _, rng: (".jsonl", *giant_line(rng)),
    "bomb-of-space": lambda *_: (".jsonl.gz", *bomb(b" " * (1 << 20))),
    "bomb-of-text": lambda *_: (".jsonl.gz", *bomb(b'{"text": "' + b"x" * (1 << 20))),
    "bomb-of-lines": lambda *_: (".jsonl.gz", *bomb(b'"\n' * (1 << 19))),
    "bomb-of-rows": lambda *_: (".jsonl.gz", *bomb(b"{}\n" * (1 << 18))),
}


def make(folder: Path, inputs: int, seed: int) -> dict[int, tuple[str, Rows]]:
    """Fill a folder; returns for each input its kind and how many rows it must make."""
    rng = random.Random(seed)
    made: dict[int, tuple[str, Rows]] = {}
    for number in range(inputs):
        kind = [*RARE][number // 100 % len(RARE)] if number % 100 == 99 else rng.choice([*MAKERS, "special"])
        path = folder / f"{number:04}-{kind}"
        if number % 20 == 0:  # no input: a folder is walked, whatever it is called
            (folder / f"{number:04}-folder{rng.choice(ENDINGS[:5])}").mkdir()
        if kind == "special":
            special(path, rng)
            made[number] = kind, 1
        else:
            ending, data, rows = (MAKERS | RARE)[kind](number, rng)
            if ending.startswith("/"):
                path.mkdir()
            Path(f"{path}{ending}").write_bytes(data)
            made[number] = kind, rows
    return made


def main(folder: str, out: str) -> None:
    """Curate the folder and print what came of it."""
    from hornbook.artifacts import Ledger
    from hornbook.corpus.curate import Curate, curate

    ledger = Ledger()
    curate(Curate(python=False, paths=[folder], workers=1), out=Path(out), ledger=ledger)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    counts = {"rows_in": ledger.rows_in, "rows_out": ledger.rows_out, "rejected": ledger.rejected}
    print(json.dumps({**counts, "peak_bytes": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
