"""Write textbooks and exercises, and keep only what runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config, operational
from hornbook.errors import InfrastructureError
from hornbook.records import Exercise, Provenance, Rejected, Section, scatter, write_dataset
from hornbook.sandbox.run import Program, Sandbox, judge
from hornbook.synthesis.diversity import Diversity, plant, report, watched
from hornbook.synthesis.kill import SHARP, TOOTHLESS, count_kills, program, weakness
from hornbook.synthesis.limits import Limits
from hornbook.synthesis.llm.asking import Asker
from hornbook.synthesis.llm.commission import Commission, Subjects
from hornbook.synthesis.llm.exercises import Drills
from hornbook.synthesis.llm.screen import Bench
from hornbook.synthesis.llm.textbooks import Chapters
from hornbook.synthesis.overlap import overlap
from hornbook.synthesis.procedural import Breadth, Procedural, stream
from hornbook.synthesis.textbooks import KINDS, Kind, kind_of, shelf, verify
from hornbook.teacher.ask import Teacher

# canaries: what prints something else than it says, and what its tests must fail
FAULTY = Section(
    "canary", "```python\nprint('canary')\n```\n\n```output\nsparrow\n```\n", "", "", "", [], [], Provenance("canary")
)
WRONG = Program(
    "canary", 0, "def f():\n    return None\n", "def check(candidate):\n    assert candidate() == 1\n", "f", True
)


class WriteTextbooks(Config):
    """`shelf` gives the packaged sections (the first `n`, all when None); `llm` asks a teacher for `n`.

    Of `kinds`, `code` is on programming, with blocks that run (phi-1); `prose` on common sense (phi-1.5's addition).
    `subjects` and `chapters` say what the teacher writes about, and how.
    """

    writer: Literal["shelf", "llm"] = "shelf"
    n: int | None = Field(None, gt=0)
    kinds: list[Kind] = Field(list(KINDS), min_length=1)
    seed: int = Field(0, ge=0)
    teacher: Teacher = Teacher(provider="replay")
    subjects: Subjects = Subjects()
    chapters: Chapters = Chapters()
    sandbox: Sandbox = Sandbox()
    diversity: Limits = operational(Limits())


def write_textbooks(
    config: WriteTextbooks, *, responses: Path, out: Path, ledger: Ledger, documents: Path | None = None
) -> None:
    """Write `sections/` (every code block executed, its stated output compared) and `rejected/`.

    `documents`: the corpus, where `subjects` asks for passages.
    """
    rejected: list[Rejected] = []
    commission = None if config.writer == "shelf" else commission_of(config, responses, documents)
    if commission is None:
        sections = shelf(config.kinds)[: config.n]
        ledger.figures = shelf_figures(sections)
    else:
        written = commission.sections(config.chapters, config.kinds, config.n or 1)
        read = list(watched(written, metered(config.diversity, ledger), "textbooks", config.n))
        rejected = [row for row in read if isinstance(row, Rejected)]
        sections = [row for row in read if isinstance(row, Section)]
        ledger.figures["revision"] = dict(commission.figures)
    checked = list(verify([*sections, FAULTY], config.sandbox))
    ledger.canary("write/wrong-output", threshold="output", expected=True, caught=not checked.pop()[0].verified)
    kept = [section for section, fault in checked if not fault]
    failed = [(section, fault) for section, fault in checked if fault]
    rejected += [Rejected(s.id, "write", "not-verified", fault, s.text[:200]) for s, fault in failed]
    record(ledger, len(kept) + len(rejected), rejected)
    if commission is not None:
        commission.settle(ledger, kept)
    report(kept, config.diversity, ledger)
    ledger.rows_out = write_dataset(out / "sections", kept, Section)
    write_dataset(out / "rejected", rejected, Rejected)


def shelf_figures(sections: Sequence[Section]) -> dict[str, Any]:
    """Sections and words of each kind, and how much the sections repeat one another."""
    counts = {kind: [len(s.text.split()) for s in sections if kind_of(s) == kind] for kind in KINDS}
    return {
        "sections": {kind: len(found) for kind, found in counts.items()},
        "words": {kind: sum(found) for kind, found in counts.items()},
        **overlap({section.provenance.recipe: section.text for section in sections}),
    }


class WriteExercises(Config):
    """`procedural` composes `n` exercises and `held_out` more for examination; `llm` asks a teacher for `n`, and sets
    `held_out` of those that are kept aside, half of them at most.

    `reversal` has a teacher describe `n` functions of the corpus, and write them again from the description.
    `families`, `breadth` and `difficulty` are the procedural writer's (`Procedural`), `subjects` and `drills` a
    teacher's. `mutants`: how many of each solution its tests are tried on. A teacher's row whose tests kill a smaller
    share than `min_killed` is rejected.
    """

    writer: Literal["procedural", "llm", "reversal"] = "procedural"
    n: int = Field(8000, gt=0)
    held_out: int = Field(240, ge=0)
    seed: int = Field(0, ge=0)
    families: list[str] | None = None
    breadth: Breadth = "full"
    difficulty: list[Literal[1, 2, 3]] | None = None
    mutants: int = Field(5, ge=0, le=100)
    min_killed: float = Field(0.6, ge=0, le=1)
    teacher: Teacher = Teacher(provider="replay")
    subjects: Subjects = Subjects()
    drills: Drills = Drills()
    sandbox: Sandbox = Sandbox()
    diversity: Limits = operational(Limits())


def write_exercises(
    config: WriteExercises, *, responses: Path, out: Path, ledger: Ledger, documents: Path | None = None
) -> None:
    """Write `exercises/`, `held_out/` (no composition in common) and `rejected/`.

    Every row's solution passes its tests in the sandbox, and the row counts the mutants that do not. A language
    model's tests are untrusted and run contained; our own are trusted. `documents`: the corpus, for `reversal` and
    passages. Raises InfrastructureError when the sandbox itself fails.
    """
    rejected: list[Rejected] = []
    examined: set[str] = set()
    written: Iterable[Exercise]
    commission = None if config.writer == "procedural" else commission_of(config, responses, documents)
    if commission is None:
        written = composed(config, examined)
    else:
        bench = Bench(config.sandbox, config.mutants, config.min_killed)
        if config.writer == "llm":
            rows = commission.exercises(config.drills, bench, config.n)
        else:
            rows = commission.reversal(bench, config.n)
        read = list(watched(rows, metered(config.diversity, ledger), "exercises", config.n))
        rejected = [row for row in read if isinstance(row, Rejected)]
        written = [row for row in read if isinstance(row, Exercise)]
    kept, failed = verify_exercises(written, config.sandbox, config.writer == "procedural", ledger)
    if config.mutants:
        kept, weak = weigh_tests(kept, config, ledger)
        failed += weak
    if commission is not None:
        examined = set_aside(kept, min(config.held_out, len(kept) // 2), config.seed)
    record(ledger, len(kept) + len(failed) + len(rejected), [*rejected, *failed])
    ledger.rows_out = len(kept)
    ledger.figures = {
        "training": write_dataset(out / "exercises", (e for e in kept if e.id not in examined), Exercise),
        "held_out": write_dataset(out / "held_out", (e for e in kept if e.id in examined), Exercise),
    }
    if commission is not None:
        commission.settle(ledger, kept)
    report([e for e in kept if e.id not in examined], config.diversity, ledger)
    write_dataset(out / "rejected", [*rejected, *failed], Rejected)


def metered(limits: Limits, ledger: Ledger) -> Diversity:
    """A meter for a language model's rows, its limits seen to be read."""
    plant(limits, ledger)
    return Diversity(limits)


def commission_of(config: WriteTextbooks | WriteExercises, responses: Path, documents: Path | None) -> Commission:
    """What a language model is asked, and by whom."""
    return Commission(config.subjects, Asker.of(config.teacher, responses), config.sandbox, config.seed, documents)


def set_aside(exercises: Sequence[Exercise], n: int, seed: int) -> set[str]:
    """The ids of at least `n` of a teacher's exercises, drawn by the seed, whose topics and documents no other has."""
    groups: dict[str, list[str]] = {}
    for exercise in exercises:
        groups.setdefault(exercise.parents[0] if exercise.parents else exercise.topic, []).append(exercise.id)
    found: set[str] = set()
    for group in sorted(groups, key=lambda name: scatter(seed, name)):
        if len(found) < n:
            found.update(groups[group])
    return found


def composed(config: WriteExercises, examined: set[str]) -> Iterator[Exercise]:
    """The procedural writer's exercises as they are written; the ids of the held-out ones go to `examined`."""
    settings = Procedural(
        n=config.n,
        held_out=config.held_out,
        seed=config.seed,
        families=config.families,
        breadth=config.breadth,
        difficulty=config.difficulty,
    )
    for exercise, held_out in stream(settings):
        if held_out:
            examined.add(exercise.id)
        yield exercise


def verify_exercises(
    exercises: Iterable[Exercise], sandbox: Sandbox, trusted: bool, ledger: Ledger
) -> tuple[list[Exercise], list[Rejected]]:
    """Run every solution against its tests; a planted wrong one must fail. Of equal ones the first counts.

    The exercises are taken one by one as the judge has room for them, so that a writer works while others are judged.
    """
    by_id: dict[str, Exercise] = {}
    rejected: list[Rejected] = []
    kept = []

    def programs() -> Iterator[Program]:
        for exercise in exercises:
            if by_id.setdefault(exercise.id, exercise) is exercise:
                yield program(exercise, exercise.solution, trusted)
            else:
                rejected.append(Rejected(exercise.id, "write", "duplicate", "written before", exercise.prompt[:200]))
        if by_id:
            yield replace(WRONG, trusted=trusted)

    for verdict in judge(sandbox, programs()):
        if verdict.status == "infrastructure":
            raise InfrastructureError(f"verifying {verdict.task_id}: {verdict.detail}; rerun to go on")
        if verdict.task_id == "canary":
            ledger.canary("write/wrong-solution", threshold="tests", expected=True, caught=verdict.status != "passed")
            continue
        exercise = by_id[verdict.task_id]
        if verdict.status == "passed":
            kept.append(replace(exercise, verified=True))
        else:
            detail = f"{verdict.status}: {verdict.detail}"
            rejected.append(Rejected(exercise.id, "write", "not-verified", detail, exercise.prompt[:200]))
    return kept, rejected


def weigh_tests(
    exercises: list[Exercise], config: WriteExercises, ledger: Ledger
) -> tuple[list[Exercise], list[Rejected]]:
    """Count the mutants that each row's tests kill. A teacher's rows that kill too few are rejected as `weak-tests`.

    Two rows are planted beside a teacher's: one whose tests kill nothing, one whose tests kill everything.
    """
    ours = config.writer == "procedural"
    if ours or not config.min_killed:
        return count_kills(exercises, config.sandbox, config.mutants, trusted=ours), []
    planted = [TOOTHLESS, SHARP] if exercises else []
    counted = count_kills([*exercises, *planted], config.sandbox, config.mutants, trusted=False)
    weak = [(row, weakness(row, config.min_killed)) for row in counted]
    for row, detail in weak[len(exercises) :]:
        name = f"write/{row.name}-tests"
        ledger.canary(name, threshold="min_killed", expected=row.name == "toothless", caught=bool(detail))
    weak = weak[: len(exercises)]
    rejected = [Rejected(row.id, "write", "weak-tests", detail, row.prompt[:200]) for row, detail in weak if detail]
    return [row for row, detail in weak if not detail], rejected


def record(ledger: Ledger, rows_in: int, rejected: Iterable[Rejected]) -> None:
    """Count what came in and what was refused, by reason."""
    ledger.rows_in = rows_in
    ledger.rejected.update(row.reason for row in rejected)
