"""Writes a small made-up run folder: TEST DATA, measured by nobody. Plausible in shape, hostile in its texts."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.corpus.near import NearDuplicate
from hornbook.records import (
    Annotation,
    Document,
    Exercise,
    Provenance,
    Rejected,
    Section,
    content_id,
    write_dataset,
    write_table,
)

HOSTILE = (
    '<script>document.title="owned"</script>\n'
    "x = '" + "w" * 5000 + "'\n"
    "access = 'user\u202e \u2066# admin only\u2069 \u2066'  # שלום مرحبا\n"
    "</pre></details><img src=http://evil.example/x.png onerror=alert(1)>\n"
    "\x00\x07 {{ 7 * 7 }} {% raw %}\n"
)
ARMS = {
    "raw": (1.482, 0.0),
    "filtered": (1.470, 0.0),
    "filtered_textbooks": (1.391, 0.008),
    "raw_exercises": (1.122, 0.258),
    "filtered_textbooks_exercises": (1.043, 0.375),
}
PAIRS = [
    ("raw", "filtered", -0.012, -0.031, 0.008, 0.0, 0.0, 0.0),
    ("filtered", "filtered_textbooks", -0.079, -0.108, -0.052, 0.0083, 0.0, 0.025),
    ("filtered_textbooks", "filtered_textbooks_exercises", -0.348, -0.42, -0.28, 0.3667, 0.283, 0.45),
    ("raw_exercises", "filtered_textbooks_exercises", -0.079, -0.13, -0.03, 0.1167, 0.033, 0.2),
]
FAMILIES = ("fold_list", "make_list", "matrices", "dates", "parsing", "state_machine", "strings", "dicts")
CODE = '''"""Sorting by insertion, for lists that are nearly in order."""


def insertion_sort(values):
    """Return the values in ascending order; equal ones keep their places."""
    ordered = []
    for value in values:
        place = len(ordered)
        while place and ordered[place - 1] > value:
            place -= 1
        ordered.insert(place, value)
    return ordered


def is_sorted(values):
    """Whether no value is smaller than the one before it."""
    return all(a <= b for a, b in zip(values, values[1:]))
'''
GLUE = """# Automatically wired; see setup.cfg
from .base import *  # noqa
from .impl import _Registry, _hooks

_r = _Registry()
for _n, _h in sorted(_hooks.items()):
    _r.add(_n, _h, override=True)
register = _r.add
lookup = _r.get
"""
SECTION = '''# Doing Things Many Times

A program that can only do things once is not much better than a pocket calculator. The `for` loop takes a collection \
of values and runs the same lines for each of them in turn.

```python
for planet in ["Mercury", "Venus", "Earth"]:
    print(planet, len(planet))
print("done")
```

```output
Mercury 7
Venus 5
Earth 5
done
```

The name after `for` is the *loop variable*. On the first round it stands for the first value, on the second round for
the second value, and so on.

- A list gives its items one after another.

## A loop inside a function <script>alert(2)</script>

```python
def total(values):
    """Return the sum of the values."""
    found = 0
    for value in values:
        found += value
    return found
```
'''


class Builder:
    """Collects stages, each with a folder and a manifest."""

    def __init__(self, workdir: Path, without: tuple[str, ...]) -> None:
        self.workdir, self.without = workdir, without
        self.stages: list[dict[str, Any]] = []

    def add(self, stage: str, name: str, make: Callable[[Path], None] | None = None, **manifest: Any) -> None:
        """Write one artifact; a name in `without` is left out entirely."""
        node = f"{stage}-{name}"
        if node in self.without or stage in self.without:
            return
        key = content_id(node) * 4
        folder = f"artifacts/{node}-{key[:8]}"
        path = self.workdir / folder
        path.mkdir(parents=True)
        if make:
            make(path)
        number = len(self.stages) + 1
        about = {
            "key": key, "stage": stage, "name": name, "version": 1, "config": {}, "inputs": {}, "digest": content_id(key) * 4,
            "rows_in": 0, "rows_out": 0, "rejected": {}, "canaries": [], "figures": {}, "tokens": 0, "dollars": 0.0,
            "wall_seconds": 1.7 * number, "cpu_seconds": 2.9 * number, "peak_memory_bytes": 210_000_000 + 41_000_000 * number,
            "versions": {"python": "3.11.7", "hornbook": "0.1.0", "pyarrow": "23.0.0"},
        }  # fmt: skip
        (path / "manifest.json").write_text(json.dumps(about | manifest))
        self.stages.append({"stage": stage, "name": name, "key": key, "folder": folder, "cached": stage == "curate"})

    def finish(self, finished: bool) -> Path:
        """Write run.json and return the run's folder."""
        folder = self.workdir / "runs" / "fake"
        folder.mkdir(parents=True)
        about = {
            "recipe": "fake", "seed": 0, "hornbook": "0.1.0", "finished": finished, "stages": self.stages,
            "resolved": {"name": "fake", "about": "made-up test data </pre><script>1</script>", "seed": 0},
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(about))
        return folder


