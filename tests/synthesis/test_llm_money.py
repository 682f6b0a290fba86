"""What a job of writing costs: one cap and one forecast for all its rounds, a price for every kept token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from endpoint import Server
from hornbook.artifacts import Ledger
from hornbook.errors import RequestError, WorkError
from hornbook.records import Exercise, Section, read_dataset
from hornbook.sandbox.run import Sandbox
from hornbook.synthesis.llm import asking
from hornbook.synthesis.llm.asking import Asker
from hornbook.synthesis.llm.exercises import Drills
from hornbook.synthesis.llm.prompts import RUBRIC
from hornbook.synthesis.llm.textbooks import Chapters
from hornbook.synthesis.write import WriteExercises, WriteTextbooks, write_exercises, write_textbooks
from hornbook.teacher.ask import Teacher

pytest.importorskip("openai")
Serve = Callable[..., Server]
SANDBOX = Sandbox(workers=1)
PRICES = {"m": {"input": 1.0, "output": 1.0}}  # a dollar a million tokens; every answer takes a hundred


def body_of(words: str) -> str:
    """What a small model might say."""
    if words.startswith("Set one small exercise"):
        name = re.findall(r'contains the word "([^"]+)"', words)[0] + "_twice"
        return code(name, "return x * 2")
    if words.startswith("Write the function"):
        return code(re.findall(r"def (\w+)", words)[0], "return x + x")
    if words.startswith("Plan a short chapter"):
        plan = {"title": f"Chapter {len(words)}", "goal": "add", "points": ["sums"], "example": "nails"}
        return json.dumps({"sections": [plan]})
    if words.startswith("You examine"):
        return json.dumps({"scores": dict.fromkeys(RUBRIC, 3), "faults": ["dull"]})
    text = "# Sums\n\nTwo numbers make a third.\n\n```python\nprint(1 + 1)\n```\n\n```output\n2\n```\n"
    return text if words.startswith("Write one section") else text.replace("third", "third number")


def code(name: str, body: str) -> str:
    tests = "def check(candidate):\n    assert [candidate(x) for x in (3, 0, -2)] == [6, 0, -4]\n"
    return json.dumps({"code": f'def {name}(x):\n    """Twice x, by {name}."""\n    {body}\n', "tests": tests})


class Model:
    """Answers as `body_of`, a hundred tokens each, every reply with an id of its own."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        message = {"role": "assistant", "content": body_of(body["messages"][-1]["content"])}
        usage = {"prompt_tokens": 60, "completion_tokens": 40}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {"id": f"reply-{self.asked}", "choices": [choice], "usage": usage}


def teacher(server: Server, **values: Any) -> Teacher:
    settings = {
        "provider": "endpoint",
        "url": server.url,
        "model": "m",
        "prices": PRICES,
        "concurrency": 1,
        "retries": 0,
    }
    return Teacher(**{**settings, **values})


def exercises(folder: Path, asked: Teacher, n: int, answers: int = 3) -> tuple[list[Exercise], Ledger]:
    ledger = Ledger()
    drills = Drills(answers=answers, drop_easy=False)
    config = WriteExercises(writer="llm", n=n, held_out=0, teacher=asked, drills=drills, sandbox=SANDBOX, mutants=0)
    write_exercises(config, responses=folder / "responses", out=folder, ledger=ledger)
    return list(read_dataset(folder / "exercises", Exercise)), ledger


def test_an_endpoint_writes_and_the_manifest_holds_what_a_kept_token_cost(tmp_path: Path, serve: Serve) -> None:
    """Four exercises, each with two further answers: twelve answers, of which four became rows."""
    model = Model()
    rows, ledger = exercises(tmp_path, teacher(serve(model)), 4)
    assert (len(rows), model.asked) == (4, 12)
    assert (ledger.tokens, ledger.dollars) == (1200, 0.0012)
    about = ledger.figures["teacher"]["m"]
    assert (about["requests"], about["kept_tokens"], about["tokens_per_kept_token"]) == (12, 160, 7.5)


