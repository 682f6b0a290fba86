"""Write textbooks and exercises, and keep only what runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config, operational
from hornbook.errors import InfrastructureError
from hornbook.records import Exercise, Provenance, Rejected, Section, write_dataset
from hornbook.sandbox.run import Program, Sandbox, judge
from hornbook.synthesis import llm
from hornbook.synthesis.diversity import Diversity, plant, report, watched
from hornbook.synthesis.limits import Limits
from hornbook.synthesis.overlap import overlap
from hornbook.synthesis.procedural import Procedural, compose
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
    """`shelf` gives the packaged sections of these `kinds` (the first `n`, all when None): `code` on programming, with
    blocks that run; `prose` on common sense. `llm` asks a teacher for `n`, all with code."""

    writer: Literal["shelf", "llm"] = "shelf"
    n: int | None = Field(None, gt=0)
    kinds: list[Kind] = Field(list(KINDS), min_length=1)
    seed: int = Field(0, ge=0)
    teacher: Teacher = Teacher(provider="replay")
    sandbox: Sandbox = Sandbox()
    diversity: Limits = operational(Limits())


def write_textbooks(config: WriteTextbooks, *, responses: Path, out: Path, ledger: Ledger) -> None:
    """Write `sections/` (every code block executed, its stated output compared) and `rejected/`."""
    if config.writer == "shelf":
        sections = shelf(config.kinds)[: config.n]
        ledger.figures = shelf_figures(sections)
    else:
        asked = llm.answers(config.teacher, "textbooks", config.n or 1, config.seed, responses)
        written = (llm.to_section(request, answer) for request, answer in asked)
        sections = list(watched(written, metered(config.diversity, ledger), "textbooks", config.n))
    checked = list(verify([*sections, FAULTY], config.sandbox))
    ledger.canary("write/wrong-output", threshold="output", expected=True, caught=not checked.pop()[0].verified)
    kept = [section for section, fault in checked if not fault]
    rejected = [
        Rejected(section.id, "write", "not-verified", fault, section.text[:200]) for section, fault in checked if fault
    ]
    record(ledger, len(sections), rejected)
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
    """`procedural` composes `n` exercises and `held_out` more for examination; `llm` asks a teacher for `n`."""

    writer: Literal["procedural", "llm"] = "procedural"
    n: int = Field(8000, gt=0)
    held_out: int = Field(240, ge=0)
    seed: int = Field(0, ge=0)
    families: list[str] | None = None
    teacher: Teacher = Teacher(provider="replay")
    sandbox: Sandbox = Sandbox()
    diversity: Limits = operational(Limits())


def write_exercises(config: WriteExercises, *, responses: Path, out: Path, ledger: Ledger) -> None:
    """Write `exercises/`, `held_out/` (no composition in common) and `rejected/`.

    Every row's solution passes its tests in the sandbox. A language model's tests are untrusted and run contained; our
    own are trusted. Raises InfrastructureError when the sandbox itself fails.
    """
    rejected: list[Rejected] = []
    if config.writer == "procedural":
        settings = Procedural(n=config.n, held_out=config.held_out, seed=config.seed, families=config.families)
        training, held_out = compose(settings)
    else:
        asked = llm.answers(config.teacher, "exercises", config.n, config.seed, responses)
        written = (llm.to_exercise(request, answer) for request, answer in asked)
        read = list(watched(written, metered(config.diversity, ledger), "exercises", config.n))
        rejected = [row for row in read if isinstance(row, Rejected)]
        training, held_out = [row for row in read if isinstance(row, Exercise)], []
    asked_for = len(training) + len(held_out) + len(rejected)
    kept, failed = verify_exercises([*training, *held_out], config.sandbox, config.writer == "procedural", ledger)
    examined = {exercise.id for exercise in held_out}
    record(ledger, asked_for, [*rejected, *failed])
    ledger.rows_out = len(kept)
    ledger.figures = {
        "training": write_dataset(out / "exercises", (e for e in kept if e.id not in examined), Exercise),
        "held_out": write_dataset(out / "held_out", (e for e in kept if e.id in examined), Exercise),
    }
    report([e for e in kept if e.id not in examined], config.diversity, ledger)
    write_dataset(out / "rejected", [*rejected, *failed], Rejected)


def metered(limits: Limits, ledger: Ledger) -> Diversity:
    """A meter for a language model's rows, its limits seen to be read."""
    plant(limits, ledger)
    return Diversity(limits)


def verify_exercises(
    exercises: Sequence[Exercise], sandbox: Sandbox, trusted: bool, ledger: Ledger
) -> tuple[list[Exercise], list[Rejected]]:
    """Run every solution against its tests; a planted wrong one must fail. Of equal ones the first counts."""
    by_id = {exercise.id: exercise for exercise in reversed(exercises)}
    again = [exercise for exercise in exercises if by_id[exercise.id] is not exercise]
    rejected = [Rejected(e.id, "write", "duplicate", "written before", e.prompt[:200]) for e in again]
    kept = []
    programs = [program(exercise, exercise.solution, trusted) for exercise in by_id.values()]
    if exercises:
        programs.append(replace(WRONG, trusted=trusted))
    for verdict in judge(sandbox, programs):
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


def program(exercise: Exercise, solution: str, trusted: bool) -> Program:
    """An exercise as a program to judge."""
    return Program(exercise.id, 0, exercise.prompt + solution, exercise.tests, exercise.name, trusted)


def record(ledger: Ledger, rows_in: int, rejected: Iterable[Rejected]) -> None:
    """Count what came in and what was refused, by reason."""
    ledger.rows_in = rows_in
    ledger.rejected.update(row.reason for row in rejected)