def build(workdir: Path, without: tuple[str, ...] = (), finished: bool = True) -> Path:
    """Write the fake run and return `<workdir>/runs/fake`. `without` names stages, or `stage-name`s, to leave out."""
    builder = Builder(workdir, without)
    documents = corpus()
    add_corpus(builder, documents)
    add_written(builder)
    add_training(builder)
    add_evaluation(builder)
    return builder.finish(finished)


def corpus() -> list[Document]:
    """120 documents: code, glue, and one hostile one."""
    rows = []
    for number in range(120):
        text = (CODE if number % 3 == 0 else GLUE) + f"\n# file {number}\n"
        rows.append(
            Document(
                content_id(str(number)),
                text,
                ("cpython", "pygments")[number % 2],
                f"lib/module_{number:03}.py",
                ["PSF-2.0"],
            )
        )
    rows.append(Document("hostile000000000", HOSTILE, "<b>evil</b>", "lib/" + "long" * 60 + "/\u202egnp.py", []))
    return rows


def add_corpus(builder: Builder, documents: list[Document]) -> None:
    """From curation to selection."""
    rng = random.Random(7)
    reasons = {
        "exact-duplicate": 61,
        "near-duplicate": 212,
        "generated": 34,
        "too-short": 118,
        "invalid-utf8": 3,
        "no-text": 1,
    }
    rejected = [
        Rejected(
            content_id(reason),
            "curate",
            reason,
            f"evidence of {reason}",
            "" if reason == "no-text" else HOSTILE if reason == "generated" else GLUE,
        )
        for reason in reasons
    ]
    scores = {d.id: round(min(5.0, max(0.0, rng.gauss(1.6, 0.9))), 4) for d in documents}
    scores["hostile000000000"] = 4.99
    cut = sorted(scores.values())[-24]
    kept = [d for d in documents if scores[d.id] >= cut]
    dropped = [
        Rejected(d.id, "select", "below-cut", f"score {scores[d.id]} < {cut}", d.text[:200])
        for d in documents
        if scores[d.id] < cut
    ]
    canary = {"name": "ngram: 13 words shared", "threshold": 13, "expected": True, "caught": True}
    spared = {"name": "ngram: 12 words shared", "threshold": 13, "expected": False, "caught": False}
    hits = [
        Rejected(
            "hit0000000000000",
            "decontaminate",
            "ngram",
            "unconventional/17: return the number of " + "very " * 30 + "<i>long</i> words",
            GLUE,
        )
    ]

    stays = documents[0].id  # six texts go for it, one for the hostile text
    near = [NearDuplicate(f"near{n}", stays, 0.9 + n / 100, stays) for n in range(6)]
    near.append(NearDuplicate("near6", "hostile000000000", 0.8125, "hostile000000000"))
    alike = [
        Rejected(
            one.id, "curate", "near-duplicate", f"<i>copy</i>:v/{one.id}.py: Jaccard {one.jaccard:.4f} with x:y (z)"
        )
        for one in near
    ]

    def curate(path: Path) -> None:
        write_dataset(path / "documents", documents, Document)
        write_dataset(path / "rejected", [*rejected, *alike], Rejected)
        write_dataset(path / "clusters", near, NearDuplicate)

    def classify(path: Path) -> None:
        labels = [rng.choice([0, 1, 1, 1, 2, 2, 3, 3, 4, 5]) for _ in range(230)]
        rows = {"id": [content_id(str(i)) for i in range(230)], "source": ["cpython"] * 230, "path": ["a.py"] * 230}
        rows |= {"stratum": [rng.choice(["random", "sought"]) for _ in labels], "label": [float(v) for v in labels]}
        rows |= {"predicted": [round(min(5, max(0, 0.6 * v + 0.8 + rng.gauss(0, 0.5))), 4) for v in labels]}
        pq.write_table(pa.table(rows), path / "cross_validation.parquet")

    def select(path: Path) -> None:
        write_dataset(path / "documents", kept, Document)
        write_dataset(path / "rejected", dropped, Rejected)

    def clean(path: Path) -> None:
        write_dataset(path / "documents", documents, Document)
        write_dataset(path / "rejected", hits, Rejected)

    labels = [Annotation(d.id, 3.0, "clear", "reader-1", "random", d.source, d.path) for d in documents[:5]]
    builder.add("curate", "corpus", curate, rows_in=551, rows_out=122, rejected=reasons)
    builder.add("annotate", "corpus", lambda p: write_dataset(p / "annotations", labels, Annotation) and None, rows_in=230, rows_out=230,
                figures={"readers_agreement": {"files": 80, "spearman": 0.83}})  # fmt: skip
    builder.add(
        "decontaminate",
        "corpus",
        clean,
        rows_in=122,
        rows_out=121,
        rejected={"ngram": 1},
        canaries=[canary, spared],
        figures={"items": 170},
    )
    builder.add("classify", "corpus", classify, rows_in=230, rows_out=230,
                figures={"classifier": "trained", "labels": 230, "spearman": 0.71, "auc_at_3": 0.88, "random": {"labels": 118, "spearman": 0.55, "auc_at_3": None, "kappa": 0.51},
                         "kappa": 0.64, "kind": "levelled", "embedder": "packaged",
                         "alternatives": {"forest": {"labels": 230, "spearman": 0.66, "auc_at_3": 0.81, "kappa": 0.6, "random": {"labels": 118, "spearman": 0.52, "auc_at_3": 0.79, "kappa": None}}},
                         "reliability": [{"labels": 200, "predicted": 1.05, "read": 0.9, "low": 0.8, "high": 1.0}, {"labels": 1, "predicted": 2.9, "read": 3.2, "low": None, "high": None}]})  # fmt: skip
    table = pa.table({"id": list(scores), "score": list(scores.values())})
    builder.add("score", "corpus", lambda p: write_table(p / "scores", table), rows_in=121, rows_out=121)
    builder.add(
        "select",
        "filtered",
        select,
        rows_in=121,
        rows_out=len(kept),
        rejected={"below-cut": len(dropped)},
        figures={"cut": cut, "share": len(kept) / 121},
    )


