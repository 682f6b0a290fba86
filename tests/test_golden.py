"""The bytes of each data stage on a small fixed input. They change only together with the stage's version.

    python tests/test_golden.py --write        after raising a version

Parquet is digested by schema and rows, so that a newer pyarrow, which signs its files, changes nothing.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.artifacts import Ledger, digest_file, digest_json
from hornbook.config import Config
from hornbook.corpus.curate import Curate
from hornbook.decontamination.decontaminate import Decontaminate
from hornbook.decontamination.hold_out import HoldOut
from hornbook.pipeline import STAGES
from hornbook.quality.annotate import Annotate, request_for
from hornbook.quality.select import Select
from hornbook.records import Document, Exercise, read_dataset, write_table
from hornbook.synthesis.write import WriteExercises, WriteTextbooks
from hornbook.teacher.ask import Teacher, open_store
from hornbook.tokens.pack import Pack
from hornbook.tokens.tokenizer import TrainTokenizer
from runs import write_sources

GOLDEN = Path(__file__).with_name("golden.json")
NAMES = (
    "curate",
    "annotate",
    "select",
    "hold_out",
    "write_textbooks",
    "write_exercises",
    "decontaminate",
    "train_tokenizer",
    "pack",
)
READER = Teacher(provider="replay", model="golden")


@dataclass(frozen=True)
class Maker:
    """Runs stages one after another below one folder, and digests what they make."""

    root: Path

    def make(self, name: str, config: Config, **inputs: Any) -> Path:
        """The artifact of a stage."""
        out = self.root / name
        out.mkdir()
        if STAGES[name].asks:
            inputs["responses"] = self.root / "responses"
        STAGES[name].load()(config, out=out, ledger=Ledger(), **inputs)
        return out


def all_stages(root: Path) -> Iterator[tuple[str, str]]:
    """(stage, digest of what it makes of the fixed input)."""
    maker = Maker(root)
    curated = maker.make("curate", Curate(python=False, paths=[str(sources(root / "golden"))], workers=1))
    documents = curated / "documents"
    answer(documents, root / "responses")
    maker.make("annotate", Annotate(teacher=READER, n=4, seed=1, sought=0), documents=documents)
    maker.make("select", Select(share=0.5), documents=documents, scores=scores(documents, root / "scores"))
    held = HoldOut(share=0.5, best=0.5)
    maker.make("hold_out", held, documents=documents, scores=root / "scores")
    textbooks = maker.make("write_textbooks", WriteTextbooks(n=2))
    drills = maker.make(
        "write_exercises", WriteExercises(n=30, held_out=6, seed=1, families=["fold_list", "running"], breadth="basic")
    )
    copied = problem_file(drills / "exercises", root / "exam.jsonl")
    maker.make(
        "decontaminate",
        Decontaminate(against=[str(copied)], syntax_threshold=0.95),
        rows=drills / "exercises",
        siblings=drills / "held_out",
    )
    datasets = {"corpus": curated, "textbooks": textbooks}
    tokenizer = maker.make("train_tokenizer", TrainTokenizer(vocab_size=400, characters=3000), datasets=datasets)
    weights = {"corpus": 2.0, "textbooks": 1.0}
    maker.make("pack", Pack(weights=weights, tokens=3000, context=64, seed=1), datasets=datasets, tokenizer=tokenizer)
    for name in NAMES:
        yield name, digest(root / name)


def sources(folder: Path) -> Path:
    """Python files: six that are kept, a copy, a near copy, and one for each of four cleaning rules."""
    write_sources(folder, 6)
    apple = (folder / "apple.py").read_text("utf-8")
    (folder / "copy.py").write_text(apple, "utf-8")
    (folder / "near.py").write_text(apple + "# one more line\n", "utf-8")
    (folder / "short.py").write_text("x = 1\n", "utf-8")
    (folder / "nul.py").write_bytes(apple.encode() + b"\0")
    (folder / "latin.py").write_bytes(apple.encode() + b"\xe9")
    (folder / "broken.py").write_text(apple + "def (:\n", "utf-8")
    return folder


def answer(documents: Path, responses: Path) -> None:
    """Put a teacher's answers about every document into the store; every fifth is no label."""
    store = open_store(responses)
    config = Annotate(teacher=READER)
    for number, document in enumerate(read_dataset(documents, Document)):
        label = json.dumps({"reason": f"It teaches {document.path}.", "score": number % 6})
        content = "I would rather not." if number % 5 == 4 else f"Here you are: {label}"
        store.put(request_for(config, document).key, {"choices": [{"message": {"content": content}}]})


