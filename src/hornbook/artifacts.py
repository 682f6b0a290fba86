"""The store: atomic folders, manifests and keys.

    <workdir>/artifacts/<stage>-<name>-<key8>/   finished; true exactly when its manifest.json exists
    <workdir>/work/<stage>-<name>-<key8>/        unfinished work, found again by the next run
    <workdir>/responses/                         what teachers answered; outlives every artifact
    <workdir>/runs/<recipe>/                     which artifacts a run is made of, and its report

The key of an artifact is the hash of its stage, the stage's version, its semantic config and the *content digests* of
its inputs: an upstream change that leaves the bytes alike re-does nothing downstream. Every file of an artifact belongs
to its digest except manifest.json and timings.jsonl, the two places where times may stand, isolation.json, which tells
how the machine contained the programs that were judged, and asked.txt, which names the answers that a teacher gave.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.config import Config
from hornbook.errors import CanaryError, InfrastructureError, InputError, RequestError

MANIFEST = "manifest.json"
ISOLATION = "isolation.json"  # the level at which programs ran, and its probes: a fact of the machine
ASKED = "asked.txt"  # the keys of the requests that a stage put to its teacher, for whoever bundles the answers
OUTSIDE_DIGEST = frozenset({MANIFEST, "timings.jsonl", ISOLATION, ASKED})


@dataclass
class Ledger:
    """What a stage did, for its manifest: rows in and out, rejects by reason, canaries, figures.

    `figures` holds measured results (agreement, loss, tokens); it must not hold times or paths. `asked`: keys of the
    requests to a teacher.
    """

    rows_in: int = 0
    rows_out: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    canaries: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    tokens: int = 0
    dollars: float = 0.0
    asked: set[str] = field(default_factory=set)

    def note_asked(self, out: Path) -> None:
        """Write down, beside the rows, which requests were put to a teacher; nothing when none were."""
        if self.asked:
            (out / ASKED).write_text("".join(f"{key}\n" for key in sorted(self.asked)), "ascii")

    def canary(self, name: str, *, threshold: float | str, expected: bool, caught: bool) -> None:
        """Record a planted row: was it caught, and should it have been?

        Plant one just above and one just below every configured threshold. Raises CanaryError when `caught` differs
        from `expected`, since then the threshold is not what decides.
        """
        self.canaries.append({"name": name, "threshold": threshold, "expected": expected, "caught": caught})
        if caught != expected:
            raise CanaryError(
                f"planted row {name!r} at threshold {threshold} was {'caught' if caught else 'missed'} and should have "
                f"been {'caught' if expected else 'let through'}; the stage does not apply its own setting"
            )


@dataclass(frozen=True)
class Node:
    """One artifact to be: a stage under a name, its config, and the nodes whose folders it reads."""

    stage: str
    name: str
    version: int
    config: Config
    inputs: Mapping[str, str] = field(default_factory=dict)  # parameter → id of the node that fills it
    facts: Mapping[str, str] = field(default_factory=dict)  # facts outside the config that shape the bytes

    @property
    def id(self) -> str:
        """`stage-name`, unique within a recipe."""
        return f"{self.stage}-{self.name}"


def digest_bytes(data: bytes) -> str:
    """sha256 of the data, in hex."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: Any) -> str:
    """sha256 of JSON data in canonical form (sorted keys, no spaces)."""
    return digest_bytes(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def digest_file(path: Path) -> str:
    """sha256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_folder(folder: Path) -> str:
    """Digest of the relative paths and bytes of a folder's files, what tells of one machine left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in OUTSIDE_DIGEST)
    return digest_json([[path.relative_to(folder).as_posix(), digest_file(path)] for path in files])


def digests_of(folder: Path) -> dict[str, Any]:
    """`digest` of an artifact, and `folders`: those of the folders in it, since a consumer may read only one."""
    inner = sorted(path for path in folder.iterdir() if path.is_dir())
    return {"digest": digest_folder(folder), "folders": {path.name: digest_folder(path) for path in inner}}


def key_of(node: Node, digests: Mapping[str, str]) -> str:
    """The key of a node, from the content digests of its inputs (parameter → digest)."""
    return digest_json(
        {
            "stage": node.stage,
            "version": node.version,
            "config": node.config.semantic(),
            "inputs": dict(digests),
            "facts": dict(node.facts),
        }
    )


class Store:
    """The folders under one workdir. Raises RequestError when the workdir cannot be written."""

    def __init__(self, workdir: Path) -> None:
        self.workdir = workdir
        self.artifacts = workdir / "artifacts"
        self.work = workdir / "work"
        self.responses = workdir / "responses"
        self.runs = workdir / "runs"

    def prepare(self) -> None:
        """Make the folders."""
        try:
            for folder in (self.artifacts, self.work, self.responses, self.runs):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.workdir / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise RequestError(f"workdir {self.workdir}: {error.strerror}; choose another with --workdir DIR") from None

    def folder(self, node: Node, key: str) -> Path:
        """Where the finished artifact stands."""
        return self.artifacts / f"{node.id}-{key[:8]}"

    def unfinished(self, node: Node, key: str) -> Path:
        """Where its unfinished work stands."""
        return self.work / f"{node.id}-{key[:8]}"

    def manifest(self, node: Node, key: str) -> dict[str, Any] | None:
        """The manifest, or None when the artifact is not done (no manifest, or a torn, foreign or outdated one)."""
        manifest = read_manifest(self.folder(node, key), key)
        return manifest if manifest and manifest.keys() >= {"digest", "folders"} else None

    def commit(self, node: Node, key: str, manifest: dict[str, Any]) -> Path:
        """Turn the unfinished folder into the artifact: move it, then write the manifest last.

        A crash between the two leaves a folder without manifest, which counts as not done and is redone.
        """
        made, folder = self.unfinished(node, key), self.folder(node, key)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(made, folder)
        write_json(folder / MANIFEST, manifest)
        return folder

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep two runs apart. The kernel lets go of the lock when the process ends, however it ends.

        Raises RequestError naming the process that holds it.
        """
        path = self.workdir / "lock"
        try:
            stream = path.open("a+")
        except OSError as error:
            raise RequestError(f"workdir {self.workdir}: {error.strerror}; choose another with --workdir DIR") from None
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stream.seek(0)
                holder = stream.read().strip() or "unknown"
                raise RequestError(
                    f"workdir {self.workdir} is in use by another run (process {holder}); "
                    "wait for it, or choose another with --workdir DIR"
                ) from None
            stream.truncate(0)
            stream.write(str(os.getpid()))
            stream.flush()
            yield


def read_manifest(folder: Path, key: str | None = None) -> dict[str, Any] | None:
    """A folder's manifest; None when absent, torn, or (given `key`) made under another key."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or (key is not None and manifest.get("key") != key):
        return None
    return manifest


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the whole file or none: beside it first, then renamed."""
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise InfrastructureError(
            f"{path}: {error.strerror}; free space or choose another --workdir, then rerun"
        ) from None


def read_json(path: Path) -> Any:
    """Read a JSON file; raises InputError naming the file."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None


def append_jsonl(path: Path, row: Mapping[str, Any]) -> None:
    """Append one JSON line."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n")


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file. Raises InputError with file and line for a line that is not an object."""
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise InputError(f"{path}:{number}: expected a JSON object, found {type(row).__name__}")
                    yield row
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: not JSON lines in UTF-8 ({error})") from None
