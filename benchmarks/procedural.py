"""Is what the procedural writer writes sound, different, killed by its tests, and quick to write?

    python benchmarks/procedural.py -n 20000      all of it: about 20 minutes on two quiet cores
    python benchmarks/procedural.py -n 500        the same figures of fewer rows
    python benchmarks/procedural.py -n 20000 --rows DIR --quick      only what can be read off rows already written

Prints one line a figure with the bar that it must pass, and ends with status 1 when one does not. Nothing is believed
that the rows say of themselves: programs are run here by a plain `python -I -S` apart, a fork for each row and no
sandbox; mutants are made anew; trees, 5-grams and docstrings are taken from the text. The writer is timed through the
function that `hornbook write exercises` calls, on two processors.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from hornbook.records import Exercise, read_dataset
from hornbook.synthesis.counting import count_compositions, disjoint
from hornbook.synthesis.families import FAMILIES
from hornbook.synthesis.families.base import Family, at, size
from hornbook.synthesis.families.probe import Probe
from hornbook.tasks.mutate import mutants

CORES = 2
ALIKE = 0.8
ROWS_A_PROCESS = 250

# Runs (program, tests, name, mutants) a line; answers "1" for each of solution and mutants that passes, "0" else.
PLAIN = """
import json, os, resource, signal, sys
def passed(source, tests, name):
    space, judge = {"__name__": "program"}, {"__name__": "tests"}
    signal.setitimer(signal.ITIMER_PROF, 1.0)
    try:
        exec(compile(source, "program", "exec"), space)
        exec(compile(tests, "tests", "exec"), judge)
        judge["check"](space[name])
        return "1"
    except BaseException:
        return "0"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
def late(*_):
    raise TimeoutError