def scores(documents: Path, folder: Path) -> Path:
    """Scores 0, 0.7, 1.4 … of the documents in order."""
    ids = [document.id for document in read_dataset(documents, Document)]
    write_table(folder, pa.table({"id": ids, "score": [0.7 * place for place in range(len(ids))]}))
    return folder


def problem_file(exercises: Path, path: Path) -> Path:
    """An examination in HumanEval's format that asks the first three exercises."""
    with path.open("w") as stream:
        for number, exercise in zip(range(3), read_dataset(exercises, Exercise), strict=False):
            row = {
                "task_id": f"Golden/{number}",
                "prompt": exercise.prompt,
                "entry_point": exercise.name,
                "canonical_solution": exercise.solution,
                "test": exercise.tests,
            }
            stream.write(json.dumps(row) + "\n")
    return path


def digest(folder: Path) -> str:
    """Digest of what an artifact says: rows and schema of Parquet, the vocabulary of a tokenizer, other files' bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "tokenizer_config.json")
    return digest_json([[path.relative_to(folder).as_posix(), content(path)] for path in files])


def content(path: Path) -> Any:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return [str(table.schema.remove_metadata()), table.to_pylist()]
    if path.name == "tokenizer.json":
        model = json.loads(path.read_text("utf-8"))["model"]
        return [model["vocab"], model["merges"]]
    return digest_file(path)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stages have been run."""
    return tmp_path_factory.mktemp("golden")


@pytest.fixture(scope="module")
def made(root: Path) -> dict[str, str]:
    return dict(all_stages(root))


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_of_a_stage_change_only_with_its_version(name: str, made: dict[str, str]) -> None:
    known = json.loads(GOLDEN.read_text("utf-8"))[name]
    version = STAGES[name].version
    assert version == known["version"], (
        f"the version of {name} is {version}, golden.json has {known['version']}: "
        "run `python tests/test_golden.py --write`"
    )
    assert made[name] == known["digest"], (
        f"the bytes of {name} changed: raise the version of STAGES[{name!r}] in pipeline.py and run "
        "`python tests/test_golden.py --write`, or restore the bytes"
    )


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder).to_pylist()
    return found


def test_the_fixed_input_reaches_what_it_is_meant_to_reach(root: Path, made: dict[str, str]) -> None:
    """Else a digest could stay alike because nothing happened."""
    assert len(rows(root / "curate" / "documents")) == 6
    refused = sorted(row["reason"] for row in rows(root / "curate" / "rejected"))
    assert refused == ["encoding", "exact-duplicate", "near-duplicate", "not-python", "nul-bytes", "too-short"]
    assert len(rows(root / "annotate" / "annotations")) + len(rows(root / "annotate" / "rejected")) == 4
    assert [len(rows(root / "select" / name)) for name in ("documents", "rejected")] == [3, 3]
    assert [len(rows(root / "hold_out" / name)) for name in ("documents", "target", "rejected")] == [3, 2, 3]
    assert len(rows(root / "write_textbooks" / "sections")) == 2
    assert len(rows(root / "write_exercises" / "exercises")) == 30
    assert len(rows(root / "write_exercises" / "held_out")) == 6
    removed = rows(root / "decontaminate" / "rejected")
    assert {f"Golden/{number}" for number in range(3)} <= {row["detail"].split()[0].rstrip(":") for row in removed}
    assert 0 < len(rows(root / "decontaminate" / "exercises")) < 30
    assert np.fromfile(root / "pack" / "tokens.bin", "<u2").size == 3000


def test_a_digest_tells_rows_apart_and_not_files(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b"]})
    for name, made_of, compression in (
        ("one", table, "zstd"),
        ("same", table, "none"),
        ("other", pa.table({"id": ["a", "c"]}), "zstd"),
    ):
        (tmp_path / name).mkdir()
        pq.write_table(made_of, tmp_path / name / "part.parquet", compression=compression)
    one, same, other = (digest(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same
    assert one != other


def write_golden() -> None:
    """Write golden.json anew."""
    with tempfile.TemporaryDirectory() as folder:
        found = {name: {"version": STAGES[name].version, "digest": value} for name, value in all_stages(Path(folder))}
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/test_golden.py --write")
    write_golden()
