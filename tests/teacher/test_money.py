"""Prices, bills, forecasts: sums worked out by hand."""

from __future__ import annotations

import datetime
import random
import statistics

import pytest

from hornbook.artifacts import Ledger
from hornbook.errors import RequestError
from hornbook.teacher.ask import Request, Response, Teacher, Unanswered
from hornbook.teacher.money import Bill, Forecast, account, forecast, priced, usage_of
from hornbook.teacher.panel import Panel
from hornbook.teacher.prices import Price, packaged, price_of
from hornbook.teacher.request import Usage

REQUEST = Request("m", (("system", "four"), ("user", "fünf")))  # 4 and 5 bytes
PRICE = Price(input=2.0, output=8.0)


def asking(**values: object) -> Teacher:
    return Teacher(provider="endpoint", model="m", **values)


def test_every_packaged_price_has_a_day_and_costs_more_to_write_than_to_read() -> None:
    for name, price in packaged().items():
        assert price.as_of is not None, name
        assert datetime.date(2025, 1, 1) <= price.as_of <= datetime.date.today(), name
        assert 0 < price.input < price.output, name


def test_a_recipes_price_comes_before_the_packaged_one_and_a_release_costs_what_its_model_costs() -> None:
    assert price_of("gpt-4o-mini-2024-07-18", {}) == price_of("gpt-4o-mini", {}) == packaged()["gpt-4o-mini"]
    assert price_of("gpt-4o-mini", {"gpt-4o-mini": PRICE}) == PRICE
    assert price_of("my/own", {}) is None


def test_tokens_are_those_the_server_counted_or_a_quarter_of_the_bytes() -> None:
    assert usage_of(REQUEST, {"usage": {"prompt_tokens": 7, "completion_tokens": 3}}) == Usage(7, 3)
    said = {"choices": [{"message": {"content": "12345"}}]}
    for usage in ({}, {"usage": None}, {"usage": {"prompt_tokens": None}}):
        assert usage_of(REQUEST, {**said, **usage}) == Usage(3, 2, guessed=True)  # 9 and 5 bytes, rounded up


def test_batches_are_cheaper() -> None:
    assert PRICE.of(Usage(500_000, 250_000)) == 3.0
    assert PRICE.of(Usage(500_000, 250_000, batch=True)) == 1.5


def test_a_cap_in_dollars_needs_a_price() -> None:
    with pytest.raises(RequestError, match="cap_dollars 2: no price is known for model 'm'; give one with `prices:"):
        priced(asking(cap_dollars=2))
    assert priced(asking(cap_tokens=2)) is None
    assert priced(asking(cap_dollars=2, prices={"m": PRICE})) == PRICE


def test_a_bill_says_which_cap_it_has_reached() -> None:
    bill = Bill(PRICE)
    bill.add(Usage(1_000_000, 1_000_000))
    assert bill.dollars == 10.0
    assert bill.reached(asking(cap_dollars=10)) == "cap_dollars 10"
    assert bill.reached(asking(cap_tokens=2_000_000)) == "cap_tokens 2000000"
    assert bill.reached(asking(cap_dollars=10.01, cap_tokens=2_000_001)) == bill.reached(asking()) == ""


def test_a_forecast_worked_out_by_hand() -> None:
    found = forecast([1.0, 2.0, 3.0], remaining=9, certain=6.0)  # t(2) = 4.30, s = 1, √(9 + 81/3) = 6
    assert found.expected == 24.0
    assert found.high == pytest.approx(24 + 4.30 * 6, rel=0.05)  # the expansion is 4 % short with two degrees
    assert found.low == 6.0  # never below what is spent
    assert forecast([2.0] * 20, 100) == Forecast(200.0, 200.0, 200.0)


def test_nineteen_of_twenty_whole_jobs_cost_what_their_pilot_said() -> None:
    draw, held = random.Random(1), 0
    for _ in range(600):
        costs = [draw.lognormvariate(0, 0.6) for _ in range(500)]
        found = forecast(costs[:20], 480, sum(costs[:20]))
        held += found.low <= sum(costs) <= found.high
    assert 0.90 <= held / 600 <= 0.98


