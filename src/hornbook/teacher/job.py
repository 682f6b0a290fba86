"""One job put to an endpoint: a pilot, a forecast, the rest, the repairs; and a hard stop at the cap.

missing ──► pilot ──► forecast ──► the rest (live, or in batches) ──► repairs ──► an answer or a reason for each
              each answer is in the store before anyone reads it; at the cap nothing more is sent
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from hornbook.errors import HornbookError, WorkError
from hornbook.progress import say
from hornbook.teacher.ask import Teacher
from hornbook.teacher.batches import Desk
from hornbook.teacher.endpoint import CHAT, Client, Endpoint, Halt, ask_all, unknown
from hornbook.teacher.faults import Fault
from hornbook.teacher.money import Bill, dollars, forecast, priced, usage_of
from hornbook.teacher.panel import Panel
from hornbook.teacher.purse import Purse, beyond
from hornbook.teacher.request import Request, Response, Unanswered, Usage
from hornbook.teacher.store import ResponseStore
from hornbook.teacher.structure import FORMS, chat_body, fault_of, mended

WORTH_A_PILOT = 5  # a job is worth a pilot when it holds this many times as many requests
IN_A_ROW = 10  # requests that end without an answer one after another: the server is not there, or not what we think


def settle(request: Request, store: ResponseStore) -> Response | Unanswered | None:
    """What the store says to a request: a usable answer, mended or not; why there is none; None if it knows nothing."""
    usages: list[Usage] = []
    reason, asked, said = store.unanswered(request.key), request, ""
    while (row := store.row(asked.key)) is not None:
        usages.append(usage_of(asked, row["response"], row.get("mode") == "batch"))
        reason, _ = fault_of(asked, row["response"])
        if not reason:
            return Response(request.key, row["response"], tuple(usages), request.schema)
        said = Response("", row["response"]).text
        repair = mended(asked, row["response"])
        if repair is None:
            break
        asked = repair
    return None if reason is None else Unanswered(request.key, reason, tuple(usages), said)


class Job:
    """The requests of one call of `consult`, their bill, and what ended without an answer.

    `purse`: the account of the whole job, where it calls several times.
    """

    def __init__(
        self, teacher: Teacher, requests: Sequence[Request], store: ResponseStore, label: str, purse: Purse | None
    ) -> None:
        self.teacher, self.store, self.label = teacher, store, label
        self.purse = Purse(teacher) if purse is None else purse
        self.requests = list({request.key: request for request in requests}.values())
        self.bill = Bill(priced(teacher), earlier=self.purse.spent)
        self.lost: dict[str, Fault] = {}  # key of the request asked → what went wrong at the last try
        self.form, self._form_is_known = FORMS[0], False
        self.endpoint = Endpoint(**{name: getattr(teacher, name) for name in Endpoint.model_fields})
        self.pace = self.endpoint.pace()
        for request in self.requests:
            for usage in self.purse.unnoted(request.key, self.received(request)):
                self.bill.add(usage)
        done = len(self.requests) - len(unknown(self.requests, self.store)) - len(self.repairs(self.requests))
        self.panel = Panel(label, len(self.requests), done, self.bill)

    def received(self, request: Request) -> tuple[Usage, ...]:
        """The tokens of all that came for a request."""
        found = settle(request, self.store)
        return found.usages if found else ()

    def run(self) -> None:
        """Ask until every request has an answer or a reason. Raises WorkError at the cap, everything kept."""
        with self.panel:
            pilot = self.pilot()
            if pilot:
                self.ask(pilot)
                self.ask(self.repairs(pilot))
                self.look_ahead(pilot)
            if self.teacher.mode == "batch":
                self.ask_in_batches(unknown(self.requests, self.store))
            self.ask(self.unasked(self.requests))
            if repairs := self.repairs(self.requests):
                self.panel.update(note=f"mending {len(repairs):,} answers")
                self.ask(repairs)
        self.check_some_came()
        for key, fault in self.lost.items():
            self.store.put_unanswered(key, fault.reason)

    def pilot(self) -> list[Request]:
        """Requests to look at before the rest, if the job is worth it. Keys are digests: their order is random."""
        missing = sorted(unknown(self.requests, self.store), key=lambda request: request.key)
        worth = self.teacher.pilot >= 2 and len(missing) >= WORTH_A_PILOT * self.teacher.pilot
        return missing[: self.teacher.pilot] if worth else []

    def look_ahead(self, pilot: Sequence[Request]) -> None:
        """Say what the whole job will cost. Raises WorkError when all of the interval lies beyond the cap."""
        batch = self.teacher.mode == "batch"
        spent = [[replace(usage, batch=batch) for usage in self.received(request)] for request in pilot]
        tokens = [float(sum(usage.tokens for usage in usages)) for usages in spent]
        rest, so_far = len(unknown(self.requests, self.store)), self.bill.whole()
        whole = forecast(tokens, rest, so_far.tokens)
        said = f"{whole.low:,.0f} to {whole.high:,.0f} tokens"
        over = "cap_tokens" * beyond(whole, self.teacher.cap_tokens)
        if self.bill.price is not None:
            price = self.bill.price
            costs = [sum(map(price.of, usages)) for usages in spent]
            self.panel.forecast = whole = forecast(costs, rest, so_far.dollars)
            said = f"{dollars(whole.low)} to {dollars(whole.high)}, {said}"
            over = "cap_dollars" * beyond(whole, self.teacher.cap_dollars) or over
        say(f"  {self.label} · pilot of {len(pilot)}: the whole job will take {said} (95 %)")
        if over:
            raise WorkError(f"{self.label}: the whole job will take {said}, which is over its cap; {self.go_on(over)}")

    def ask(self, requests: Sequence[Request]) -> None:
        """Put requests to the endpoint, several at once, until all have ended or the cap is reached."""
        requests = random.sample(requests, len(requests))  # two processes at the same job meet seldom
        questions = [partial(self.chat, request) for request in requests]
        ask_all(
            self.endpoint,
            self.pace,
            questions,
            lambda place, raw: self.keep(requests[place], raw),
            lambda place, fault: self.lose(requests[place], fault),
            lambda: bool(self.bill.reached(self.teacher)),
        )
        self.check_cap(requests)

    async def chat(self, request: Request, client: Client, halted: Halt) -> dict[str, Any]:
        """One answer; a schema is asked for in the strongest form that the server takes."""
        if (known := self.store.get(request.key)) is not None:
            return known  # another process had it answered meanwhile
        forms = FORMS[FORMS.index(self.form) :] if request.schema else FORMS[:1]
        for form in forms:
            try:
                raw = await client.post(CHAT, chat_body(request, form), halted, partial(self.check_own, request))
            except Fault as fault:
                if fault.reason != "refused" or fault.fatal or form == forms[-1]:
                    raise
            else:
                if request.schema and not self._form_is_known:
                    self.form, self._form_is_known = form, True
                return raw
        raise AssertionError("unreachable")

    def ask_in_batches(self, requests: Sequence[Request]) -> None:
        """Put requests to the server's Batch API, and wait for what is there already."""
        desk = Desk(self.teacher, self.store, self.form, self.bill, self.panel.update)
        desk.ask(requests, partial(self.keep, mode="batch"), partial(self.lose, mode="batch"))
        self.check_cap(requests)

    def keep(self, request: Request, raw: dict[str, Any], mode: str = "live") -> None:
        """An answer came: onto the disk before anything else, then onto the bill."""
        raw = self.store.put(request.key, raw, request=asdict(request), mode=mode)
        self.bill.add(usage_of(request, raw, mode == "batch"))
        self.purse.streak = 0
        self.lost.pop(request.key, None)
        reason, _ = fault_of(request, raw)
        if reason and mended(request, raw) is None:
            self.bill.failed[reason] += 1
        self.panel.update(done=not reason)

    def lose(self, request: Request, fault: Fault, mode: str = "live") -> None:
        """A request ended without an answer. Raises what a person is told when no other would fare better."""
        self.lost[request.key] = fault
        self.bill.failed[fault.reason] += 1
        known = fault.reason != "no-connection" and self.store.unanswered(request.key) == fault.reason
        self.purse.streak += mode == "live" and not known  # what failed alike in an earlier run says nothing new
        self.panel.update()
        if fault.fatal or self.purse.streak >= IN_A_ROW:
            raise fault.error

    def repairs(self, requests: Sequence[Request]) -> list[Request]:
        """The further requests that unusable answers are worth."""
        raws = ((request, self.store.get(request.key)) for request in requests)
        found = [mended(request, raw) for request, raw in raws if raw is not None]
        return unknown([repair for repair in found if repair is not None], self.store)

    def check_cap(self, requests: Sequence[Request]) -> None:
        """Raise WorkError when the cap left requests unasked."""
        reached = self.bill.reached(self.teacher)
        if reached and self.unasked(requests):
            spent = self.bill.whole().say()
            raise WorkError(f"{self.label}: stopped at {reached}: {spent}, all kept; {self.go_on(reached.split()[0])}")

    def unasked(self, requests: Sequence[Request]) -> list[Request]:
        """Requests that have neither an answer nor a reason yet."""
        return [request for request in unknown(requests, self.store) if request.key not in self.lost]

    def check_own(self, request: Request, raw: dict[str, Any]) -> None:
        """A reply with the id and every byte of one that another request had is not the answer to this. Raises Fault.

        A server that remembers its answers may give one to several attempts at the same.
        """
        owner = self.store.owner(raw)
        if owner is not None and owner != request.key:
            row = self.store.row(owner) or {}
            if row.get("request", {}).get("messages") != [list(message) for message in request.messages]:
                told = f"{self.teacher.url}: gave reply {raw['id']!r} to two requests; what came is kept, run again"
                raise Fault("duplicate", WorkError(told))

    def go_on(self, cap: str) -> str:
        """What to do at the cap of this name."""
        missing = len(unknown(self.requests, self.store)) + len(self.repairs(self.requests))
        return f"{missing:,} requests are not answered: raise {cap} and run again, or ask for fewer"

    def check_some_came(self) -> None:
        """A job of which nothing was answered has failed, however small: raise what was wrong with the last.

        So has a call of which nothing was; but a small call of a job that had answers before may be one bad request.
        """
        nothing = len(unknown(self.requests, self.store)) == len(self.requests)
        if self.lost and nothing and (len(self.requests) >= IN_A_ROW or not self.purse.answered):
            error: HornbookError = list(self.lost.values())[-1].error
            raise error
