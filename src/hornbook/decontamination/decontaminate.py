"""Remove training rows that share text, or the shape of a program, with an examination; give evidence for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa
from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config, operational
from hornbook.decontamination import canaries
from hornbook.decontamination.judge import Finding, Judge, judge_all
from hornbook.decontamination.ngrams import Item, words_of
from hornbook.decontamination.rows import STAGE, Rows, read_rows
from hornbook.decontamination.wording import wording
from hornbook.errors import InputError, RequestError
from hornbook.progress import track
from hornbook.records import Problem, Rejected, dataset_in, write_dataset, write_table
from hornbook.tasks.load import load


class Decontaminate(Config):
    """Which examinations to keep out of training data, and how alike is too alike.

    `ngram`: how many words in a row may not be shared (phi-1 §5 and phi-4 Algorithm 1: 13); None switches the tier off.
    `syntax_threshold`: the match rate τ of syntax trees from which a program counts as the same (phi-1 Table 3: 0.95 to
    0.8); off by default. It is severe with short programs: every function that returns the sum of its two arguments has
    the same shape, so expect removals that are no leak.
    `allow`: texts whose n-grams do not count, such as a licence header or a template's sentence. With ngram=13,
    `allow=["Return the largest of the given numbers, or None if there are no numbers at all."]` (16 words) allows its
    four 13-grams and nothing more.
    `count_numbers`: whether an n-gram of numbers alone counts, as it does in phi-4's Algorithm 1. Not by default, since
    1, 2, 3 … 13 stands in many an innocent file: of 6,171 files of installed packages, 33 shared a 13-gram with
    HumanEval or MBPP, every one of them by counting, by reciting the alphabet or in a table of numbers.
    """

    against: list[str] = []  # names of benchmarks or paths, as `tasks.load` takes them
    ngram: int | None = Field(default=13, ge=2, le=1000)
    syntax_threshold: float | None = Field(default=None, ge=0.1, le=1)
    allow: list[str] = []
    count_numbers: bool = False
    workers: int = operational(1, ge=1)


def decontaminate(
    config: Decontaminate,
    *,
    rows: Path,
    references: Sequence[Path | str] = (),
    siblings: Path | None = None,
    out: Path,
    ledger: Ledger,
) -> None:
    """Write `out/<kind>` (the clean rows, columns as they came, sorted by id) and `out/rejected`.

    `rows`: documents, exercises or sections; a dataset folder or one that holds it, a Parquet or a JSONL file. What
    must not leak: the items of `config.against` and of `references`, each as the text of its prompt and solution. A
    reject's reason is its tier (`ngram`, `syntax`) or `malformed`; its detail is the item and what is shared.
    Rewordings pass both tiers.
    `siblings`: held-out rows by the same writer as `rows`; they must not leak either, but the sentences that the writer
    uses again and again do not count against them (see `wording`).
    Raises InputError for unusable files, RequestError for settings that decide nothing.
    """
    strict = reference_items([*config.against, *references])
    held_out = reference_items([siblings] if siblings else [])
    items = [*strict, *held_out]
    check_settings(config, items)
    rows = dataset_in(Path(rows))
    given = read_rows(rows)
    phrases = common_phrases(config, given, held_out, strict)
    planted = canaries.plant(config.ngram, config.syntax_threshold, config.count_numbers)
    judge = Judge(
        [*items, *planted.items],
        config.ngram,
        config.syntax_threshold,
        allow=[*config.allow, *phrases, *planted.allow],
        count_numbers=config.count_numbers,
    )
    texts = chain(given.texts(), (canary.text for canary in planted.rows))
    count = given.table.num_rows
    findings = list(track(judge_all(judge, texts, config.workers), STAGE, count + len(planted.rows)))
    canaries.check(planted.rows, findings[count:], ledger)
    write(given, findings[:count], rows=rows, out=Path(out), ledger=ledger)
    ledger.figures["items"] = len(items)
    ledger.figures["wording"] = len(phrases)
    ledger.figures["items_too_short"] = judge.index.too_short if judge.index else 0


def common_phrases(config: Decontaminate, given: Rows, siblings: Sequence[Item], strict: Sequence[Item]) -> list[str]:
    """The n-grams that do not count against siblings; none without them or without the n-gram tier."""
    if not siblings or config.ngram is None:
        return []
    return wording(given.texts(), (item.text for item in siblings), (item.text for item in strict), config.ngram)


def reference_items(sources: Sequence[Path | str]) -> list[Item]:
    """The items of all sources, each as the text of its prompt and solution."""
    problems = chain.from_iterable(load(source) for source in sources)
    return [as_item(problem) for problem in problems]


def as_item(problem: Problem) -> Item:
    """A problem as a reference; where a completion is a whole program (MBPP) the prompt is no part of that."""
    text = problem.prompt + problem.canonical_solution
    return Item(problem.task_id, text, text if problem.completes else problem.canonical_solution)


def check_settings(config: Decontaminate, items: Sequence[Item]) -> None:
    """Raise RequestError for settings under which nothing could ever be found or allowed."""
    if not items:
        raise RequestError("nothing to decontaminate against; name a benchmark or a problem file in `against`")
    if config.ngram is None and config.syntax_threshold is None:
        raise RequestError("both tiers are off; set `ngram` (13) or `syntax_threshold` (0.95)")
    useless = [entry for entry in config.allow if config.ngram and len(words_of(entry)) < config.ngram]
    if useless:
        raise RequestError(
            f"allow: {useless[0][:60]!r} has fewer than {config.ngram} words and allows nothing; lengthen it"
        )


def write(given: Rows, findings: Sequence[Finding | None], *, rows: Path, out: Path, ledger: Ledger) -> None:
    """Write the clean rows and the rejects, and count them."""
    if (out / given.kind).resolve() == rows.resolve():
        raise InputError(f"{out}: would overwrite its own input {rows}; choose another --out")
    pairs = zip(given.ids(), findings, strict=True)
    rejects = [Rejected(i, STAGE, f.tier, f.detail, f.excerpt) for i, f in pairs if f] + given.malformed
    kept = sorted_by_id(given.table.filter(pa.array([finding is None for finding in findings], pa.bool_())))
    write_table(out / given.kind, kept)
    write_dataset(out / "rejected", rejects, Rejected)
    ledger.rows_in += given.table.num_rows + len(given.malformed)
    ledger.rows_out += kept.num_rows
    ledger.rejected.update(reject.reason for reject in rejects)
    ledger.figures["hits"] = dict(sorted(Counter(f"{f.tier} {f.task_id}" for f in findings if f).items()))


def sorted_by_id(table: pa.Table) -> pa.Table:
    """The table sorted by id; untouched when it is already, since sorting copies it."""
    ids = table.column("id").to_pylist()
    if ids == sorted(ids):
        return table
    return table.take(pa.array(sorted(range(len(ids)), key=ids.__getitem__)))
