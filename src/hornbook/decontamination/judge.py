"""Both tiers together: is this text contaminated, by which item, on what evidence?"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

from hornbook.decontamination.ngrams import Hit, Item, NgramIndex, located
from hornbook.decontamination.rows import EXCERPT_CHARS
from hornbook.decontamination.syntax import encode, nearest_shapes, units
from hornbook.errors import InfrastructureError

BATCH_CHARS = 1 << 20
BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a row is refused. `evidence` is the shared n-gram, or the match rate and the row's function that has it."""

    tier: str  # ngram, syntax
    task_id: str
    evidence: str
    excerpt: str

    @property
    def detail(self) -> str:
        """Item and evidence, on one line."""
        return f"{self.task_id}: {self.evidence}"


class Judge:
    """Compares texts with the references, tier by tier. `ngram` and `syntax_threshold` switch a tier off when None."""

    def __init__(
        self,
        items: Sequence[Item],
        ngram: int | None,
        syntax_threshold: float | None,
        *,
        allow: Sequence[str] = (),
        count_numbers: bool = False,
    ) -> None:
        self.items = items
        self.syntax_threshold = syntax_threshold
        self.index = NgramIndex(items, ngram, allow, count_numbers=count_numbers) if ngram else None
        self.shapes = [encode(item.program) for item in items] if syntax_threshold else []

    def findings(self, texts: Sequence[str]) -> list[Finding | None]:
        """For each text why it is refused, or None. The syntax tier sees only what the n-gram tier let through."""
        hits: list[Hit | None] = self.index.find(texts) if self.index else [None] * len(texts)
        found = [by_ngram(text, hit) if hit else None for text, hit in zip(texts, hits, strict=True)]
        if self.syntax_threshold is not None:
            clean = [row for row, finding in enumerate(found) if finding is None]
            for row, finding in zip(clean, self.by_syntax([texts[row] for row in clean]), strict=True):
                found[row] = finding
        return found

    def by_syntax(self, texts: Sequence[str]) -> list[Finding | None]:
        """The closest item of each text's closest part, where their match rate reaches the threshold."""
        assert self.syntax_threshold is not None
        parts = [(row, shape, name) for row, text in enumerate(texts) for shape, name in units(text).items()]
        matches = nearest_shapes([shape for _, shape, _ in parts], self.shapes, self.syntax_threshold)
        best: dict[int, tuple[float, int, str]] = {}
        for (row, _, name), (item, rate) in zip(parts, matches, strict=True):
            if item >= 0 and rate > best.get(row, (0.0,))[0]:
                best[row] = (rate, item, name)
        return [self.as_finding(text, *best[row]) if row in best else None for row, text in enumerate(texts)]

    def as_finding(self, text: str, rate: float, item: int, name: str) -> Finding:
        """What a match of shapes is called; the excerpt begins at the function that matched."""
        begin = max(0, text.find(f"def {name}(")) if name else 0
        evidence = f"{rate:.4f}" + (f" in {name}" if name else "")
        return Finding("syntax", self.items[item].task_id, evidence, text[begin : begin + EXCERPT_CHARS])


def by_ngram(text: str, hit: Hit) -> Finding:
    """What a shared n-gram is called; the excerpt shows where it stands."""
    return Finding("ngram", hit.task_id, " ".join(hit.words), located(text, hit.words))


def judge_all(judge: Judge, texts: Iterable[str], workers: int = 1) -> Iterator[Finding | None]:
    """The finding for each text, in order, whatever the number of worker processes. A few batches are in memory."""
    if workers == 1:
        for batch in batches(texts):
            yield from judge.findings(batch)
        return
    waiting: deque[Future[list[Finding | None]]] = deque()
    try:
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=appoint, initargs=(judge,)) as pool:
            for batch in batches(texts):
                waiting.append(pool.submit(judged, batch))
                if len(waiting) > 2 * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise InfrastructureError(
            "a decontamination worker was killed, perhaps for want of memory; rerun with fewer workers"
        ) from None


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in lists of about a million characters."""
    batch: list[str] = []
    chars = 0
    for text in texts:
        batch.append(text)
        chars += len(text)
        if chars >= BATCH_CHARS or len(batch) >= BATCH_ROWS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


APPOINTED: list[Judge] = []  # in a worker process, its judge


def appoint(judge: Judge) -> None:
    """Give a worker process its judge, once."""
    APPOINTED[:] = [judge]


def judged(batch: list[str]) -> list[Finding | None]:
    """What a worker process does."""
    return APPOINTED[0].findings(batch)
