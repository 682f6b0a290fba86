"""What a job costs that calls its teacher many times, in rounds of several steps: cap and forecast span them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from hornbook.errors import WorkError
from hornbook.progress import say
from hornbook.teacher.ask import Teacher
from hornbook.teacher.money import Bill, Forecast, dollars, forecast
from hornbook.teacher.prices import price_of
from hornbook.teacher.request import Response, Unanswered, Usage


@dataclass
class Purse:
    """The answers of a job without their texts, by key, each under the answer that its thing to write began with.

    `spent`: their sum. `answered`: whether any request was. `streak`: how many ended without an answer one after
    another, whatever the call.
    """

    teacher: Teacher
    heard: dict[str, Response | Unanswered] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    spent: Bill = field(init=False)
    answered: bool = False
    streak: int = 0

    def __post_init__(self) -> None:
        self.spent = self.bill(())

    def note(self, answer: Response | Unanswered, root: str = "") -> None:
        """Keep account of an answer. `root`: the key of the first answer about the same thing; "" for that itself."""
        for usage in self.unnoted(answer.key, answer.usages):
            self.spent.add(usage)
        self.answered = self.answered or isinstance(answer, Response)
        self.heard[answer.key] = replace(answer, raw={}) if isinstance(answer, Response) else answer
        self.roots.setdefault(answer.key, self.roots.get(root, answer.key))

    def unnoted(self, key: str, usages: Sequence[Usage]) -> Sequence[Usage]:
        """Of what was received for a request, the part that is not on the account yet."""
        return usages[len(self.heard[key].usages) :] if key in self.heard else usages

    def given_up(self, key: str) -> Unanswered | None:
        """What ended without an answer, which it stays within a job: a replay could not tell a second try."""
        heard = self.heard.get(key)
        return heard if isinstance(heard, Unanswered) else None

    def bill(self, keys: Collection[str]) -> Bill:
        """What the answers of these keys cost."""
        bill = Bill(price_of(self.teacher.model, self.teacher.prices))
        for usage in (usage for key in keys for usage in self.heard[key].usages):
            bill.add(usage)
        return bill

    def look_ahead(self, done: int, total: int, what: str) -> None:
        """Say what the whole job will take, from the costs of what was written first.

        Raises WorkError when all of the 95 % interval lies beyond a cap.
        """
        by_root: dict[str, list[str]] = defaultdict(list)
        for key, root in self.roots.items():
            by_root[root].append(key)
        bills = [self.bill(keys) for keys in by_root.values()]
        if len(bills) < 2:
            return
        tokens = self.whole([float(bill.tokens) for bill in bills], total - done)
        told, over = f"{tokens.low:,.0f} to {tokens.high:,.0f} tokens", beyond(tokens, self.teacher.cap_tokens)
        if bills[0].price is not None:
            cost = self.whole([bill.dollars for bill in bills], total - done)
            told = f"{dollars(cost.low)} to {dollars(cost.high)}, {told}"
            over = over or beyond(cost, self.teacher.cap_dollars)
        say(f"  {what} · pilot of {done}: all {total:,} will take {told} (95 %)")
        if over:
            raise WorkError(
                f"{what}: all {total:,} will take {told}, which is over the cap; raise it, or ask for fewer"
            )

    def whole(self, costs: Sequence[float], remaining: int) -> Forecast:
        """The forecast for a job of which these were the first costs."""
        return forecast(costs, remaining, sum(costs))


def beyond(whole: Forecast, cap: float | None) -> bool:
    """Whether all of an interval lies over a cap."""
    return cap is not None and whole.low > cap
