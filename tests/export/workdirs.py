"""Workdirs made by hand: artifacts with true digests, and the run that they belong to. Measured by nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from hornbook.artifacts import digest_json, digests_of, write_json
from hornbook.records import Document, Exercise, Provenance, Record, Rejected, write_dataset

FIGURES = {"versions": {"hornbook": "0.1.0", "python": "3.11.7"}, "canaries": [], "rejected": {}, "figures": {}}


class Workdir:
    """Artifacts are added in the order in which a run would make them."""

    def __init__(self, root: Path) -> None:
        self.root, self.stages = root, list[dict[str, Any]]()

    def add(
        self,
        node: str,
        datasets: Mapping[str, Iterable[Record]] = {},
        inputs: Mapping[str, str] = {},
        make: Callable[[Path], None] | None = None,
        **manifest: Any,
    ) -> Path:
        """Write one artifact. `inputs`: parameter → `stage-name`, or `stage-name/folder`, of one that was added."""
        stage, _, name = node.partition("-")
        key = digest_json([node, manifest])
        folder = self.root / "artifacts" / f"{node}-{key[:8]}"
        folder.mkdir(parents=True)
        for inner, rows in datasets.items():
            found = list(rows)
            write_dataset(folder / inner, found, type(found[0]) if found else Rejected)
        if make:
            make(folder)
        given = {parameter: {"node": of, "digest": self.digest(of)} for parameter, of in inputs.items()}
        about = FIGURES | {"stage": stage, "name": name, "key": key, "version": 1, "config": {}, "inputs": given}
        write_json(folder / "manifest.json", about | digests_of(folder) | manifest)
        path = folder.relative_to(self.root).as_posix()
        self.stages.append({"stage": stage, "name": name, "key": key, "folder": path, "cached": False})
        return folder

    def folder(self, node: str) -> Path:
        """The artifact of `stage-name`."""
        (found,) = self.root.glob(f"artifacts/{node}-????????")
        return found

    def digest(self, given: str) -> str:
        """The digest of an artifact or of a folder in it."""
        owner, _, inside = given.partition("/")
        about = json.loads((self.folder(owner) / "manifest.json").read_text())
        return str(about["folders"][inside] if inside else about["digest"])

    def finish(self, recipe: str = "small", **resolved: Any) -> None:
        """Write the run's summary."""
        folder = self.root / "runs" / recipe
        folder.mkdir(parents=True, exist_ok=True)
        about = {
            "recipe": recipe,
            "seed": 0,
            "hornbook": "0.1.0",
            "finished": True,
            "resolved": {"recipe": recipe} | resolved,
        }
        write_json(folder / "run.json", about | {"stages": self.stages})


def document(
    name: str, *license: str, source: str = "lib", parents: Iterable[str] = (), version: str = "1.0"
) -> Document:
    """A document whose text tells its name."""
    about = json.dumps({"version": version})
    return Document(name, f"# {name}\nx = 1\n", source, f"{name}.py", list(license), list(parents), about)


def exercise(name: str, *license: str, parents: Iterable[str] = (), **made: Any) -> Exercise:
    """An exercise of two lines."""
    prompt = f'def {name}(x):\n    """Return x."""\n'
    provenance = Provenance(**{"writer": "procedural", **made})
    return Exercise(name, name, prompt, "    return x\n", "def check(f): assert f(1) == 1\n", "t", list(license), list(parents), provenance, True)  # fmt: skip


def corpus(root: Path, rows: Iterable[Document], recipe: str = "small", **resolved: Any) -> Workdir:
    """Curated, decontaminated and selected documents, all of them kept at every step, with their scores."""
    made, rows = Workdir(root), list(rows)
    made.add("curate-corpus", {"documents": rows}, rows_in=len(rows) + 3, rows_out=len(rows), rejected={"empty": 2, "generated": 1}, config={"paths": ["/home/me/code/**/*.py"], "python": False})  # fmt: skip
    canaries = [
        {"name": "13 words", "threshold": 13, "expected": True, "caught": True},
        {"name": "12 words", "threshold": 13, "expected": False, "caught": False},
        {"name": "numbers", "threshold": 13, "expected": False, "caught": False},
    ]
    checked = {"against": ["unconventional", "/home/me/mine.jsonl"], "ngram": 13, "syntax_threshold": None}
    hits = {"ngram HumanEval/3": 4, "ngram HumanEval/12": 1}
    clean = {"rows": "curate-corpus/documents"}
    made.add("decontaminate-corpus", {"documents": rows}, clean, config=checked, rows_in=len(rows) + 5, rows_out=len(rows), rejected={"ngram": 5}, figures={"hits": hits, "items": 164}, canaries=canaries)  # fmt: skip

    def scores(folder: Path) -> None:
        import pyarrow as pa

        from hornbook.records import write_table

        ids = sorted(row.id for row in rows)
        write_table(folder / "scores", pa.table({"id": ids, "score": [float(n % 5) for n in range(len(ids))]}))

    made.add(
        "score-corpus", {}, {"documents": "curate-corpus/documents"}, scores, rows_in=len(rows), rows_out=len(rows)
    )
    both = {"documents": "decontaminate-corpus/documents", "scores": "score-corpus/scores"}
    made.add("select-filtered", {"documents": rows}, both, rows_in=len(rows), rows_out=len(rows))
    made.finish(recipe, **{"curate": {"paths": ["/home/me/code/**/*.py"], "python": False}, **resolved})
    return made
