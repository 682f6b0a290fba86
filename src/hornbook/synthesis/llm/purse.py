"""What a whole job of writing costs: it asks in many rounds of several steps, and cap and forecast span them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from hornbook.errors import WorkError
from hornbook.progress import say
from hornbook.teacher.ask import Response, Teacher, Unanswered
from hornbook.teacher.money import Bill, Forecast, dollars, forecast
from hornbook.teacher.prices import price_of


@dataclass
class Purse:
    """The answers of a job without their texts, by key, each under the answer that its thing to write began with."""

    teacher: Teacher
    heard: dict[str, Response | Unanswered] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)

    def note(self, answer: Response | Unanswered, root: str) -> None:
        """Keep account of an answer. `root`: the key of the first answer about the same thing; "" for that itself."""
        slim = replace(answer, raw={}) if isinstance(answer, Response) else answer
        self.heard[answer.key] = slim
        self.roots.setdefault(answer.key, self.roots.get(root, answer.key))

    def bill(self, keys: Collection[str]) -> Bill:
        """What the answers of these keys cost."""
        bill = Bill(price_of(self.teacher.model, self.teacher.prices))
        for usage in (usage for key in keys for usage in self.heard[key].usages):
            bill.add(usage)
        return bill

    def left(self, asked: Collection[str]) -> Teacher:
        """The teacher with what its caps leave for the requests of these keys; the forecast is made here, not there."""
        spent, teacher = self.bill(self.heard.keys() - set(asked)), self.teacher
        caps: dict[str, float | None] = {"pilot": 0}
        if teacher.cap_dollars is not None:
            caps["cap_dollars"] = teacher.cap_dollars - spent.dollars
        if teacher.cap_tokens is not None:
            caps["cap_tokens"] = teacher.cap_tokens - spent.tokens
        return teacher.model_copy(update=caps)

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