def diversity(rows: int, opener: str) -> dict[str, Any]:
    """What the diversity meter leaves in a manifest."""
    top = [[opener, 0.125], ["find the sum", 0.0625]]
    return {
        "rows": rows, "words": 50 * rows, "pages": rows // 64, "near_duplicates": 0.0, "coverage": 7.1,
        "measures": {
            "distinct_1": {"mean": 0.183, "worst": 0.174, "limit": None},
            "distinct_3": {"mean": 0.6184, "worst": 0.5831, "limit": 0.45},
            "opener": {"mean": 0.071, "worst": 0.109, "limit": 0.4},
        },
        "facets": {"openers": {"distinct": 900, "bits": 9.1, "top": top}},
        "collapsed_pages": 0, "collapses": [],
    }  # fmt: skip


def add_written(builder: Builder) -> None:
    """Textbooks and exercises, and their decontamination."""
    made = Provenance("procedural")
    section = Section(
        "s1", SECTION, "loops: for and range", "high-school students", "tutorial", ["Apache-2.0"], [], made, True
    )
    exercises = [exercise(number, FAMILIES[number % len(FAMILIES)]) for number in range(24)]
    hit = [Rejected("e9", "decontaminate", "syntax", "held_out/3: 0.9712 in fold_it", CODE)]
    builder.add(
        "write_textbooks",
        "textbooks",
        lambda p: write_dataset(p / "sections", [section], Section) and None,
        rows_in=24,
        rows_out=24,
    )
    builder.add(
        "write_exercises",
        "exercises",
        lambda p: write_dataset(p / "exercises", exercises, Exercise) and None,
        rows_in=6000,
        rows_out=5988,
        rejected={"tests-too-weak": 12},
        figures={"training": 5988, "held_out": 0, "diversity": diversity(5988, "<b>for each\u202e")},
    )
    builder.add(
        "decontaminate",
        "textbooks",
        lambda p: write_dataset(p / "rejected", [], Rejected) and None,
        rows_in=24,
        rows_out=24,
    )
    builder.add(
        "decontaminate",
        "exercises",
        lambda p: write_dataset(p / "rejected", hit, Rejected) and None,
        rows_in=5988,
        rows_out=5940,
        rejected={"syntax": 48},
    )


