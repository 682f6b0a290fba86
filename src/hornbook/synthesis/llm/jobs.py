"""From a config to rounds of rows: what is to be written is drawn here, all of it, before anyone is asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hornbook.config import Config
from hornbook.errors import InputError, RequestError
from hornbook.records import Document, Exercise, Section, read_dataset, read_table
from hornbook.sandbox.run import Sandbox
from hornbook.synthesis.llm.asking import Asker, Round
from hornbook.synthesis.llm.exercises import Drills, ExerciseWriter, Names
from hornbook.synthesis.llm.functions import choose
from hornbook.synthesis.llm.reversal import Reversal
from hornbook.synthesis.llm.textbooks import Chapters, TextbookWriter
from hornbook.synthesis.topics import Coverage, Half, Passage, draw, load_tree
from hornbook.synthesis.topics.draw import read_passages
from hornbook.synthesis.topics.tree import AND


class Subjects(Config):
    """What is written about. `tree`: a tree of topics of one's own, YAML; else the packaged one.

    `previous`: folders of rows written earlier. Their topics count as covered, so that the least covered are taken
    first, and their functions' names are not given again. `passages` puts a passage of the corpus into each question;
    the row then has that document as parent and carries its licence.
    """

    tree: str | None = None
    previous: list[str] = []
    passages: bool = False


@dataclass(frozen=True)
class Job:
    """Whom to ask, where programs run, what was written before, and the corpus if there is one."""

    subjects: Subjects
    asker: Asker
    sandbox: Sandbox
    seed: int
    documents: Path | None = None
    figures: Counter[str] = field(default_factory=Counter)

    def sections(self, chapters: Chapters, n: int) -> Iterator[Round[Section]]:
        """Rounds of `n` textbook sections."""
        passages = self.passages()
        half: Half | None = None if chapters.halves == "both" else chapters.halves
        tree, ledger = load_tree(path_of(self.subjects.tree)), coverage(self.earlier())
        outlines = -(-n // chapters.sections)
        briefs = draw("textbooks", outlines, self.seed, tree, ledger, half=half, passages=list(passages.values()))
        writer = TextbookWriter(chapters, self.asker, self.sandbox, passages, self.figures)
        return writer.write(briefs, n)

    def exercises(self, drills: Drills, n: int) -> Iterator[Round[Exercise]]:
        """Rounds of `n` exercises."""
        passages, rows = self.passages(), self.earlier()
        tree = load_tree(path_of(self.subjects.tree))
        briefs = draw("exercises", n, self.seed, tree, coverage(rows), passages=list(passages.values()))
        return ExerciseWriter(drills, self.asker, self.sandbox, Names(names(rows)), passages).write(briefs)

    def reversal(self, drills: Drills, n: int) -> Iterator[Round[Exercise]]:
        """Rounds of exercises made of `n` functions of the corpus, fewer if it has fewer."""
        rows = read_dataset(self.corpus("writer reversal"), Document)
        functions = choose(rows, n, self.seed, names(self.earlier()))
        if not functions:
            raise InputError(f"{self.documents}: no function there stands on its own; give more documents")
        return Reversal(drills, self.asker, self.sandbox).write(functions)

    def passages(self) -> dict[str, Passage]:
        """The corpus' passages by id; none unless they are asked for."""
        if not self.subjects.passages:
            return {}
        return {passage.id: passage for passage in read_passages(self.corpus("subjects.passages"))}

    def corpus(self, wants: str) -> Path:
        """The folder of documents. Raises RequestError when there is none."""
        if self.documents is None:
            raise RequestError(f"{wants} reads a corpus; name its folder with --documents DIR")
        inside = self.documents / "documents"
        return inside if inside.is_dir() else self.documents

    def earlier(self) -> list[Exercise | Section]:
        """The rows of all earlier folders."""
        return [row for name in self.subjects.previous for row in rows_in(Path(name).expanduser())]


def path_of(name: str | None) -> Path | None:
    """A path as a person writes it."""
    return Path(name).expanduser() if name else None


def rows_in(folder: Path) -> list[Exercise | Section]:
    """Exercises or sections of a folder. Raises InputError when it holds neither."""
    folder = next((folder / name for name in ("exercises", "sections") if (folder / name).is_dir()), folder)
    columns = set(read_table(folder).column_names)
    if "solution" in columns:
        return list(read_dataset(folder, Exercise))
    if {"text", "audience"} <= columns:
        return list(read_dataset(folder, Section))
    raise InputError(f"subjects.previous: {folder} holds neither exercises nor sections")


def coverage(rows: list[Exercise | Section]) -> Coverage:
    """The ledger of what these rows are about."""
    ledger = Coverage()
    for row in rows:
        told = json.loads(row.provenance.recipe or "{}") if row.provenance.writer == "llm" else {}
        items = {name: str(told[name]) for name in ("audience", "profession", "style", "word") if name in told}
        ledger.count({**items, "passage": next(iter(row.parents or []), "")}, row.topic.split(AND))
    return ledger


def names(rows: list[Exercise | Section]) -> set[str]:
    """The names of the functions in these rows."""
    return {row.name for row in rows if isinstance(row, Exercise)}
