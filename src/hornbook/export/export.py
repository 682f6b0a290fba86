"""The door of the export room: a dataset or model folder that others can use, trust and make again.

find → trace → gate (licences) → rows or weights → notices → replay bundle → card → manifest, then the folder appears
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import hornbook
from hornbook.artifacts import MANIFEST, digest_file, write_json
from hornbook.config import Config
from hornbook.errors import InfrastructureError, InputError, RequestError
from hornbook.export.bundle import write_bundle
from hornbook.export.card import write_dataset_card, write_model_card
from hornbook.export.evidence import contamination, stage_entry
from hornbook.export.find import MODEL, Found, find
from hornbook.export.gate import COLUMNS, PERMISSIVE, UNKNOWN, AllowList, Census, Gate, ancestors, batches
from hornbook.export.lineage import Link, trace
from hornbook.export.notice import write_notices
from hornbook.export.shards import WRITERS, Source
from hornbook.export.training import behind_data, lost_in, rows_trained_on
from hornbook.export.weights import about_model, copy_model


class Export(Config):
    """What may go out, and in which form.

    `allow`: SPDX ids, or `permissive`, which stands for many; nothing else goes out. `unknown`: what becomes of rows
    without a licence. `format`: Parquet with all columns, or the files that nanochat or axolotl read. `name`: the title
    of the card.

    >>> Export(allow=["permissive", "MPL-2.0"]).semantic()
    {'allow': ['permissive', 'MPL-2.0']}
    """

    allow: list[str] = [PERMISSIVE]
    unknown: Literal["refuse", "drop", "keep"] = "refuse"
    format: Literal["parquet", "nanochat", "axolotl"] = "parquet"
    name: str = ""


def export(config: Export, given: str, *, out: Path, workdir: Path, responses: Path | None = None) -> dict[str, Any]:
    """Write the dataset or model that `given` names to `out`; returns what `export --json` prints.

    `out` is new or empty, and appears only when it is whole. `responses`: the store of teachers' answers, where it is
    not the one that the stages noted. Raises RequestError, before anything is written, when a licence does not allow it
    or `given` is nothing to export; MissingResponse when the store lacks an answer.
    """
    found = find(given, workdir)
    if found.kind == MODEL and config.format != "parquet":
        raise RequestError(f"--format {config.format}: is for datasets, and {given} is a model; leave it out")
    check_place(out, found)
    made = trace(found.folder)
    gate, census = inspect(config, found, made)
    refuse(config, given, found, census)
    title = config.name or " ".join(dict.fromkeys(("hornbook", made.name or made.stage, found.kind)))
    with appearing(out) as folder:
        write_notices(census, folder)
        replayable = write_bundle(made, folder, responses)
        if found.kind == MODEL:
            copy_model(found.rows, folder)
            write_model_card(title, about_model(made), made, census, folder)
        else:
            source = Source(found.rows, found.kind, gate.passes, census.rows, scores_behind(found, made))
            configs = WRITERS[config.format](source, folder)
            write_dataset_card(title, found.kind, made, census, configs, folder)
        write_manifest(config, title, found, made, census, folder)
    about = {"kind": found.kind, "rows": census.rows, "dropped": census.dropped, "replayable": replayable}
    return {"out": str(out), "license": census.ids, "licenses": dict(sorted(census.licenses.items())), **about}


def inspect(config: Export, found: Found, made: Link) -> tuple[Gate, Census]:
    """Count what would go out, by licence; the texts are not read."""
    model = found.kind == MODEL
    wanted = {parent for row in rows_of(found, made, ("id", "parents")) for parent in row.get("parents") or ()}
    drop = config.unknown == "drop" and not model
    gate = Gate(AllowList.of(config.allow), drop, ancestors(made.behind(), wanted) if wanted else {})
    census = Census(lost=lost_in(made) if model else [])
    for row in rows_of(found, made):
        gate.count(census, row)
    return gate, census


def rows_of(found: Found, made: Link, columns: Sequence[str] = COLUMNS) -> Iterator[dict[str, Any]]:
    """The rows that licences are counted of: those of the dataset, or those that the model was trained on."""
    if found.kind == MODEL:
        yield from rows_trained_on(made, columns)
    else:
        for batch in batches(found.rows, columns):
            yield from batch.to_pylist()


def refuse(config: Export, given: str, found: Found, census: Census) -> None:
    """Raise RequestError when the census holds what may not go out, with counts and the ways to proceed."""
    if not census.rows and not census.lost:
        left = f"all {census.dropped:,} rows are of unknown licence" if census.dropped else "it holds no rows"
        raise RequestError(f"{given}: nothing to export, {left}")
    keep = config.unknown == "keep"
    stopped, unknown = (census.refused_rows, 0) if keep else (census.stopped, census.unknown)
    counts = [f"{rows:,} {name}" for name, rows in census.refused.most_common()]
    counts += [f"{unknown:,} {UNKNOWN}"] if unknown else []
    what = "documents that it was trained on" if found.kind == MODEL else "rows"
    faults = [f"the licences of {stopped:,} of {census.rows:,} {what} do not allow it: {', '.join(counts)}"] * bool(
        counts
    )
    faults += [f"{name} cannot be read any more, so its licences are unknown" for name in census.lost if not keep]
    if faults:
        raise RequestError("; ".join([f"{given}: {faults[0]}", *faults[1:], *ways(config, found, census)]))


def ways(config: Export, found: Found, census: Census) -> Iterator[str]:
    """What a person can do about a refusal."""
    if census.refused:
        yield f"--allow {','.join([*config.allow, *sorted(census.refused)])} lets these licences out"
    if config.unknown == "keep" or not (census.unknown or census.lost):
        return
    if found.kind == MODEL:
        yield "--unknown keep lets unknown ones out; a model forgets nothing, so to drop them train it again"
    else:
        yield "--unknown drop leaves unknown ones out, --unknown keep takes them along"


def scores_behind(found: Found, made: Link) -> Path | None:
    """The scores of documents, where a stage behind them gave any."""
    scored = [link.folder / "scores" for link in made.behind() if link.stage == "score"]
    return scored[-1] if scored and found.kind == "documents" else None


def write_manifest(config: Export, title: str, found: Found, made: Link, census: Census, folder: Path) -> None:
    """manifest.json: what was exported, from what, and the digest of every file. No time and no place."""
    files = {
        path.relative_to(folder).as_posix(): digest_file(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    behind = made.behind()
    counts = {"rows": census.rows, "dropped": census.dropped, UNKNOWN: census.unknown, "lost": made.lost()}
    about = {
        "hornbook": hornbook.__version__,
        "title": title,
        "kind": found.kind,
        "export": config.model_dump(mode="json"),
        "stages": [stage_entry(link) for link in behind],
        "contamination": contamination(behind_data(made) if found.kind == MODEL else behind),
    }
    write_json(folder / MANIFEST, about | counts | {"license": census.ids, "files": files})


def check_place(out: Path, found: Found) -> None:
    """Refuse a folder that holds something, or stands within what is exported."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RequestError(f"--out {out}: is there already and not empty; name a new folder")
    if out.resolve().is_relative_to(found.folder.resolve()):
        raise InputError(f"--out {out}: stands within what is exported; name a folder elsewhere")


@contextlib.contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name when all went well; what a killed try left is removed first."""
    beside = out.absolute().with_name(f".{out.absolute().name}.part")
    try:
        if beside.exists():
            shutil.rmtree(beside)
        beside.mkdir(parents=True)
    except OSError as error:
        raise RequestError(f"--out {out}: {error.strerror}; name a folder that can be made") from None
    try:
        yield beside
        os.replace(beside, out)
    except OSError as error:
        raise InfrastructureError(
            f"--out {out}: {error.strerror or error}; free space or choose another place"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