def test_a_kept_section_is_paid_for_by_all_that_was_asked_about_it(tmp_path: Path, serve: Serve) -> None:
    """An outline, a draft, its examination, a rewrite that is graded no higher, and its examination."""
    model, ledger = Model(), Ledger()
    config = WriteTextbooks(
        writer="llm",
        n=1,
        kinds=["code"],
        teacher=teacher(serve(model)),
        chapters=Chapters(min_words=3),
        sandbox=SANDBOX,
    )
    write_textbooks(config, responses=tmp_path / "responses", out=tmp_path, ledger=ledger)
    (row,) = read_dataset(tmp_path / "sections", Section)
    assert ("third number" in row.text, len(row.provenance.responses), ledger.tokens) == (False, 5, 500)
    assert ledger.figures["teacher"]["m"]["kept_tokens"] == 40


def test_a_cap_holds_for_all_rounds_and_steps_together(tmp_path: Path, serve: Serve) -> None:
    """Nine answers of a hundred tokens make the cap: four exercises and five votes, and not nine of each."""
    model = Model()
    server = serve(model)
    with pytest.raises(WorkError, match="all kept"):
        exercises(tmp_path, teacher(server, cap_tokens=900), 4)
    assert 9 <= model.asked <= 10
    asked = model.asked
    rows, _ = exercises(tmp_path, teacher(server, cap_tokens=1300), 4)
    assert (len(rows), model.asked) == (4, 12)  # nothing is asked twice
    assert asked < 12


def test_a_cap_in_dollars_counts_the_same(tmp_path: Path, serve: Serve) -> None:
    model = Model()
    with pytest.raises(WorkError, match="all kept"):
        exercises(tmp_path, teacher(serve(model), cap_dollars=0.0009), 4)
    assert 9 <= model.asked <= 10


def test_a_cap_without_a_price_is_refused_before_anything_is_asked(tmp_path: Path, serve: Serve) -> None:
    model = Model()
    with pytest.raises(RequestError, match="no price is known"):
        exercises(tmp_path, teacher(serve(model), cap_dollars=1, prices={}), 4)
    assert model.asked == 0


def test_what_a_cap_stopped_goes_on_into_the_same_folder(
    tmp_path: Path, serve: Serve, hornbook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cap is no part of what was asked for, and neither is the store."""
    monkeypatch.chdir(tmp_path)
    model = Model()
    server = serve(model)
    told = ["write", "exercises", "--writer", "llm", "--teacher", f"m@{server.url}", "-n", "3", "--out", "drills"]
    told += ["--responses", "answers", "--json", "--set", "drills.drop_easy=false", "--set", "teacher.concurrency=1"]
    assert "all kept" in hornbook(*told, "--set", "teacher.cap_tokens=500").complaint(1)
    assert model.asked < 9
    done = hornbook(*told)
    assert (done.code, done.json["rows"], done.json["rejected"], model.asked) == (0, 3, {}, 9)
    told[told.index("drills")], told[told.index(f"m@{server.url}")] = "replayed", "m@replay"
    again = hornbook(*told)
    assert (again.code, again.json["rows"], model.asked) == (0, 3, 9)
    first, second = (tmp_path / name / "exercises/part-00000.parquet" for name in ("drills", "replayed"))
    assert first.read_bytes() == second.read_bytes()


@pytest.fixture
def small_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("PILOT", 2), ("FIRST", 3), ("MOST", 4)):
        monkeypatch.setattr(asking, name, size)


@pytest.mark.usefixtures("small_pilot")
def test_the_whole_job_is_forecast_from_its_pilot(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each exercise takes three answers, three hundred tokens, and they do not vary."""
    exercises(tmp_path, teacher(serve(Model())), 10)
    said = capsys.readouterr().err
    assert "exercises · pilot of 2: all 10 will take $0.0030 to $0.0030, 3,000 to 3,000 tokens (95 %)" in said
    assert said.count("pilot of") == 1


@pytest.mark.usefixtures("small_pilot")
def test_a_job_that_is_sure_to_pass_its_cap_stops_after_the_pilot(tmp_path: Path, serve: Serve) -> None:
    model = Model()
    with pytest.raises(WorkError, match=r"3,000 to 3,000 tokens.*over the cap; raise it, or ask for fewer"):
        exercises(tmp_path, teacher(serve(model), cap_tokens=2999), 10)
    assert model.asked == 6


@pytest.mark.usefixtures("small_pilot")
@pytest.mark.parametrize(("n", "pilot"), [(9, 20), (10, 0)])
def test_a_short_job_or_one_without_a_pilot_is_not_forecast(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str], n: int, pilot: int
) -> None:
    exercises(tmp_path, teacher(serve(Model()), pilot=pilot), n, answers=1)
    assert "pilot of" not in capsys.readouterr().err


