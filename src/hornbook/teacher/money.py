"""What a job of requests has cost, what it will have cost in the end, and where it must stop."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hornbook.artifacts import Ledger
from hornbook.errors import RequestError
from hornbook.teacher.ask import Teacher
from hornbook.teacher.prices import MILLION, Price, price_of
from hornbook.teacher.request import Request, Response, Unanswered, Usage

BYTES_PER_TOKEN = 4  # where a server does not count


def usage_of(request: Request, raw: dict[str, Any], batch: bool = False) -> Usage:
    """The tokens of an answer as its server counted them, else guessed from its length."""
    try:
        said = raw["usage"]
        counted = Usage(int(said["prompt_tokens"]), int(said["completion_tokens"] or 0), batch)
    except (KeyError, TypeError, ValueError, OverflowError):
        counted = Usage(-1, -1)
    if min(counted.prompt_tokens, counted.completion_tokens) >= 0:
        return counted
    answer = len(Response("", raw).text.encode())
    return Usage(-(-request.bytes // BYTES_PER_TOKEN), -(-answer // BYTES_PER_TOKEN), batch, guessed=True)


@dataclass
class Bill:
    """The running sums of a job. `price` None: nobody knows what the model costs, and dollars stay at 0.

    `earlier`: what the job's earlier calls cost; a cap counts it too.
    """

    price: Price | None
    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float = 0.0
    guessed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    each: list[Usage] = field(default_factory=list)
    earlier: Bill | None = None

    def add(self, usage: Usage) -> None:
        """Count one received answer."""
        self.answers += 1
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        self.dollars += self.price.of(usage) if self.price else 0.0
        self.guessed += usage.guessed
        self.each.append(usage)

    @property
    def tokens(self) -> int:
        """Prompts and answers together."""
        return self.prompt_tokens + self.completion_tokens

    def whole(self) -> Bill:
        """The bill of the whole job so far, its earlier calls included."""
        if self.earlier is None:
            return self
        sums = ("answers", "prompt_tokens", "completion_tokens", "dollars", "guessed")
        return Bill(self.price, **{name: getattr(self, name) + getattr(self.earlier, name) for name in sums})

    def reached(self, teacher: Teacher) -> str:
        """The cap that the job has reached, in words; empty while it may go on."""
        whole = self.whole()
        if teacher.cap_dollars is not None and whole.dollars >= teacher.cap_dollars:
            return f"cap_dollars {teacher.cap_dollars:g}"
        if teacher.cap_tokens is not None and whole.tokens >= teacher.cap_tokens:
            return f"cap_tokens {teacher.cap_tokens}"
        return ""

    def say(self) -> str:
        """What was received and what it cost, in words."""
        money = dollars(self.dollars) if self.price else "no price known"
        return f"{self.answers:,} answers, {self.tokens:,} tokens, {money}"


@dataclass(frozen=True)
class Forecast:
    """What a whole job will have taken: the expected value, and an interval that holds it in 95 % of such jobs."""

    expected: float
    low: float
    high: float


def forecast(costs: Sequence[float], remaining: int, certain: float = 0.0) -> Forecast:
    """From the costs of n answers drawn at random, the cost of `remaining` more like them, and `certain` on top.

    A prediction interval for a sum of independent costs: m·r ± t·s·√(r + r²/n), with mean m and standard deviation s
    of the sample. `costs` holds at least two. The low end is never below `certain`.
    """
    n, mean, spread = len(costs), statistics.mean(costs), statistics.stdev(costs)
    half = student(n - 1) * spread * math.sqrt(remaining + remaining**2 / n)
    middle = mean * remaining
    return Forecast(certain + middle, certain + max(0.0, middle - half), certain + middle + half)


def student(degrees: int) -> float:
    """The 97.5 % quantile of Student's t, by three terms of Abramowitz and Stegun 26.7.5.

    >>> [round(student(n), 2) for n in (4, 19, 1000)]
    [2.77, 2.09, 1.96]
    """
    z = statistics.NormalDist().inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


def dollars(amount: float) -> str:
    """Money for people: two figures at least.

    >>> dollars(1234.5), dollars(0.5), dollars(0.00123)
    ('$1,234.50', '$0.50', '$0.0012')
    """
    places = 2 if amount >= 0.1 or amount <= 0 else 1 - math.floor(math.log10(amount))
    return f"${amount:,.{places}f}"


def priced(teacher: Teacher) -> Price | None:
    """The price of the teacher's model. Raises RequestError when a cap in dollars could not be kept to."""
    price = price_of(teacher.model, teacher.prices)
    if price is None and teacher.cap_dollars is not None:
        raise RequestError(
            f"cap_dollars {teacher.cap_dollars:g}: no price is known for model {teacher.model!r}; give one with "
            f"`prices: {{{teacher.model}: {{input: …, output: …}}}}` (dollars a million tokens), or use cap_tokens"
        )
    return price


def account(
    ledger: Ledger, teacher: Teacher, answers: Iterable[Response | Unanswered], kept: Collection[str]
) -> dict[str, Any]:
    """Add what a stage's answers cost to its ledger, and say what a *kept* token cost.

    `kept`: keys of the answers that became a row of the result. A kept token is one that the model wrote in such an
    answer. Goes into `ledger.tokens`, `ledger.dollars`, `ledger.asked` and `ledger.figures["teacher"]`; may be called
    once a job. The figures are those of the answers, whoever paid for them and when.
    """
    found = list(answers)
    ledger.asked |= {answer.key for answer in found}
    bill, good = Bill(price_of(teacher.model, teacher.prices)), Bill(None)
    for answer in found:
        for usage in answer.usages:
            bill.add(usage)
        if answer.key in kept:
            good.add(answer.usages[-1] if answer.usages else Usage(0, 0))
    missing = Counter(answer.reason for answer in found if isinstance(answer, Unanswered))
    ledger.tokens += bill.tokens
    ledger.dollars = round(ledger.dollars + bill.dollars, 9)
    about = figures(bill, len(found), missing, good.completion_tokens)
    ledger.figures.setdefault("teacher", {})[teacher.model] = about
    return about


def figures(bill: Bill, requests: int, missing: Counter[str], kept_tokens: int) -> dict[str, Any]:
    """A bill as a manifest holds it. Prices that nobody knows are None, never 0."""
    known = bill.price is not None
    return {
        "requests": requests,
        "answers": bill.answers,
        "unanswered": dict(sorted(missing.items())),
        "prompt_tokens": bill.prompt_tokens,
        "completion_tokens": bill.completion_tokens,
        "answers_with_guessed_tokens": bill.guessed,
        "kept_tokens": kept_tokens,
        "tokens_per_kept_token": round(bill.tokens / kept_tokens, 4) if kept_tokens else None,
        "dollars": round(bill.dollars, 9) if known else None,
        "dollars_per_million_kept_tokens": round(bill.dollars / kept_tokens * MILLION, 6)
        if known and kept_tokens
        else None,
    }
