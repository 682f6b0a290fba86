"""From a config to rounds of rows: what is to be written is drawn here, all of it, before anyone is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.errors import InputError, RequestError
from hornbook.records import Document, Exercise, Rejected, Section, read_dataset, read_table
from hornbook.sandbox.run import Sandbox
from hornbook.synthesis.llm.asking import Asker, R, Round, author_of
from hornbook.synthesis.llm.exercises import Drills, ExerciseWriter, Names
from hornbook.synthesis.llm.functions import choose
from hornbook.synthesis.llm.reversal import Reversal
from hornbook.synthesis.llm.screen import Bench
from hornbook.synthesis.llm.textbooks import Chapters, TextbookWriter
from hornbook.synthesis.textbooks import Kind
from hornbook.synthesis.topics import Half, Passage, Tree, draw, load_tree, read_passages
from hornbook.synthesis.topics.coverage import cover
from hornbook.teacher.money import account

HALVES: dict[Kind, Half] = {"code": "programming", "prose": "common sense"}  # of the tree of topics


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
class Commission:
    """Whom to ask, where programs run, what was written before, and the corpus if there is one."""

    subjects: Subjects
    asker: Asker
    sandbox: Sandbox
    seed: int
    documents: Path | None = None
    figures: Counter[str] = field(default_factory=Counter)

    def sections(self, chapters: Chapters, kinds: Sequence[Kind], n: int) -> Iterator[Section | Rejected]:
        """`n` textbook sections of these kinds, or why there are fewer."""
        passages = self.passages()
        half = HALVES[kinds[0]] if len(set(kinds)) == 1 else None
        tree, outlines = self.tree(), -(-n // chapters.sections)
        covered = cover(self.earlier(), tree)
        briefs = draw("textbooks", outlines, self.seed, tree, covered, half=half, passages=list(passages.values()))
        writer = TextbookWriter(chapters, self.asker, self.sandbox, passages, self.figures)
        return rows_of(writer.write(briefs, n))

    def exercises(self, drills: Drills, bench: Bench, n: int) -> Iterator[Exercise | Rejected]:
        """`n` exercises, or why there are fewer."""
        passages, tree = self.passages(), self.tree()
        covered = cover(self.earlier(), tree)
        briefs = draw("exercises", n, self.seed, tree, covered, passages=list(passages.values()))
        writer = ExerciseWriter(drills, self.asker, bench, Names(names_in(self.earlier())), passages)
        return rows_of(writer.write(briefs))

    def reversal(self, bench: Bench, n: int) -> Iterator[Exercise | Rejected]:
        """Exercises made of `n` functions of the corpus, fewer if it has fewer, or why there are fewer."""
        rows = read_dataset(self.corpus("writer reversal"), Document)
        functions = choose(rows, n, self.seed, names_in(self.earlier()))
        if not functions:
            raise InputError(f"{self.documents}: no function there stands on its own; give more documents")
        return rows_of(Reversal(self.asker, bench).write(functions))

    def settle(self, ledger: Ledger, kept: Iterable[Exercise | Section]) -> None:
        """Put what all was asked cost into the ledger, and what a kept token cost."""
        wrote = {author_of(row.provenance) for row in kept}
        account(ledger, self.asker.teacher, self.asker.purse.heard.values(), wrote)

    def tree(self) -> Tree:
        """The person's own tree of topics, or the packaged one."""
        return load_tree(Path(self.subjects.tree).expanduser() if self.subjects.tree else None)

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

    def earlier(self) -> list[Path]:
        """The folders of rows written earlier."""
        return [Path(name).expanduser() for name in self.subjects.previous]


def rows_of(rounds: Iterable[Round[R]]) -> Iterator[R | Rejected]:
    """The rows of every round as it ends, so that whoever watches them can stop before the next is paid for."""
    for found in rounds:
        yield from found.kept
        yield from found.rejected


def names_in(folders: Iterable[Path]) -> set[str]:
    """The names of the functions in folders of rows, which hold exercises or do not."""
    inside = [folder / "exercises" if (folder / "exercises").is_dir() else folder for folder in folders]
    tables = [read_table(folder) for folder in inside if not (folder / "sections").is_dir()]
    return {name for table in tables if "name" in table.column_names for name in table["name"].to_pylist()}
