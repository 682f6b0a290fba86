"""Facts outside a stage's config that shape its bytes, and so belong to its key: sources, packaged data, the device."""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from hornbook.artifacts import Store, digest_bytes, digest_file, digest_folder, digest_json, write_json
from hornbook.corpus.curate import Curate, facts, sources
from hornbook.errors import InfrastructureError, InputError
from hornbook.evaluation.target import HELD_OUT
from hornbook.extras import require
from hornbook.quality.embed import digest_of
from hornbook.synthesis.write import WriteExercises, WriteTextbooks
from hornbook.training.loop import device_of

Facts = Callable[[Any, Store], dict[str, str]]


def source_facts(config: Curate, store: Store) -> dict[str, str]:
    """Digest of every source's name, licence, metadata and bytes; the bytes memoised on (path, size, mtime_ns). Of a
    file in a store the bytes are not read: there the store's size and checksum, or else its time, stand for them."""
    memo_path = store.workdir / "sources.json"
    memo = read_memo(memo_path)
    fresh: dict[str, str] = {}
    rows = []
    for item in sources(config):
        about = [item.source, item.path, list(item.license), item.metadata]
        content = item.remote.mark if item.remote else remembered(Path(item.url), config.max_bytes, memo, fresh)
        rows.append([*about, content])
    if fresh.keys() - memo.keys() and store.workdir.is_dir():
        with contextlib.suppress(InfrastructureError):  # a memo saves time and nothing else
            write_json(memo_path, {**memo, **fresh})
    return {"sources": digest_json(rows), **facts()}


def read_memo(path: Path) -> dict[str, str]:
    """What earlier runs computed; nothing when the file is not there or torn."""
    try:
        memo = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return memo if isinstance(memo, dict) else {}


def remembered(path: Path, max_bytes: int, memo: dict[str, str], fresh: dict[str, str]) -> str:
    """A file's digest, from the memo while its size and time are the same. One that is refused by size is not read."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # a pipe would be waited for
            return "not a plain file"
        if about.st_size > max_bytes and path.suffix == ".py":
            return f"too large: {about.st_size}"
        name = f"{path}:{about.st_size}:{about.st_mtime_ns}".encode("utf-8", "backslashreplace").decode()
        fresh[name] = memo.get(name) or digest_file(path)
    except OSError as error:
        return f"unreadable: {error.errno}"
    return fresh[name]


def packaged_facts(*names: str) -> Facts:
    """Facts of a stage that reads files or folders shipped inside the package."""

    def digest(_config: Any, _store: Store) -> dict[str, str]:
        return {name: packaged_digest(name) for name in names}

    return digest


def embedder_facts(*names: str) -> Facts:
    """Facts of a stage that embeds: the packaged files `names`, or a model's digest and the device that rounds."""

    def facts_of(config: Any, store: Store) -> dict[str, str]:
        settings = config.embedder
        if settings.kind == "packaged":
            return packaged_facts(*names)(config, store)
        known = {"embedder": digest_of(settings)}
        if settings.kind == "model2vec":
            return known
        require("embed", "torch", "transformers")  # say so before anything is run; the device depends on torch
        return known | {"device": device_of(settings)}

    return facts_of


def written_facts(config: WriteTextbooks | WriteExercises, store: Store) -> dict[str, str]:
    """What writers read besides their config: the shelf, or a teacher's questions, topics and earlier rows."""
    if config.writer == "shelf":
        return packaged_facts("synthesis/shelf")(config, store)
    if config.writer == "procedural":
        return {}
    names = ("synthesis/llm/prompts.py", *(() if config.subjects.tree else ("synthesis/topics/packaged",)))
    own = [*([config.subjects.tree] if config.subjects.tree else []), *config.subjects.previous]
    return {name: packaged_digest(name) for name in names} | {name: digest_at(Path(name)) for name in own}


def annotation_facts(config: Any, store: Store) -> dict[str, str]:
    """What annotators read besides their config: the readings; a model its rubric, and what seeks its sample out."""
    names = ["teacher/readings.jsonl"]
    if config.teacher.provider != "readings":
        names += ["quality/rubrics.py", "quality/classifier.skops", "quality/meaning.npz"]
    return packaged_facts(*names)(config, store)


def digest_at(path: Path) -> str:
    """Digest of a file or folder that a person names; "absent" when it is not there."""
    path = path.expanduser()
    return digest_folder(path) if path.is_dir() else digest_file(path) if path.is_file() else "absent"


def packaged_digest(name: str) -> str:
    """Digest of a packaged file, or of a folder's names and bytes; "absent" when it is not there."""
    item = resources.files("hornbook").joinpath(name)
    if item.is_file():
        return digest_bytes(item.read_bytes())
    if not item.is_dir():
        return "absent"
    files = sorted((entry for entry in item.iterdir() if entry.is_file()), key=lambda entry: entry.name)
    return digest_json([[entry.name, digest_bytes(entry.read_bytes())] for entry in files])


def benchmark_facts(field: str) -> Facts:
    """Facts of a stage that reads the benchmarks named in a config field."""

    def digests(config: Any, _store: Store) -> dict[str, str]:
        return dict(benchmark_digests(getattr(config, field)))

    return digests


def examination_facts(config: Any, store: Store) -> dict[str, str]:
    """Facts of an examination: its benchmarks, and the device that rounds its arithmetic."""
    return {**benchmark_facts("benchmarks")(config, store), "device": device_of(config)}


def target_facts(config: Any, store: Store) -> dict[str, str]:  # noqa: ARG001
    """Facts of a student's measuring: the targets that are files, and the device that rounds its arithmetic."""
    return {**dict(benchmark_digests(name for name in config.targets if name != HELD_OUT)), "device": device_of(config)}


def benchmark_digests(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    """(name, digest of its file) for benchmarks by name or path."""
    from hornbook.tasks.load import locate

    for name in names:
        path = locate(name)
        if not path.exists():
            raise InputError(f"benchmark {name!r}: no such file as {path}")
        yield f"benchmark {name}", digest_file(path) if path.is_file() else digest_folder(path)
