"""The replay bundle: a recipe, the answers of teachers that it needs, and what should come out.

Nothing in it names a place on the machine that exported: a person's own files are called `inputs/…`, known by digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from hornbook.artifacts import ASKED, digests_of, write_json
from hornbook.corpus.sources import fixed_part
from hornbook.errors import InputError, MissingResponse
from hornbook.export.lineage import Link, runs_with
from hornbook.teacher.ask import Request
from hornbook.teacher.store import FILE, VERSION, ResponseStore
from hornbook.teacher.structure import mended

RECIPE, RESPONSES, EXPECTED = "recipe.yaml", "responses", "expected.json"
SECTIONS = {"curate": "curate", "write_textbooks": "textbooks", "write_exercises": "exercises"}
PRIVATE = frozenset({"url", "unsafe"})  # an address, and a leave given on one machine
RAW = ("id", "choices", "usage")  # what of a raw answer a replay reads; servers add paths and times of theirs
OWN = re.compile(r"^(?:~|/|file://|[A-Za-z]:[\\/])")  # a path that only this machine has
DRIVE = re.compile(r"^[A-Za-z]:")
HOME = re.compile(r"^(?:~[^/]*|/home/[^/]+|/Users/[^/]+|/root)(?:/|$)")


def write_bundle(made: Link, out: Path, responses: Path | None) -> bool:
    """Write what it takes to make the data again; returns whether a recipe can.

    Raises MissingResponse when the store lacks an answer, InputError when a stage did not note which ones it read.
    """
    behind = made.behind()
    count = write_responses(behind, out, responses)
    recipe = recipe_of(made)
    if recipe is None:
        return False
    recipe.pop("responses", None)
    recipe |= {"responses": RESPONSES} if count else {}
    (out / RECIPE).write_text(yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True, width=100), "utf-8")
    write_json(out / EXPECTED, {link.id if link.name else recipe["only"][0]: digests(link) for link in behind})
    return True


def digests(link: Link) -> dict[str, Any]:
    """What a stage made, by content: as a run's manifest has it, else computed."""
    about = link.manifest if "digest" in link.manifest else digests_of(link.folder)
    return {"digest": about["digest"], "folders": about["folders"]}


def recipe_of(made: Link) -> dict[str, Any] | None:
    """A recipe that makes this artifact and what it needs, nothing else; None when no recipe can."""
    found: dict[str, Any] | None = None
    if "key" in made.manifest:
        for run in runs_with(made):
            found = {**run.resolved, **against(made), "only": [made.id]}
    elif made.stage in SECTIONS and not made.inputs:
        section = SECTIONS[made.stage]
        only = f"{made.stage}-{'corpus' if section == 'curate' else section}"
        empty = {"mixtures": {}, "models": {}, "pretrain": {"tokens": 1}}
        found = {"recipe": section, "only": [only], section: made.manifest["config"], **empty}
    return found and dict(replayed(without_places(found)))


def against(made: Link) -> dict[str, Any]:
    """The benchmarks that rows were really held against: those at hand joined the recipe's own."""
    configs = [link.manifest["config"] for link in made.behind() if link.stage == "decontaminate"]
    return {"decontaminate": configs[0]} if configs else {}


def replayed(recipe: Any) -> Any:
    """The same with the store of answers in every endpoint's place."""
    if isinstance(recipe, dict):
        found = {key: replayed(value) for key, value in recipe.items()}
        return found | {"provider": "replay"} if found.get("provider") == "endpoint" else found
    return [replayed(item) for item in recipe] if isinstance(recipe, list) else recipe


def without_places(value: Any) -> Any:
    """Plain data without addresses, and with the person's own paths below `inputs/`."""
    if isinstance(value, Mapping):
        return {without_places(key): without_places(item) for key, item in value.items() if key not in PRIVATE}
    if isinstance(value, (list, tuple)):
        return [without_places(item) for item in value]
    if isinstance(value, str):
        prefix, place = ("benchmark ", value[10:]) if value.startswith("benchmark ") else ("", value)
        return prefix + (shown(place) if OWN.match(place) else place)
    return value


