"""One stage on a person's own files: the same function and config class that a recipe uses, into a folder they name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from hornbook.artifacts import MANIFEST, Ledger, digest_file, digest_folder, read_json, write_json
from hornbook.config import Config
from hornbook.errors import HornbookError, InfrastructureError, RequestError
from hornbook.measure import Gauge, versions

C = TypeVar("C", bound=Config)

REQUEST = "request.json"  # stands in a folder while its work is unfinished


def configure(kind: type[C], named: Mapping[str, str] = {}, /, **values: Any) -> C:
    """A config from command-line options. Raises RequestError naming the option that does not fit.

    `named`: field → option, where they differ.
    """
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(part for part in first["loc"] if isinstance(part, str))
        option = "--" + named.get(field, field).replace("_", "-")
        raise RequestError(f"{option} {first['input']!r}: {first['msg'].removeprefix('Value error, ')}") from None


def digest_of(given: Any) -> Any:
    """What an input is known by: the bytes of a file or folder, else its text; several by name."""
    if isinstance(given, Mapping):
        return {name: digest_of(item) for name, item in given.items()}
    if isinstance(given, Path) and given.exists():
        return digest_folder(given) if given.is_dir() else digest_file(given)
    return str(given)


def name_of(stage: Callable[..., None]) -> str:
    """The name of a stage's function, whatever is bound to it."""
    function = stage.func if isinstance(stage, partial) else stage
    return str(getattr(function, "__name__", "stage")).removesuffix("_alone")


def inputs_of(
    given: Mapping[str, Any], digests: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, dict[str, str]]]:
    """The files and folders among a stage's inputs, `group.member` by name, with their places and digests.

    The places stand in the manifest of a folder on this machine, so that what is behind it can be found again.
    """
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from inputs_of(value, digests[name], f"{prefix}{name}.")
        elif isinstance(value, Path) and value.exists():
            yield prefix + name, {"path": str(value.resolve()), "digest": digests[name]}


def run_alone(stage: Callable[..., None], config: Config, out: Path, **inputs: Any) -> Ledger:
    """Run a stage into `out` and write its manifest there.

    `out` is new, empty, or what a killed try of this very request left, which goes on from there. Raises RequestError
    when it holds anything else or cannot be made.
    """
    request = {"config": config.semantic(), "inputs": {name: digest_of(given) for name, given in inputs.items()}}
    try:
        out.mkdir(parents=True, exist_ok=True)
        ours = (out / REQUEST).exists() and read_json(out / REQUEST) == request and not (out / MANIFEST).exists()
        if any(out.iterdir()) and not ours:
            unfinished = ", it holds unfinished work on another request" if (out / REQUEST).exists() else ""
            raise RequestError(f"--out {out}: the folder is not empty{unfinished}; name a new one")
        write_json(out / REQUEST, request)
    except OSError as error:
        raise RequestError(f"--out {out}: {error.strerror}") from None
    ledger = Ledger()
    try:
        with Gauge() as gauge:
            stage(config, out=out, ledger=ledger, **inputs)
    except HornbookError:
        if [path.name for path in out.iterdir()] == [REQUEST]:  # nothing was done: leave the folder as it was
            (out / REQUEST).unlink()
        raise
    except OSError as error:
        raise InfrastructureError(f"{error.filename or out}: {error.strerror or error}") from error
    rejected = dict(sorted(ledger.rejected.items()))
    ledger.note_asked(out)
    manifest = {"config": json.loads(config.model_dump_json()), "rejected": rejected, **gauge.figures()}
    manifest |= {"stage": name_of(stage), "inputs": dict(inputs_of(inputs, request["inputs"])), "versions": versions()}
    if isinstance(stage, partial) and "responses" in stage.keywords:
        manifest["responses"] = str(Path(stage.keywords["responses"]).resolve())
    counts = {"rows_in": ledger.rows_in, "rows_out": ledger.rows_out, "figures": ledger.figures}
    costs = {"tokens": ledger.tokens, "dollars": ledger.dollars}
    write_json(out / MANIFEST, {**manifest, **counts, **costs, "canaries": ledger.canaries})
    (out / REQUEST).unlink()
    return ledger
