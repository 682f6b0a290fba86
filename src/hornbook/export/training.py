"""What a model was trained on: every row that its packs hold, and those of the model it went on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hornbook.export.gate import batches
from hornbook.export.lineage import Given, Link
from hornbook.records import dataset_in, read_table

GROUP = "datasets."


@dataclass(frozen=True)
class Part:
    """A dataset of a mixture. `ids`: the rows that were trained on; None where no index says so, which means all."""

    name: str
    given: Given
    ids: frozenset[str] | None
    figures: Mapping[str, Any]


def mixtures(model: Link) -> list[tuple[Link, list[Part]]]:
    """Each training behind a model, the first one first, with the parts of its mixture."""
    base = model.inputs.get("base")
    before = mixtures(base.link) if base and base.link else []
    return [*before, (model, parts_of(model))]


def parts_of(model: Link) -> list[Part]:
    """The parts of one training: of its pack, or of the files that a command was given."""
    given = model.inputs.get("pack")
    if given is None:
        return [Part(name.removeprefix(GROUP), of, None, {}) for name, of in sorted(datasets(model))]
    if given.link is None or given.path is None:
        return [Part(given.name, given, None, {})]
    index = read_table(given.path / "index.parquet", ["id", "part"])
    found = []
    for name, of in sorted(datasets(given.link)):
        part = name.removeprefix(GROUP)
        ids = index.filter(pc.equal(index["part"], part))["id"].to_pylist()
        found.append(Part(part, of, frozenset(ids), given.link.figures.get(part) or {}))
    return found


def behind_data(model: Link) -> list[Link]:
    """The stages behind the rows that a model was trained on, and its trainings; not those behind its tokenizer."""
    found: dict[Path, Link] = {}
    for training, mixture in mixtures(model):
        packed = [given.link for name, given in training.inputs.items() if name == "pack" and given.link]
        makers = [link for part in mixture if part.given.link for link in part.given.link.behind()]
        found |= {link.folder: link for link in [*makers, *packed, training] if link.folder not in found}
    return list(found.values())


def datasets(link: Link) -> list[tuple[str, Given]]:
    """The datasets among a stage's inputs."""
    return [(name, given) for name, given in link.inputs.items() if name.startswith(GROUP)]


def lost_in(model: Link) -> list[str]:
    """What of a model's training data cannot be read any more, and a base that hornbook did not train."""
    found = []
    for training, mixture in mixtures(model):
        found += [part.name for part in mixture if part.given.path is None] or ([] if mixture else ["training data"])
        base = training.inputs.get("base")
        found += [f"base model {base.name}"] if base and base.link is None else []
    return sorted(set(found))


def rows_trained_on(model: Link, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows that a model was trained on, each once for every dataset that has it; of `columns` what is there."""
    wanted: dict[Path, frozenset[str] | None] = {}
    for _, mixture in mixtures(model):
        for part in mixture:
            if part.given.path is not None:
                known = wanted.get(part.given.path, frozenset())
                wanted[part.given.path] = None if part.ids is None or known is None else known | part.ids
    for path, ids in wanted.items():
        names = None if ids is None else pa.array(sorted(ids), pa.string())
        for batch in batches(dataset_in(path), columns):
            chosen = batch if names is None else batch.filter(pc.is_in(batch["id"].cast(pa.string()), value_set=names))
            yield from chosen.to_pylist()