def shown(place: str) -> str:
    """A path with only what names it: the file and the folder it stands in, the folder, or the glob and its folder.

    >>> shown("/home/me/code/**/*.py"), shown("~/rows.jsonl"), shown("/data/web/code")
    ('inputs/code/**/*.py', 'inputs/rows.jsonl', 'inputs/code')
    """
    path = HOME.sub("/", DRIVE.sub("", place.removeprefix("file://")).replace("\\", "/"))
    folder = Path(place).is_dir() or not Path(path).suffix
    fixed = path if folder and not any(mark in path for mark in "*?[") else fixed_part(path)
    above = len(Path(fixed).parts) - 1
    return "/".join(["inputs", *(part for part in Path(path).parts[max(0, above) :] if part != "/")])


def write_responses(behind: Sequence[Link], out: Path, responses: Path | None) -> int:
    """Copy the answers that the stages read, and only those, without the questions; returns how many."""
    wanted = sorted({key for link in behind for key in asked_by(link)})
    if not wanted:
        return 0
    places = [responses] if responses else sorted({place for link in behind if (place := store_of(link)) is not None})
    stores = [ResponseStore(place) for place in places if (place / FILE).is_file()]
    rows = {key: rows for key in wanted if (rows := list(rows_for(key, stores)))}
    if lacking := [key for key in wanted if key not in rows]:
        where = ", ".join(map(str, places)) or "no store"
        raise MissingResponse(
            f"{where}: lacks {len(lacking):,} of the {len(wanted):,} answers that this was made with "
            f"(the first is {lacking[0][:12]}); name the store that holds them with --responses DIR"
        )
    (out / RESPONSES).mkdir()
    lines = sorted({json.dumps(row, sort_keys=True) for found in rows.values() for row in found})
    (out / RESPONSES / FILE).write_text("".join(line + "\n" for line in lines), "ascii")
    return len(lines)


def asked_by(link: Link) -> list[str]:
    """The keys of the requests that a stage put to its teacher."""
    path = link.folder / ASKED
    if path.exists():
        return path.read_text("ascii").split()
    if link.figures.get("teacher"):
        raise InputError(
            f"{link.id}: an earlier hornbook made it and did not note which answers it read; remove {link.folder} and "
            "run again: the answers are stored, so nothing is asked anew"
        )
    return []


def store_of(link: Link) -> Path | None:
    """The store that a stage's answers stand in."""
    if not (link.folder / ASKED).exists():
        return None
    named = link.manifest.get("responses")
    return Path(named) if named else link.folder.parent.parent / RESPONSES


def rows_for(key: str, stores: Sequence[ResponseStore]) -> Iterator[dict[str, Any]]:
    """What the first store that knows a request says to it: its answer, with the one that mended it; or why none."""
    for store in stores:
        if (row := store.row(key)) is not None:
            yield bare(key, row)
            if (repair := repair_of(row)) is not None:
                yield from rows_for(repair, [store])
            return
        if (reason := store.unanswered(key)) is not None:
            yield {"v": VERSION, "key": key, "unanswered": reason}
            return


def bare(key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored answer without its question, which may quote documents that do not go out."""
    raw = {name: row["response"][name] for name in RAW if name in row["response"]}
    return {"v": VERSION, "key": key, "response": raw} | ({"mode": row["mode"]} if row.get("mode") == "batch" else {})


def repair_of(row: Mapping[str, Any]) -> str | None:
    """The key of the request that an unusable answer was worth; None where it was usable, or an old row cannot say."""
    if "request" not in row:
        return None
    asked = row["request"]
    request = Request(**asked | {"messages": tuple(tuple(pair) for pair in asked["messages"])})
    repair = mended(request, row["response"])
    return repair.key if repair else None