def exercise(number: int, family: str) -> Exercise:
    """A made-up exercise."""
    name = f"sum_of_squares_if_even_{number}"
    prompt = f'def {name}(values: list[int]) -> int:\n    """For each number in values that is even, take its square. Return their sum.\n\n    >>> {name}([1, 2, 4])\n    20\n    """\n'
    solution = (
        "    total = 0\n    for x in values:\n        if x % 2 == 0:\n            total += x * x\n    return total\n"
    )
    tests = "def check(candidate):\n    assert candidate([1, 2, 4]) == 20\n    assert candidate([]) == 0\n    assert candidate([-3, -2]) == 4\n"
    return Exercise(
        f"e{number:03}", name, prompt, solution, tests, family, ["Apache-2.0"], [], Provenance("procedural"), True, 5, 5
    )


def add_training(builder: Builder) -> None:
    """Tokenizer, packs and loss logs."""
    builder.add("train_tokenizer", "shared", rows_in=145, rows_out=1024)
    part = {"tokens": 1_500_000, "documents": 2200, "epochs": 1.4}
    builder.add("pack", "raw", figures={"corpus": part}, tokens=1_500_000)
    builder.add("pack", "filtered", figures={"filtered": part | {"epochs": 3.9, "documents": 440}}, tokens=1_500_000)
    mixed = {
        "filtered": part | {"tokens": 1_200_000},
        "textbooks": {"tokens": 300_000, "documents": 24, "epochs": 11.25},
    }
    builder.add("pack", "filtered_textbooks", figures=mixed, tokens=1_500_000)
    builder.add(
        "pack", "exercises", figures={"exercises": part | {"tokens": 1_000_000, "documents": 5940}}, tokens=1_000_000
    )
    for place, name in enumerate(ARMS):
        kind = "finetune" if "exercises" in name else "pretrain"
        start, floor = (6.9, 2.2 - 0.1 * place) if kind == "pretrain" else (2.4, 0.5 - 0.05 * place)
        builder.add(
            kind,
            name,
            lambda p, a=start, b=floor, s=place: loss(p, a, b, s),
            tokens=1_500_000,
            rows_in=366,
            rows_out=366,
            figures={"last_loss": round(floor + 0.01, 4)},
        )