def test_what_a_kept_token_cost() -> None:
    ledger, teacher = Ledger(), asking(prices={"m": PRICE})
    answers = [
        Response("kept", {}, (Usage(1000, 100), Usage(2000, 400))),  # mended: the second answer is the one kept
        Response("dropped", {}, (Usage(1000, 500),)),
        Unanswered("cut", "length", (Usage(1000, 600),)),
        Unanswered("gone", "timeout"),
    ]
    about = account(ledger, teacher, answers, {"kept"})
    assert (ledger.tokens, ledger.dollars) == (6600, pytest.approx((5000 * 2 + 1600 * 8) / 1e6))
    assert ledger.figures["teacher"]["m"] == about
    assert about == {
        "requests": 4,
        "answers": 4,
        "unanswered": {"length": 1, "timeout": 1},
        "prompt_tokens": 5000,
        "completion_tokens": 1600,
        "answers_with_guessed_tokens": 0,
        "kept_tokens": 400,
        "tokens_per_kept_token": 16.5,
        "dollars": 0.0228,
        "dollars_per_million_kept_tokens": 57.0,
    }


def test_a_model_without_a_price_costs_nobody_knows_what() -> None:
    about = account(Ledger(), asking(), [Response("k", {}, (Usage(1, 1),))], set())
    assert about["dollars"] is about["dollars_per_million_kept_tokens"] is about["tokens_per_kept_token"] is None


def test_the_panel_says_how_the_job_stands() -> None:
    bill = Bill(PRICE)
    panel = Panel("job", 400, 100, bill)
    for _ in range(200):
        bill.add(Usage(1000, 1000))
        panel.update(done=1)
    bill.failed["timeout"] = 20
    assert dict(panel.rows(elapsed_seconds=50.0)) == {
        "done": "300 of 400",
        "failed": "20",
        "tokens": "400,000",
        "spent": "$2.00",
        "projected": "$2.67",
        "left": "20.0 s",  # 80 at four a second: what was there before counts for nothing
    }
    panel.forecast = Forecast(3.0, 2.5, 3.5)
    assert dict(panel.rows(50.0))["projected"] == "$2.50 to $3.50"
    bill.price = None
    assert dict(panel.rows(50.0))["spent"] == "no price known"


def test_the_panel_is_log_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hornbook.teacher.panel.LOG_INTERVAL_SECONDS", 0.0)
    bill = Bill(PRICE)
    with Panel("job", 2, 0, bill) as panel:
        bill.add(Usage(1000, 1000))
        panel.update(done=1)
    out, err = capsys.readouterr()
    first, last = err.splitlines()
    assert out == ""
    assert first.startswith("  job · done 1 of 2 · failed 0 · tokens 2,000 · spent $0.010 · projected $0.020 · left ")
    assert last == "  job · 1 answers, 2,000 tokens, $0.010"


def test_the_panel_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    bill = Bill(PRICE)
    with Panel("job", 2, 0, bill) as panel:
        from rich.console import Console

        console = Console(width=60, record=True)
        console.print(panel.box())
    drawn = console.export_text()
    assert "job" in drawn
    assert "done       0 of 2" in drawn


def test_half_of_the_sample_spread_is_not_taken_for_none() -> None:
    costs = [1.0, 3.0] * 10
    assert forecast(costs, 480).high - 960 == pytest.approx(
        2.09 * statistics.stdev(costs) * (480 + 480**2 / 20) ** 0.5, rel=0.01
    )


@pytest.mark.parametrize("count", [float("inf"), -5, "many", [1]])
def test_a_count_that_cannot_be_is_guessed_instead(count: object) -> None:
    raw = {"choices": [{"message": {"content": "12345"}}], "usage": {"prompt_tokens": 7, "completion_tokens": count}}
    assert usage_of(REQUEST, raw) == Usage(3, 2, guessed=True)