def test_rounds_grow_up_to_a_size(tmp_path: Path) -> None:
    asker = Asker.of(Teacher(provider="replay", pilot=0), tmp_path)
    sizes = [part.stop - part.start for part in asker.rounds(6000, "")]
    assert sizes == [20, 64, 128, 256, 512, 1024, 2048, 1948]
    assert [(part.start, part.stop) for part in asker.rounds(7, "")] == [(0, 7)]
    assert list(asker.rounds(0, "")) == []


def test_the_cap_that_is_named_is_the_configured_one_and_the_sum_that_of_the_whole_job(
    tmp_path: Path, serve: Serve
) -> None:
    """Four exercises and five of eight votes."""
    told = (
        r"votes: stopped at cap_tokens 900: 9 answers, 900 tokens, \$0.00090, all kept; 3 requests .* raise cap_tokens"
    )
    with pytest.raises(WorkError, match=told):
        exercises(tmp_path, teacher(serve(Model()), cap_tokens=900), 4)


@pytest.mark.usefixtures("small_pilot")
def test_a_replay_costs_nothing_and_no_cap_stops_it(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model()
    asked = teacher(serve(model))
    rows, ledger = exercises(tmp_path, asked, 10)
    capsys.readouterr()
    (tmp_path / "exercises").rename(tmp_path / "first")
    replay = asked.model_copy(update={"provider": "replay", "cap_tokens": 1})
    assert exercises(tmp_path, replay, 10) == (rows, ledger)
    assert "pilot" not in capsys.readouterr().err


def test_one_rewrite_that_the_server_refuses_leaves_the_draft(tmp_path: Path, serve: Serve) -> None:
    """It is the only request of its call. Before it come the outline, the draft and the examination."""
    asked = teacher(serve(Model(), failing=[200, 200, 200, 400]))
    config = WriteTextbooks(
        writer="llm", n=1, kinds=["code"], teacher=asked, chapters=Chapters(min_words=3), sandbox=SANDBOX
    )
    ledger = Ledger()
    write_textbooks(config, responses=tmp_path / "responses", out=tmp_path, ledger=ledger)
    assert len(list(read_dataset(tmp_path / "sections", Section))) == 1
    assert ledger.figures["revision"] == {"rewrite refused: unanswered-refused": 1, "ungraded": 0}
    assert ledger.figures["teacher"]["m"]["unanswered"] == {"refused": 1}


def test_a_manifest_of_a_command_holds_tokens_and_dollars(
    tmp_path: Path, serve: Serve, hornbook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = ["write", "exercises", "--writer", "llm", "--teacher", f"m@{serve(Model()).url}", "-n", "2", "--out", "x"]
    told += ["--set", "drills.drop_easy=false", "--set", "teacher.prices={m: {input: 1, output: 1}}", "--json"]
    assert hornbook(*told).json["rows"] == 2
    manifest = json.loads((tmp_path / "x/manifest.json").read_text("utf-8"))
    assert (manifest["tokens"], manifest["dollars"]) == (600, 0.0006)