def loss(path: Path, start: float, floor: float, seed: int) -> None:
    """A made-up loss log."""
    rng = random.Random(seed)
    rows = [
        {"step": s, "loss": floor + (start - floor) * math.exp(-s / 50) + rng.gauss(0, 0.05), "tokens": (s + 1) * 4096}
        for s in range(366)
    ]
    (path / "loss.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def around(value: float, half: float, top: float = 9.0) -> dict[str, float]:
    """An estimate with a made-up interval."""
    return {"value": round(value, 6), "low": round(max(0.0, value - half), 6), "high": round(min(top, value + half), 6)}


def results(bits: float | None, share: float) -> dict[str, Any]:
    """One arm's results on both benchmarks."""

    def one(problems: int, rate: float, bpb: float | None, names: tuple[str, ...]) -> dict[str, Any]:
        passed = round(problems * rate)
        found = {
            "problems": problems, "missing": 0, "samples": problems, "statuses": {"passed": passed, "failed": problems - passed},
            "pass_at_k": {"1": around(passed / problems, 0.085 if passed else 0, 1.0)}, "parse_rate": around(0.55 + rate, 0.05, 1.0),
            "families": {n: {"problems": problems // len(names), "pass_at_1": round(min(1, rate * (0.3 + 0.25 * i)), 4)} for i, n in enumerate(names)},
        }  # fmt: skip
        return found | ({"bits_per_byte": around(bpb, 0.06)} if bpb else {})

    return {
        "held_out": one(120, share, bits and bits * 0.7, FAMILIES),
        "unconventional": one(50, share / 6, bits, ("all",)),
    }


def write_results(folder: Path, found: dict) -> None:
    """What judging leaves: the results, and how the programs were contained."""
    write(folder / "results.json", {"benchmarks": found})
    write(folder / "isolation.json", {"level": "namespaces", "probes": {"network": True}})


def add_evaluation(builder: Builder) -> None:
    """Evaluations, the baseline and the comparison."""
    measured = {name: results(*figures) for name, figures in ARMS.items()}
    for name, found in measured.items():
        builder.add("evaluate", name, lambda p, f=found: write_results(p, f))
    base = results(None, 0.0167)
    builder.add("baseline", "nearest", lambda p: write_results(p, base))
    everyone = measured | {"nearest exercise": base}
    about = {
        "tau": 0.95,
        "benchmarks": {"held_out": {"problems": 120, "similar": 31}, "unconventional": {"problems": 50, "similar": 0}},
        "arms": [{"name": n, "results": r, "splits": splits(r)} for n, r in sorted(everyone.items())],
        "differences": [row for pair in PAIRS for row in differences(*pair)],
        "completions": [task(number, benchmark) for benchmark in ("held_out", "unconventional") for number in range(4)],
    }
    builder.add("compare", "arms", lambda p: write(p / "comparison.json", about))


def write(path: Path, value: Any) -> None:
    """Write JSON."""
    path.write_text(json.dumps(value))


def splits(found: dict[str, Any]) -> list[dict[str, Any]]:
    """A made-up similarity split."""
    value = found["held_out"]["pass_at_k"]["1"]["value"]
    row = {"benchmark": "held_out", "measure": "pass_at_1"}
    return [
        row | {"split": "similar", "problems": 31, **around(value * 1.3, 0.1, 1.0)},
        row | {"split": "not similar", "problems": 89, **around(value * 0.9, 0.08, 1.0)},
    ]


def differences(
    a: str, b: str, bits: float, low: float, high: float, share: float, worst: float, best: float
) -> list[dict[str, Any]]:
    """Two measures of one pair; the interval decides what is claimed, as in metrics.paired."""
    first = {
        "benchmark": "held_out",
        "measure": "pass_at_1",
        "better": "higher",
        "value": share,
        "low": worst,
        "high": best,
        "problems": 120,
    }
    second = {
        "benchmark": "unconventional",
        "measure": "bits_per_byte",
        "better": "lower",
        "value": bits,
        "low": low,
        "high": high,
        "problems": 50,
    }
    return [{"a": a, "b": b, **row, "claims": row["low"] > 0 or row["high"] < 0} for row in (first, second)]


def task(number: int, benchmark: str) -> dict[str, Any]:
    """A prompt with everybody's answer."""
    made = exercise(number, FAMILIES[number])
    statuses = ["failed", "crashed", "timeout", "passed", "passed", "blocked"]
    texts = [
        "    return values\n",
        HOSTILE if number == 1 else "    retrun x\n",
        "    while True:\n        pass\n",
        made.solution,
        made.solution,
        "",
    ]
    answers = {
        n: {"completion": t, "status": s} for n, t, s in zip([*ARMS, "nearest exercise"], texts, statuses, strict=True)
    }
    return {
        "benchmark": benchmark,
        "task_id": f"{benchmark}/{number}",
        "family": made.topic,
        "prompt": made.prompt,
        "solution": made.solution,
        "arms": answers,
    }


if __name__ == "__main__":
    import sys

    from hornbook.report.render import render
    from hornbook.report.run import load_run
    from hornbook.report.tables import figure_table, findings_text

    run = load_run(build(Path(sys.argv[1])))
    render(run, Path(sys.argv[1]) / "report.html")
    print(figure_table(run), findings_text(run), sep="\n")