def row(source, tests, name, others):
    read, write = os.pipe()
    done = ""
    while len(done) <= len(others):
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            signal.signal(signal.SIGPROF, late)
            sys.stdout = open(os.devnull, "w")
            for text in [source, *others][len(done):]:
                os.write(write, passed(text, tests, name).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.write(write, b".")
        done += os.read(read, 1 << 16).decode().rstrip(".")
        if len(done) <= len(others):
            done += "0"  # the one in hand ended the process
    os.close(read), os.close(write)
    return done
for line in sys.stdin:
    print(row(*json.loads(line)), flush=True)
"""


def run_apart(jobs: Sequence[tuple[str, str, str, list[str]]]) -> list[str]:
    """What became of each job's solution and mutants, in plain interpreters of their own."""

    def batch(start: int) -> list[str]:
        lines = "\n".join(json.dumps(job) for job in jobs[start : start + ROWS_A_PROCESS])
        command = [sys.executable, "-I", "-S", "-c", PLAIN]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
        return done.stdout.split()

    with ThreadPoolExecutor(CORES) as pool:
        return [result for part in pool.map(batch, range(0, len(jobs), ROWS_A_PROCESS)) for result in part]


def docstring(exercise: Exercise) -> str:
    """The docstring of the exercise's function."""
    tree = ast.parse(exercise.prompt + exercise.solution)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return ast.get_docstring(functions[exercise.name]) or ""


def shape(program: str) -> str:
    """The program without docstrings, its own names numbered in the order in which they come up in its text."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    text = ast.unparse(tree)
    own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    own |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    order: dict[str, str] = {}
    return re.sub(
        r"(?<![\w.\"'])[A-Za-z_]\w*(?![\w\"'])",
        lambda m: order.setdefault(m[0], f"v{len(order)}") if m[0] in own else m[0],
        text,
    )


def bare_tests(exercise: Exercise) -> str:
    """The tests as sorted lines."""
    return "\n".join(sorted(line.strip() for line in exercise.tests.splitlines() if line.strip()))


def alike(rows: Sequence[Exercise]) -> tuple[int, int]:
    """Pairs of rows whose word 5-grams (docstring, solution) have a Jaccard of 0.8 or more, and rows in such pairs."""
    numbers: dict[tuple[str, ...], int] = {}
    held = []
    for row in rows:
        words = re.findall(r"\w+|[^\w\s]", docstring(row)) + re.findall(r"\w+|[^\w\s]", row.solution)
        grams = {tuple(words[i : i + 5]) for i in range(len(words) - 4)}
        held.append([numbers.setdefault(gram, len(numbers)) for gram in grams])
    sizes = np.array([len(grams) for grams in held])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    matrix = csr_matrix((np.ones(starts[-1], np.int32), np.concatenate(held), starts), (len(rows), len(numbers)))
    turned, pairs, touched = matrix.T.tocsr(), 0, set()
    for start in range(0, len(rows), 500):
        shared = (matrix[start : start + 500] @ turned).tocoo()
        left, right = shared.row + start, shared.col
        near = (right > left) & (shared.data >= ALIKE * (sizes[left] + sizes[right] - shared.data))
        pairs += int(near.sum())
        touched |= {*left[near].tolist(), *right[near].tolist()}
    return pairs, len(touched)


class Board:
    """Prints figures with their bars and remembers what failed."""

    def __init__(self) -> None:
        self.failed = 0

    def show(self, what: str, figure: str, bar: str = "", good: bool = True) -> None:
        """One line."""
        self.failed += not good
        print(f"{'  ' if good else '✗ '}{what:58} {figure:>14}  {bar}", flush=True)


def write(n: int, seed: int, mutants_each: int, out: Path) -> tuple[float, float]:
    """Write rows in an interpreter of their own; (seconds on the clock, CPU seconds of all processes)."""
    text = (
        "import sys; from pathlib import Path; from hornbook.artifacts import Ledger\n"
        "from hornbook.synthesis.write import WriteExercises, write_exercises\n"
        "n, seed, mutants, out = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])\n"
        "config = WriteExercises(n=n, held_out=0, seed=seed, mutants=mutants)\n"
        "write_exercises(config, responses=out, out=out, ledger=Ledger())\n"
    )
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", text, *map(str, (n, seed, mutants_each, out))]
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    subprocess.run(command, check=True, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def digest(folder: Path) -> str:
    """The bytes of all files of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def check_speed(board: Board, n: int, folder: Path, counted: int) -> None:
    """Write the rows twice with one seed, once with another, and some with mutants."""
    for name, seed in (("a", 0), ("b", 1), ("again", 0)):
        seconds, cpu = write(n, seed, 0, folder / name)
        if name == "a":
            board.show(
                "written a minute, solution and tests run",
                f"{60 * n / seconds:,.0f}",
                "≥ 5,000",
                60 * n / seconds >= 5000,
            )
            board.show("  CPU seconds per 1,000, all processes", f"{1000 * cpu / n:.1f}")
    same = digest(folder / "a") == digest(folder / "again")
    board.show("same seed, same bytes", "yes" if same else "no", "yes", same)
    seconds, cpu = write(counted, 0, 5, folder / "mutants")
    rate = 60 * counted / seconds
    board.show(f"written a minute, 5 mutants each run too ({counted:,} rows)", f"{rate:,.0f}", "≥ 1,000", rate >= 1000)
    board.show("  CPU seconds per 1,000, all processes", f"{1000 * cpu / counted:.1f}")
    rows = list(read_dataset(folder / "mutants" / "exercises", Exercise))
    killed = sum(row.mutants_killed for row in rows) / sum(row.mutants for row in rows)
    board.show("  killed in the sandbox, by the rows' own count", f"{killed:.2%}", "≥ 90 %", killed >= 0.9)


def check_rows(board: Board, rows: list[Exercise], most: int = 10) -> None:
    """Run solutions and `most` mutants of each apart; look for what repeats."""
    jobs = [(row.prompt + row.solution, row.tests, row.name, mutants(row.prompt + row.solution, most)) for row in rows]
    found = run_apart(jobs)
    sound = sum(result[0] == "1" for result in found)
    board.show("pass their tests in a plain interpreter", f"{sound:,} of {len(rows):,}", "all", sound == len(rows))
    fewest = min(len(job[3]) for job in jobs)
    board.show("fewest mutants of one row", f"{fewest}", "≥ 5", fewest >= 5)
    tried, killed = sum(len(r) - 1 for r in found), sum(r[1:].count("0") for r in found)
    board.show(f"mutants killed (of {tried:,})", f"{killed / tried:.2%}", "≥ 90 %", killed >= 0.9 * tried)
    weakest = Counter[str]()
    for row, result in zip(rows, found, strict=True):
        weakest[row.topic] += result[1:].count("1")
    board.show("  survivors, most of one family", f"{weakest.most_common(1)[0][1]:,}", weakest.most_common(1)[0][0])
    for what, keys in (
        ("names", [row.name for row in rows]),
        ("docstrings", [docstring(row) for row in rows]),
        ("(normalised solution, tests)", [(shape(j[0]), bare_tests(r)) for j, r in zip(jobs, rows, strict=True)]),
    ):
        twice = len(rows) - len(set(keys))
        board.show(f"repeated {what}", f"{twice:,}", "0", twice == 0)
    pairs, touched = alike(rows)
    share = pairs / (len(rows) * (len(rows) - 1) / 2)
    board.show("pairs of 5-gram Jaccard ≥ 0.8, of all pairs", f"{share:.5%}", "≤ 5 %", share <= 0.05)
    board.show("  rows in such a pair, of all rows", f"{touched / len(rows):.2%}", "≤ 5 %", touched <= 0.05 * len(rows))


def check_overlap(board: Board, rows: list[Exercise], others: list[Exercise]) -> None:
    """What two seeds have in common."""
    for what, mine, theirs in (
        ("ids", {row.id for row in rows}, {row.id for row in others}),
        ("normalised solutions", shapes(rows), shapes(others)),
    ):
        share = len(mine & theirs) / len(mine)
        board.show(f"another seed: {what} in common", f"{share:.2%}", "< 1 %", share < 0.01)


def shapes(rows: Iterable[Exercise]) -> set[str]:
    """The normalised solutions, imports and all."""
    return {shape(row.prompt + row.solution) for row in rows}


def check_kinds(board: Board, rows: list[Exercise]) -> None:
    """Families, styles and levels, from the recipes that the rows carry."""
    recipes: list[dict[str, Any]] = [json.loads(row.provenance.recipe) for row in rows]
    for what in ("family", "style", "difficulty"):
        counts = Counter(str(recipe[what]) for recipe in recipes)
        told = (
            ", ".join(f"{name} {count / len(rows):.0%}" for name, count in counts.most_common())
            if len(counts) < 12
            else ""
        )
        board.show(f"{what}: different", f"{len(counts)}", told)
    board.show("docstrings with a computed example", f"{sum('>>>' in row.prompt for row in rows) / len(rows):.1%}")


def behaviours(family: Family, drawn: int) -> int:
    """How many different behaviours a family has, at the least, from those that were drawn once and twice (Chao, 1984).

    The more of those drawn were never drawn again, the more there are unseen: f1² / 2 f2 at the least. f2 is taken two
    standard deviations and three higher than it was seen. Alike are those that return the same on the whole pool.
    """
    whole, draw = disjoint(family), random.Random(family.name)
    weights = [size(edition) for edition in whole]
    seen = Counter[str]()
    while seen.total() < drawn:
        edition = draw.choices(whole, weights)[0]
        composition = at(edition, draw.randrange(size(edition)))
        if family.allowed(composition.choice):
            seen[Probe(composition).fingerprint] += 1
    times = Counter(seen.values())
    return len(seen) + int(times[1] ** 2 / 2 / (times[2] + 2 * times[2] ** 0.5 + 3))


def check_behaviours(board: Board, drawn: int) -> None:
    """Count compositions as the package does, and measure how many of them behave differently."""
    counted = count_compositions()
    total = sum(counted.values())
    board.show("compositions that the families admit, at least", f"{total:,}", "≥ 10,000,000", total >= 1e7)
    different = sum(min(counted[name], behaviours(family, drawn)) for name, family in FAMILIES.items())
    board.show(f"  that behave differently, by {drawn:,} a family", f"{different:,}", "≥ 10,000,000", different >= 1e7)


def main() -> None:
    """Check every figure."""
    parser = argparse.ArgumentParser(description="Checks the procedural exercise writer against its bars.")
    parser.add_argument("-n", type=int, default=20_000, help="rows a seed")
    parser.add_argument("--mutant-rows", type=int, default=2_000, help="rows of the timing with mutants")
    parser.add_argument("--mutants", type=int, default=10, help="of each solution, spread over it, run here")
    parser.add_argument("--drawn", type=int, default=5_000, help="compositions a family whose behaviour is compared")
    parser.add_argument("--rows", type=Path, help="keep the rows here")
    parser.add_argument("--quick", action="store_true", help="use the rows that lie there")
    options = parser.parse_args()
    board = Board()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.rows or Path(scratch)
        if not options.quick:
            check_speed(board, options.n, folder, min(options.n, options.mutant_rows))
        rows = list(read_dataset(folder / "a" / "exercises", Exercise))
        others = list(read_dataset(folder / "b" / "exercises", Exercise))
        check_rows(board, rows, options.mutants)
        check_overlap(board, rows, others)
        check_kinds(board, rows)
        check_behaviours(board, options.drawn)
    sys.exit(1 if board.failed else 0)


if __name__ == "__main__":
    main()
